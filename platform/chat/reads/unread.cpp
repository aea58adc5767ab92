#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/reads/reads.h"
#include "platform/chat/reads/unread.sql.h"
#include "platform/chat/users/users.h"

namespace chat::reads {
namespace {

void add_sums(storage::Transaction& tx, const std::string& user_id, Unread& unread) {
  auto rows = tx.query(sql::sum_unread, tx.app(), user_id);
  Summing sums;
  for (auto row : rows) sums.add(std::string(row.text(0)), row.optional_text(4), {row.integer(1), row.integer(2), row.integer(3)});
  unread.total = sums.total;
  unread.types = sums.types();
  unread.teams = sums.teams();
}

void add_threads(storage::Transaction& tx, const std::string& user_id, Unread& unread) {
  auto rows = tx.query(sql::list_unread_threads, tx.app(), user_id, kMaxThreadReplies, kMaxUnreadThreads);
  for (auto row : rows) unread.threads.push_back({std::string(row.text(1)), MessageId{row.uuid(0)}, row.integer(2), row.integer(3)});
}

void write_sum(json::Writer& out, const Sum& sum) {
  out.field("unread", sum.unread).field("mentions", sum.mentions).field("channels", sum.channels);
}

}  // namespace

void Summing::add(const std::string& type, const std::optional<std::string>& team, const Sum& sum) {
  if (sum.channels == 0) return;
  types_[type] += sum;
  teams_[team] += sum;
  total += sum;
}

std::vector<Unread::OfType> Summing::types() const {
  std::vector<Unread::OfType> all;
  for (const auto& [type, sum] : types_) all.push_back({type, sum});
  return all;
}

std::vector<Unread::OfTeam> Summing::teams() const {
  std::vector<Unread::OfTeam> all;
  if (teams_.size() == 1 && !teams_.begin()->first) return all;
  for (const auto& [team, sum] : teams_) all.push_back({team, sum});
  return all;
}

void write_parts(json::Writer& out, const std::vector<Unread::OfType>& types, const std::vector<Unread::OfTeam>& teams) {
  out.key("types").array();
  for (const auto& one : types) {
    out.object().field("type", one.type);
    write_sum(out, one.sum);
    out.end();
  }
  out.end();
  if (teams.empty()) return;
  out.key("teams").array();
  for (const auto& one : teams) {
    out.object().optional_field("team", one.team);
    write_sum(out, one.sum);
    out.end();
  }
  out.end();
}

std::string thread_unread_json(const Unread::Thread& thread) {
  json::Writer out;
  out.object().field("cid", thread.cid).field("parent_id", thread.parent.wire()).field("unread", thread.unread)
      .field("mentions", thread.mentions).end();
  return out.take();
}

std::string channel_unread_json(const Unread::Item& item) {
  json::Writer out;
  out.object().field("cid", item.cid).field("unread", item.unread).field("mentions", item.mentions);
  if (item.read_seq) out.field("read_seq", *item.read_seq);
  out.field("last_message_seq", item.last_message_seq).end();
  return out.take();
}

std::vector<std::pair<std::string, Sum>> sum_unread(storage::Transaction& tx, const std::vector<std::string>& user_ids) {
  text::ArrayLiteral asked;
  for (const auto& user_id : user_ids) asked.add(user_id);
  std::vector<std::pair<std::string, Sum>> sums;
  auto rows = tx.query(sql::sum_unread_of_users, tx.app(), asked.take());
  for (auto row : rows) {                      // one for each team of the user's channels
    if (sums.empty() || sums.back().first != row.text(0)) sums.emplace_back(row.text(0), Sum{});
    sums.back().second += Sum{row.integer(1), row.integer(2), row.integer(3)};
  }
  return sums;
}

Unread get_unread(storage::Transaction& tx, const std::string& user_id, int limit, const std::optional<std::string>& cursor,
                  const storage::Cursors& cursors) {
  users::get_user(tx, user_id);
  Unread unread;
  add_sums(tx, user_id, unread);
  add_threads(tx, user_id, unread);
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
