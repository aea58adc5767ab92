#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/messages/messages.h"
#include "platform/chat/moderation/flagging.sql.h"
#include "platform/chat/moderation/names.h"
#include "platform/chat/moderation/queue.sql.h"
#include "platform/chat/moderation/rows.h"
#include "platform/chat/moderation/settings.h"
#include "platform/chat/users/users.h"

namespace chat::moderation {
namespace {

using channels::Action;

std::int64_t severity_of(storage::Transaction& tx, const std::string& reason) {
  const auto settings = get_settings(tx);
  std::string known;
  for (const auto& one : settings.reasons) {
    if (one.reason == reason) return one.severity;
    known += " " + one.reason;
  }
  throw invalid_field("#/reason", "Must be one of the application's reasons:" + known + ".");
}

Flagged flag(storage::Transaction& tx, const Subject& subject, const std::optional<UserId>& by, const FlagInput& input, Timestamp now) {
  const auto severity = severity_of(tx, input.reason);
  if (by && by == subject.whose && subject.type != "channel") throw forbidden("Nobody flags itself.");
  if (by) {
    tx.query(sql::lock_flagger, tx.app(), *by);
    if (auto rows = tx.find(sql::find_flag, tx.app(), subject.type, subject.id, *by)) return {false, read_flag((*rows)[0])};
  }
  const auto id = FlagId::make(now);
  tx.run(sql::add_to_queue, tx.app(), ItemId::make(now), subject.type, subject.id, subject.channel, subject.whose, severity, now, id,
         by ? "user" : "server", by, input.reason, input.custom);
  return {true, read_flag(tx.query(sql::get_flag, tx.app(), id)[0])};
}

}  // namespace

Flag read_flag(const storage::Row& row) {
  return {FlagId{row.uuid(0)}, ItemId{row.uuid(1)},  std::string(row.text(2)), row.optional_text(3), row.optional_text(4), row.optional_text(5),
          row.optional_text(6), row.optional_text(7), row.optional_text(8),     row.integer(9),       row.time(10)};
}

std::string flag_json(const Flag& flag, bool for_moderators) {
  json::Writer out;
  out.object().field("flag_id", flag.id.wire());
  if (for_moderators) out.field("item_id", flag.item.wire());
  out.field("source", flag.source).optional_field("user_id", flag.user_id).optional_field("reason", flag.reason);
  if (for_moderators) out.optional_field("rule", flag.rule);
  out.field("severity", flag.severity);
  if (flag.custom) out.key("custom").raw(*flag.custom);
  if (for_moderators && flag.detail) out.key("detail").raw(*flag.detail);
  if (for_moderators && flag.evidence) out.key("evidence").raw(*flag.evidence);
  out.key("created_at").time(flag.created_at).end();
  return out.take();
}

Flagged flag_message(storage::Transaction& tx, const channels::Opened& opened, MessageId id, const FlagInput& input, Timestamp now) {
  opened.require(Action::flag_content);
  if (messages::get_message(tx, opened.channel, id).deleted_at) throw not_found("message");
  const UserId author{tx.query(sql::message_author, tx.app(), opened.channel.id, id)[0].uuid(0)};
  return flag(tx, {"message", id.uuid, opened.channel.id, author}, opened.acting_id, input, now);
}

Flagged flag_channel(storage::Transaction& tx, const channels::Opened& opened, const FlagInput& input, Timestamp now) {
  opened.require(Action::flag_content);
  Subject subject{"channel", opened.channel.id.uuid, opened.channel.id, std::nullopt};
  if (auto maker = tx.query(sql::channel_creator, tx.app(), opened.channel.id)[0].optional_uuid(0)) subject.whose = UserId{*maker};
  return flag(tx, subject, opened.acting_id, input, now);
}

Flagged flag_user(storage::Transaction& tx, const std::string& by, const std::string& user_id, const FlagInput& input, Timestamp now) {
  std::optional<UserId> flagger;
  if (!by.empty()) {
    const auto found = users::find_users(tx, {by});
    if (found.empty()) throw not_found("user");
    if (found.front().type == "anonymous") throw forbidden("Anonymous users only read.");
    flagger = found.front().id;
  }
  const auto found = users::find_users(tx, {user_id}, by);
  if (found.empty()) throw not_found("user");
  return flag(tx, {"user", found.front().id.uuid, std::nullopt, found.front().id}, flagger, input, now);
}

void flag_name(storage::Transaction& tx, const std::string& cid, const std::string& user_id, const std::string& findings, Timestamp now) {
  constexpr std::size_t kMaxFindings = 20;
  const auto document = json::Document::parse(findings);
  const auto found = document.root().items();
  text::ArrayLiteral ids, rules, details;
  for (std::size_t i = 0; i < found.size() && i < kMaxFindings; ++i) {
    ids.add(FlagId::make(now).text());
    rules.add(found[i].find("rule")->text());
    json::Writer detail;
    detail.object();
    for (const auto& [name, value] : found[i].members())
      if (name != "source" && name != "rule") detail.key(name).raw(value.raw());
    detail.end();
    details.add(detail.take());
  }
  const auto colon = cid.find(':');
  const bool is_user = cid.empty();
  tx.run(sql::flag_name, tx.app(), is_user ? "user" : "channel", is_user ? user_id : cid.substr(0, colon), is_user ? "" : cid.substr(colon + 1),
         ItemId::make(now), now, ids.take(), rules.take(), details.take());
}

}  // namespace chat::moderation
