#include "platform/chat/pending/pending.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/pending/pending.sql.h"
#include "platform/chat/pending/pending_events.h"
#include "platform/chat/pending/row.h"

namespace chat::pending {
namespace {

using channels::Opened;

/// The roles of a channel type that may decide.
std::string moderators_of(const channels::TypeSettings& settings) {
  text::ArrayLiteral roles;
  auto add = [&](std::string_view role) {
    if (channels::allows(channels::actions_of(role, false, settings.grants), channels::Action::approve_message)) roles.add(role);
  };
  for (auto role : {channels::Role::member, channels::Role::moderator, channels::Role::admin, channels::Role::owner}) add(channels::word(role));
  for (const auto& [role, actions] : settings.grants)
    if (!channels::is_built_in(role) && role != channels::kAnyone) add(role);
  return roles.take();
}

Pending get_of_channel(storage::Transaction& tx, const Opened& opened, PendingId id) {
  opened.require(channels::Action::approve_message);
  auto pending = find_pending(tx, id);
  if (!pending || pending->channel != opened.channel.id) throw not_found("pending message");
  return *pending;
}

template <class Read>
storage::Page<Pending> page_of(const std::string& scope, int limit, const std::optional<std::string>& cursor, const storage::Cursors& cursors,
                               const Read& read) {
  std::optional<std::string> after;
  if (cursor) after = cursors.open(scope, *cursor, "query:next").at(0);
  auto rows = read(after);
  storage::Page<Pending> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read_row(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {page.items.back().id.text()});
  return page;
}

}  // namespace

void count_change(const char* change) {
  metrics::counter("chat_pending_messages_total", "Messages held for approval, and what became of them.", {{"change", change}}).add();
}

Pending read_row(const storage::Row& row) {
  Pending pending;
  pending.id = PendingId{row.uuid(0)};
  pending.channel = ChannelId{row.uuid(1)};
  pending.channel_type = row.text(2);
  pending.channel_id = row.text(3);
  pending.user_id = row.text(4);
  pending.message = row.text(5);
  pending.status = row.text(6);
  pending.decided_by = row.optional_text(7);
  pending.reason = row.optional_text(8);
  pending.created_at = row.time(9);
  pending.updated_at = row.time(10);
  pending.expires_at = row.time(11);
  pending.findings = row.optional_text(15);
  return pending;
}

std::optional<Pending> find_pending(storage::Transaction& tx, PendingId id) {
  auto rows = tx.find(sql::get_pending, tx.app(), id);
  return rows ? std::optional<Pending>(read_row((*rows)[0])) : std::nullopt;
}

std::string pending_json(const Pending& pending, bool with_findings) {
  json::Writer out;
  out.object().field("id", pending.id.wire()).field("cid", pending.cid()).field("user_id", pending.user_id).field("status", pending.status)
      .key("message").raw(pending.message).optional_field("decided_by", pending.decided_by).optional_field("reason", pending.reason)
      .key("created_at").time(pending.created_at).key("updated_at").time(pending.updated_at).key("expires_at").time(pending.expires_at);
  if (with_findings && pending.findings) out.key("findings").raw(*pending.findings);
  out.end();
  return out.take();
}

void tell(storage::Transaction& tx, bus::Bus& bus, std::string_view type, const Pending& pending, const std::optional<MessageId>& message,
          Timestamp now) {
  const auto settings = channels::get_channel_type(tx, pending.channel_type).settings;
  std::vector<std::string> whom{pending.user_id};
  auto rows = tx.query(sql::list_moderators, tx.app(), pending.channel, moderators_of(settings), kMaxModerators);
  for (auto row : rows)
    if (row.text(0) != pending.user_id) whom.emplace_back(row.text(0));
  json::Writer data;
  data.object().key("pending_message").raw(pending_json(pending));
  if (message) data.field("message_id", message->wire());
  data.end();
  const std::string told = data.take();
  for (std::size_t i = 0; i < whom.size(); ++i) {
    bus::Event event;
    event.id = EventId::make(now);
    event.app = tx.app();
    event.type = type;
    event.reach = i == 0 ? bus::Reach::user : bus::Reach::devices;   // servers hear it once
    event.channel = pending.channel;
    event.cid = pending.cid();
    event.user_id = whom[i];
    event.created_at = now;
    event.data = told;
    bus::emit(tx, bus, std::move(event));
  }
}

Hold hold_message(storage::Transaction& tx, bus::Bus& bus, const Held& held, Timestamp now) {
  auto author = tx.find(sql::lock_author, tx.app(), held.user_id);
  if (!author) throw not_found("user");
  const UserId user{(*author)[0].uuid(0)};
  if (held.nonce_key) {
    auto found = tx.find(sql::find_held, tx.app(), held.channel_type, held.channel_id, user, *held.nonce_key, held.fingerprint);
    if (found && !(*found)[0].boolean(1))
      throw Error(Code::idempotency_mismatch, "This nonce was used for another message.", {{"#/nonce", "Used already."}});
    if (found)
      if (auto pending = find_pending(tx, PendingId{(*found)[0].uuid(0)})) return {true, *pending};
  }
  if (tx.query(sql::count_pending, tx.app(), user)[0].integer(0) >= kMaxPending)
    throw Error(Code::limit_reached, "100 messages of this user wait for approval already.");
  const auto id = PendingId::make(now);
  if (tx.run(sql::insert_pending, tx.app(), id, held.channel_type, held.channel_id, user, held.message, held.nonce, held.nonce_key,
             held.fingerprint, now, now + kWaits, held.findings.empty() ? std::nullopt : std::optional(held.findings)) == 0)
    throw not_found("channel");
  const auto pending = find_pending(tx, id);
  tell(tx, bus, kMessagePending, *pending, std::nullopt, now);
  tx.after_commit([] { count_change("held"); });
  return {false, *pending};
}

Pending approve_message(storage::Transaction& tx, const Opened& opened, PendingId id, Timestamp now) {
  const auto pending = get_of_channel(tx, opened, id);
  if (pending.status == "rejected") throw Error(Code::conflict, "This message was rejected.");
  if (pending.status == "approved") return pending;
  tx.run(sql::decide, tx.app(), id, "approved", opened.acting_id, std::nullopt, now, pending.expires_at);
  return *find_pending(tx, id);
}

Pending reject_message(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, PendingId id, const std::optional<std::string>& reason,
                       Timestamp now) {
  auto pending = get_of_channel(tx, opened, id);
  if (pending.status == "approved") throw Error(Code::conflict, "This message is approved and on its way.");
  if (pending.status == "rejected") return pending;
  tx.run(sql::decide, tx.app(), id, "rejected", opened.acting_id, reason, now, now + kWaits);
  pending = *find_pending(tx, id);
  tell(tx, bus, kMessageRejected, pending, std::nullopt, now);
  tx.after_commit([] { count_change("rejected"); });
  return pending;
}

storage::Page<Pending> list_of_channel(storage::Transaction& tx, const Opened& opened, int limit, const std::optional<std::string>& cursor,
                                       const storage::Cursors& cursors) {
  opened.require(channels::Action::approve_message);
  return page_of(tx.app().text() + "|pending|" + opened.channel.id.text(), limit, cursor, cursors, [&](const auto& after) {
    return tx.query(sql::list_of_channel, tx.app(), opened.channel.id, limit + 1, after);
  });
}

storage::Page<Pending> list_of_user(storage::Transaction& tx, const std::string& user_id, int limit, const std::optional<std::string>& cursor,
                                    const storage::Cursors& cursors) {
  return page_of(tx.app().text() + "|pending|user|" + user_id, limit, cursor, cursors, [&](const auto& after) {
    return tx.query(sql::list_of_user, tx.app(), user_id, limit + 1, after);
  });
}

}  // namespace chat::pending
