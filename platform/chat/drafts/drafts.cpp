#include "platform/chat/drafts/drafts.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/drafts/drafts.sql.h"
#include "platform/chat/drafts/drafts_events.h"
#include "platform/chat/users/users.h"

namespace chat::drafts {
namespace {

using channels::Opened;
using Parent = std::optional<MessageId>;

Uuid key_of(const Parent& parent) { return parent ? parent->uuid : Uuid{}; }

Draft read_row(const storage::Row& row) {
  Draft draft{std::string(row.text(0)), ChannelId{row.uuid(1)}, std::nullopt, std::string(row.text(3)), row.time(4), row.time(5)};
  if (auto parent = row.optional_uuid(2)) draft.parent = MessageId{*parent};
  return draft;
}

std::optional<Draft> find_draft(storage::Transaction& tx, const Opened& opened, const Parent& parent) {
  auto rows = tx.find(sql::find_draft, tx.app(), *opened.acting_id, opened.channel.id, key_of(parent));
  return rows ? std::optional<Draft>(read_row((*rows)[0])) : std::nullopt;
}

bus::Event own_event(AppId app, const std::string& user_id, std::string_view type, std::string data, Timestamp now) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = app;
  event.type = type;
  event.reach = bus::Reach::devices;
  event.user_id = user_id;
  event.created_at = now;
  event.data = std::move(data);
  return event;
}

}  // namespace

std::string draft_json(const Draft& draft) {
  json::Writer out;
  out.object().field("cid", draft.cid);
  if (draft.parent) out.field("parent_id", draft.parent->wire());
  out.key("message").raw(draft.message).key("created_at").time(draft.created_at).key("updated_at").time(draft.updated_at).end();
  return out.take();
}

Saved save_draft(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const Parent& parent, const std::string& message,
                 Timestamp now) {
  const auto& user = *opened.acting_id;
  if (parent && !tx.find(sql::find_draft_parent, tx.app(), opened.channel.id, *parent, user)) throw not_found("message");
  tx.query(sql::lock_drafter, tx.app(), user);
  const bool is_new = !find_draft(tx, opened, parent);
  if (is_new && tx.query(sql::count_drafts, tx.app(), user)[0].integer(0) >= kMaxDrafts)
    throw Error(Code::limit_reached, "A user may have 200 drafts; delete one first.");
  const bool changed = !tx.query(sql::save_draft, tx.app(), user, opened.channel.id, key_of(parent), message, now).empty();
  Saved saved{is_new, *find_draft(tx, opened, parent)};
  if (!changed) return saved;
  json::Writer data;
  data.object().key("draft").raw(draft_json(saved.draft)).end();
  bus::emit(tx, bus, own_event(tx.app(), opened.acting_user, kDraftUpdated, data.take(), now));
  return saved;
}

Draft get_draft(storage::Transaction& tx, const Opened& opened, const Parent& parent) {
  auto draft = find_draft(tx, opened, parent);
  if (!draft) throw not_found("draft");
  return *draft;
}

void delete_draft(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const Parent& parent, Timestamp now) {
  if (tx.run(sql::delete_draft, tx.app(), *opened.acting_id, opened.channel.id, key_of(parent)) == 0) throw not_found("draft");
  bus::emit(tx, bus, sent_event(tx.app(), opened.acting_user, opened.channel.cid(), parent, now));
}

storage::Page<Draft> list_drafts(storage::Transaction& tx, const std::string& user_id, int limit,
                                 const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const auto found = users::find_users(tx, {user_id});
  if (found.empty()) throw not_found("user");
  const std::string scope = tx.app().text() + "|drafts|" + user_id;
  std::optional<std::string> time, channel, parent;
  if (cursor) {
    const auto position = cursors.open(scope, *cursor, "query:next");
    time = position.at(0);
    channel = position.at(1);
    parent = position.at(2);
  }
  auto rows = tx.query(sql::list_drafts, tx.app(), found.front().id, limit + 1, time, channel, parent);
  storage::Page<Draft> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read_row(rows[i]));
  if (rows.size() > limit) {
    const auto& last = page.items.back();
    page.next = cursors.seal(scope, {format_time(last.updated_at), last.channel.text(), MessageId{key_of(last.parent)}.text()});
  }
  return page;
}

bus::Event sent_event(AppId app, const std::string& user_id, const std::string& cid, const Parent& parent, Timestamp now) {
  json::Writer data;
  data.object().field("cid", cid);
  if (parent) data.field("parent_id", parent->wire());
  data.end();
  return own_event(app, user_id, kDraftDeleted, data.take(), now);
}

}  // namespace chat::drafts
