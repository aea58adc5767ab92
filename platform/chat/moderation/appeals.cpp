#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/moderation/appeals.sql.h"
#include "platform/chat/moderation/decisions.h"
#include "platform/chat/moderation/moderation_events.h"
#include "platform/chat/moderation/reviewer.h"
#include "platform/chat/moderation/rows.h"
#include "platform/chat/moderation/settings.h"

namespace chat::moderation {
namespace {

using storage::FieldType;

constexpr int kLineColumns = 21;
const Reviewer kServer{};

Appeal read_at(const storage::Row& row, int at) {
  Appeal appeal;
  appeal.id = AppealId{row.uuid(at)};
  appeal.decision = DecisionId{row.uuid(at + 1)};
  appeal.user_id = row.text(at + 2);
  appeal.text = row.text(at + 3);
  appeal.status = row.text(at + 4);
  appeal.answer = row.optional_text(at + 5);
  appeal.decided_by = row.optional_text(at + 6);
  appeal.created_at = row.time(at + 7);
  appeal.decided_at = row.optional_time(at + 8);
  if (auto id = row.optional_uuid(at + 9)) appeal.channel = ChannelId{*id};
  return appeal;
}

std::string data_of(const Appeal& appeal, bool for_moderators) {
  json::Writer out;
  out.object().key("appeal").raw(appeal_json(appeal, for_moderators)).end();
  return out.take();
}

Appeal get_appeal(storage::Transaction& tx, const Reviewer& reviewer, AppealId id) {
  auto rows = tx.find(sql::get_appeal, tx.app(), reviewer.id, reviewer.whole, reviewer.roles, reviewer.team_roles, id);
  if (!rows) throw not_found("appeal");
  return read_appeal((*rows)[0]);
}

}  // namespace

Appeal read_appeal(const storage::Row& row) { return read_at(row, 0); }

std::string appeal_json(const Appeal& appeal, bool for_moderators) {
  json::Writer out;
  out.object().field("appeal_id", appeal.id.wire()).field("decision_id", appeal.decision.wire()).field("user_id", appeal.user_id).field("text", appeal.text)
      .field("status", appeal.status).optional_field("answer", appeal.answer);
  if (for_moderators) out.optional_field("decided_by", appeal.decided_by);
  out.key("created_at").time(appeal.created_at).optional_time("decided_at", appeal.decided_at).end();
  return out.take();
}

std::string notice_json(const Line& line, const std::optional<std::string>& appeal) {
  json::Writer out;
  out.object().field("decision_id", line.id.wire()).field("action", line.action).optional_field("cid", line.cid);
  if (line.subject && line.subject_type == "message") out.field("message_id", MessageId{*line.subject}.wire());
  out.optional_field("reason", line.reason).field("points", line.points);
  const auto document = json::Document::parse(line.params);
  if (auto expires = document.root().find("expires_at")) out.key("expires_at").raw(expires->raw());
  out.key("undone").boolean(line.undone_by.has_value());
  if (appeal) out.key("appeal").raw(*appeal);
  out.key("created_at").time(line.created_at).end();
  return out.take();
}

storage::Page<Notice> list_notices(storage::Transaction& tx, const std::string& user_id, int limit, const std::optional<std::string>& cursor,
                                   const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|notices|" + user_id;
  std::optional<std::string> after;
  if (cursor) after = cursors.open(scope, *cursor, "query:next").at(0);
  auto rows = tx.query(sql::list_notices, tx.app(), user_id, after, limit + 1);
  storage::Page<Notice> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) {
    Notice notice{read_line(rows[i]), std::nullopt};
    if (!rows[i].is_null(kLineColumns)) notice.appeal = appeal_json(read_at(rows[i], kLineColumns), false);
    page.items.push_back(std::move(notice));
  }
  if (rows.size() > limit) page.next = cursors.seal(scope, {page.items.back().line.id.text()});
  return page;
}

Appeal appeal_decision(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, DecisionId id, const std::string& text, Timestamp now) {
  if (!tx.find(sql::get_own_line, tx.app(), user_id, id)) throw not_found("decision");
  const auto line = get_line(tx, kServer, id);
  if (line.undone_by) throw Error(Code::conflict, "This decision is undone already.");
  const auto days = get_settings(tx).appeal_days;
  if (now - line.created_at > std::chrono::days(days))
    throw Error(Code::conflict, days == 0 ? std::string("This application takes no appeals.") : "Appeals come within " + std::to_string(days) + " days.");
  const auto appeal_id = AppealId::make(now);
  if (tx.run(sql::insert_appeal, tx.app(), appeal_id, id, *line.about, text, now) == 0)
    throw Error(Code::already_exists, "This decision was appealed already.");
  const auto appeal = get_appeal(tx, kServer, appeal_id);
  tell_moderators(tx, bus, {kAppealed, data_of(appeal, true), line.channel, line.cid.value_or(""), line.user_id}, now);
  return appeal;
}

const storage::Listing& appeal_listing() {
  static const storage::Listing listing(sql::list_appeals, "p.id",
                                        {{"created_at", "p.created_at", FieldType::time, true},
                                         {"status", "p.status", FieldType::text},
                                         {"user_id", "u.user_id", FieldType::text}});
  return listing;
}

storage::Page<Appeal> query_appeals(storage::Transaction& tx, const Reviewer& reviewer, const storage::ListRequest& request, const storage::Cursors& cursors) {
  return appeal_listing().page<Appeal>(tx, storage::Params::of(tx.app(), reviewer.id, reviewer.whole, reviewer.roles, reviewer.team_roles), request,
                                       cursors, read_appeal);
}

Appeal decide_appeal(storage::Transaction& tx, const Hands& hands, const Reviewer& reviewer, AppealId id, bool accept, const std::optional<std::string>& answer,
                     Timestamp now) {
  const auto asked = get_appeal(tx, reviewer, id);
  const auto line = get_line(tx, reviewer, asked.decision);
  if (!accept && line.cid && !reviewer.whole) open_for(tx, reviewer, *line.cid, channels::Action::decide_flags);
  if (asked.status != "pending") throw Error(Code::conflict, "This appeal is decided.");
  if (accept && !line.undone_by) undo(tx, hands, reviewer, line, {.reason = answer, .approve = true}, now);
  if (tx.run(sql::decide_appeal, tx.app(), id, accept ? "accepted" : "refused", answer, reviewer.id, now) == 0)
    throw Error(Code::conflict, "This appeal is decided.");
  Line said = line;
  said.id = DecisionId::make(now);
  said.action = accept ? "accept_appeal" : "refuse_appeal";
  said.by = "";
  said.reason = answer;
  said.rule = std::nullopt;
  said.points = 0;
  said.shown = false;
  said.params = said.changed = "{}";
  said.created_at = now;
  insert_line(tx, said, reviewer, asked.created_at);
  const auto appeal = get_appeal(tx, kServer, id);
  tell_moderators(tx, hands.bus, {kAppealDecided, data_of(appeal, true), line.channel, line.cid.value_or(""), line.user_id}, now);
  tell_user(tx, hands.bus, {appeal.user_id, false}, kAppealDecided, data_of(appeal, false), now);
  return appeal;
}

}  // namespace chat::moderation
