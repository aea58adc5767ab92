#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/moderation/queue.sql.h"
#include "platform/chat/moderation/reviewer.h"
#include "platform/chat/moderation/rows.h"
#include "platform/chat/users/users.h"

namespace chat::moderation {

using storage::FieldType;

Item read_item(const storage::Row& row) {
  Item item;
  item.id = ItemId{row.uuid(0)};
  item.subject.type = row.text(1);
  item.subject.id = row.uuid(2);
  if (auto id = row.optional_uuid(3)) item.subject.channel = ChannelId{*id};
  item.cid = row.optional_text(4);
  item.user_id = row.optional_text(5);
  if (auto id = row.optional_uuid(6)) item.subject.whose = UserId{*id};
  item.status = row.text(7);
  item.severity = row.integer(8);
  item.flags = row.integer(9);
  item.findings = row.integer(10);
  item.priority = row.integer(11);
  item.assigned_to = row.optional_text(12);
  item.outcome = row.optional_text(13);
  item.evidence = row.optional_text(14);
  item.evidence_ends = row.boolean(15);
  item.created_at = row.time(16);
  item.updated_at = row.time(17);
  item.decided_at = row.optional_time(18);
  return item;
}

std::string item_json(const Item& item) {
  json::Writer out;
  out.object().field("item_id", item.id.wire()).field("subject_type", item.subject.type);
  if (item.subject.type == "message") out.field("message_id", MessageId{item.subject.id}.wire());
  out.optional_field("cid", item.cid).optional_field("user_id", item.user_id).field("status", item.status).field("severity", item.severity)
      .field("flags", item.flags).field("findings", item.findings).field("priority", item.priority).optional_field("assigned_to", item.assigned_to)
      .optional_field("outcome", item.outcome);
  if (item.evidence) out.key("evidence").raw(*item.evidence);
  out.key("created_at").time(item.created_at).key("updated_at").time(item.updated_at).optional_time("decided_at", item.decided_at).end();
  return out.take();
}

const storage::Listing& item_listing() {
  static const storage::Listing listing(
      sql::list_items, "i.id",
      {{"priority", "(i.severity * 1000 + least(i.flags * 10 + i.findings, 999))", FieldType::integer, true},
       {"created_at", "i.created_at", FieldType::time, true},
       {"updated_at", "i.updated_at", FieldType::time, true},
       {"status", "i.status", FieldType::text},
       {"subject_type", "i.subject_type", FieldType::text},
       {"cid", "(c.type || ':' || c.channel_id)", FieldType::text},
       {"user_id", "u.user_id", FieldType::text},
       {"assigned_to", "a.user_id", FieldType::text},
       {"severity", "i.severity", FieldType::integer},
       {"flags", "i.flags", FieldType::integer},
       {"findings", "i.findings", FieldType::integer},
       {"outcome", "i.outcome", FieldType::text},
       {"decided_at", "i.decided_at", FieldType::time},
       {"reason", "", FieldType::text, false, "exists (select from moderation_flags f where f.app_id = i.app_id and f.item_id = i.id and f.reason = any (%))"},
       {"source", "", FieldType::text, false, "exists (select from moderation_flags f where f.app_id = i.app_id and f.item_id = i.id and f.source = any (%))"},
       {"rule", "", FieldType::text, false, "exists (select from moderation_flags f where f.app_id = i.app_id and f.item_id = i.id and f.rule = any (%))"}});
  return listing;
}

storage::Page<Item> query_items(storage::Transaction& tx, const Reviewer& reviewer, const storage::ListRequest& request, const storage::Cursors& cursors) {
  return item_listing().page<Item>(tx, storage::Params::of(tx.app(), reviewer.id, reviewer.whole, reviewer.roles, reviewer.team_roles), request, cursors,
                                   read_item);
}

Item get_item(storage::Transaction& tx, const Reviewer& reviewer, ItemId id) {
  auto rows = tx.find(sql::get_item, tx.app(), reviewer.id, reviewer.whole, reviewer.roles, reviewer.team_roles, id);
  if (!rows) throw not_found("item of the queue");
  return read_item((*rows)[0]);
}

std::vector<Flag> flags_of(storage::Transaction& tx, ItemId id) {
  std::vector<Flag> flags;
  for (auto row : tx.query(sql::list_flags, tx.app(), id, kMaxFlagsShown)) flags.push_back(read_flag(row));
  return flags;
}

Item assign_item(storage::Transaction& tx, const Reviewer& reviewer, ItemId id, const std::optional<std::string>& moderator, Timestamp now) {
  if (!tx.find(sql::lock_item, tx.app(), id)) throw not_found("item of the queue");
  const auto item = get_item(tx, reviewer, id);
  if (item.decided_at) throw Error(Code::conflict, "This is decided.");
  std::optional<UserId> to;
  if (moderator) {
    const auto named = reviewer_named(tx, *moderator);
    try {
      get_item(tx, named, id);
    } catch (const Error& error) {
      if (error.code() != Code::not_found) throw;
      throw Error(Code::not_found, "This user does not moderate it.", {{"#/moderator_id", "Does not moderate it."}});
    }
    to = named.id;
  }
  tx.run(sql::assign_item, tx.app(), id, to, now);
  Line line;
  line.id = DecisionId::make(now);
  line.action = "assign";
  line.item = id;
  line.subject_type = item.subject.type;
  line.subject = item.subject.id;
  line.channel = item.subject.channel;
  line.about = item.subject.whose;
  line.created_at = now;
  if (moderator) {
    json::Writer out;
    out.object().field("assigned_to", *moderator).end();
    line.params = out.take();
  }
  insert_line(tx, line, reviewer, std::nullopt);
  return get_item(tx, reviewer, id);
}

}  // namespace chat::moderation
