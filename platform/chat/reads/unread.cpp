#include "platform/base/json.h"
#include "platform/chat/reads/reads.h"
#include "platform/chat/reads/unread.sql.h"
#include "platform/chat/users/users.h"

namespace chat::reads {
namespace {

void add_sums(storage::Transaction& tx, const std::string& user_id, Unread& unread) {
  auto rows = tx.query(sql::sum_unread, tx.app(), user_id);
  for (auto row : rows) {
    const Sum sum{row.integer(1), row.integer(2), row.integer(3)};
    unread.types.push_back({std::string(row.text(0)), sum});
    unread.total.unread += sum.unread;
    unread.total.mentions += sum.mentions;
    unread.total.channels += sum.channels;
  }
}

}  // namespace

std::string channel_unread_json(const Unread::Item& item) {
  json::Writer out;
  out.object().field("cid", item.cid).field("unread", item.unread).field("mentions", item.mentions);
  if (item.read_seq) out.field("read_seq", *item.read_seq);
  out.field("last_message_seq", item.last_message_seq).end();
  return out.take();
}

Unread get_unread(storage::Transaction& tx, const std::string& user_id, int limit, const std::optional<std::string>& cursor,
                  const storage::Cursors& cursors) {
  users::get_user(tx, user_id);
  Unread unread;
  add_sums(tx, user_id, unread);
  const std::string scope = tx.app().text() + "|unread|" + user_id;
  std::optional<std::string> below, behind;
  if (cursor) {
    const auto position = cursors.open(scope, *cursor, "query:next");
    below = position.at(0);
    behind = position.at(1);
  }
  auto rows = tx.query(sql::list_unread_channels, tx.app(), user_id, below, behind, limit + 1);
  for (auto row : rows) {
    if (static_cast<int>(unread.channels.items.size()) == limit) break;
    unread.channels.items.push_back({std::string(row.text(1)), row.integer(2), row.integer(3), row.optional_integer(4), row.integer(5)});
  }
  if (rows.size() > limit)
    unread.channels.next = cursors.seal(scope, {std::string(rows[limit - 1].text(2)), std::string(rows[limit - 1].text(0))});
  return unread;
}

}  // namespace chat::reads
