#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/moderation/log.sql.h"
#include "platform/chat/moderation/reviewer.h"
#include "platform/chat/moderation/rows.h"

namespace chat::moderation {

using storage::FieldType;

Line read_line(const storage::Row& row) {
  Line line;
  line.id = DecisionId{row.uuid(0)};
  line.action = row.text(1);
  line.by = row.text(2);
  line.moderator = row.optional_text(3);
  line.cid = row.optional_text(4);
  line.user_id = row.optional_text(5);
  line.rule = row.optional_text(6);
  line.reason = row.optional_text(7);
  line.subject_type = row.optional_text(8);
  line.subject = row.optional_uuid(9);
  if (auto id = row.optional_uuid(10)) line.item = ItemId{*id};
  line.points = row.integer(11);
  line.shown = row.boolean(12);
  line.params = row.text(13);
  line.changed = row.text(14);
  if (auto id = row.optional_uuid(15)) line.undoes = DecisionId{*id};
  if (auto id = row.optional_uuid(16)) line.undone_by = DecisionId{*id};
  line.undone_at = row.optional_time(17);
  if (auto id = row.optional_uuid(18)) line.channel = ChannelId{*id};
  if (auto id = row.optional_uuid(19)) line.about = UserId{*id};
  line.created_at = row.time(20);
  return line;
}

std::string line_json(const Line& line) {
  json::Writer out;
  out.object().field("decision_id", line.id.wire()).field("action", line.action).field("by", line.by).optional_field("moderator_id", line.moderator);
  if (line.item) out.field("item_id", line.item->wire());
  out.optional_field("subject_type", line.subject_type);
  if (line.subject && line.subject_type == "message") out.field("message_id", MessageId{*line.subject}.wire());
  out.optional_field("cid", line.cid).optional_field("user_id", line.user_id).optional_field("rule", line.rule).optional_field("reason", line.reason)
      .field("points", line.points).key("params").raw(line.params);
  if (line.undoes) out.field("undoes", line.undoes->wire());
  if (line.undone_by) out.field("undone_by", line.undone_by->wire());
  out.optional_time("undone_at", line.undone_at).key("created_at").time(line.created_at).end();
  return out.take();
}

const storage::Listing& log_listing() {
  static const storage::Listing listing(sql::list_log, "l.id",
                                        {{"created_at", "l.created_at", FieldType::time, true},
                                         {"action", "l.action", FieldType::text},
                                         {"by", "l.by", FieldType::text},
                                         {"moderator_id", "m.user_id", FieldType::text},
                                         {"user_id", "a.user_id", FieldType::text},
                                         {"cid", "(c.type || ':' || c.channel_id)", FieldType::text},
                                         {"rule", "l.rule", FieldType::text},
                                         {"undone", "(x.id is not null)", FieldType::boolean}});
  return listing;
}

storage::Page<Line> query_log(storage::Transaction& tx, const Reviewer& reviewer, const storage::ListRequest& request, const storage::Cursors& cursors) {
  return log_listing().page<Line>(tx, storage::Params::of(tx.app(), reviewer.id, reviewer.whole, reviewer.roles, reviewer.team_roles), request, cursors,
                                  read_line);
}

std::vector<Line> log_of(storage::Transaction& tx, ItemId id) {
  std::vector<Line> lines;
  for (auto row : tx.query(sql::log_of_item, tx.app(), id, kMaxLogShown)) lines.push_back(read_line(row));
  return lines;
}

Line get_line(storage::Transaction& tx, const Reviewer& reviewer, DecisionId id) {
  auto rows = tx.find(sql::get_line, tx.app(), reviewer.id, reviewer.whole, reviewer.roles, reviewer.team_roles, id);
  if (!rows) throw not_found("decision");
  return read_line((*rows)[0]);
}

void insert_line(storage::Transaction& tx, const Line& line, const Reviewer& reviewer, const std::optional<Timestamp>& waits_since) {
  tx.run(sql::insert_line, tx.app(), line.id, line.action, line.by.empty() ? by_of(reviewer) : line.by, line.by == "automatic" ? std::nullopt : reviewer.id,
         line.item, line.subject_type, line.subject, line.channel, line.about, line.rule, line.reason, line.points, line.shown, line.params, line.changed,
         line.undoes, waits_since, line.created_at);
}

}  // namespace chat::moderation
