#include "platform/chat/users/relations.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/users/relations.sql.h"
#include "platform/chat/users/tell.h"
#include "platform/chat/users/users_events.h"

namespace chat::users {
namespace {

void check_own(const tenants::Caller& caller, const std::string& user_id) {
  if (!caller.is_server() && caller.user_id() != user_id) throw forbidden("A user's blocks and mutes are its own.");
}

/// One who relates, locked, and the one it relates to.
struct Pair {
  UserId user, target;
};
/// `anew`: only one who can be met; what stands can be lifted whoever it is.
Pair lock_pair(storage::Transaction& tx, const tenants::Caller& caller, const std::string& user_id, const std::string& target_id,
               bool anew) {
  check_own(caller, user_id);
  auto user = tx.find(sql::lock_relations, tx.app(), user_id);
  if (!user) throw not_found("user");
  auto target = anew ? tx.find(sql::find_target_in_reach, tx.app(), target_id, (*user)[0].uuid(0)) : tx.find(sql::find_target, tx.app(), target_id);
  if (!target) throw Error(Code::not_found, "No such user: " + target_id + ".", {{"#/target_id", "No such user."}});
  return {UserId{(*user)[0].uuid(0)}, UserId{(*target)[0].uuid(0)}};
}

void check_new(const Pair& pair, std::int64_t standing, const char* what) {
  if (pair.user == pair.target) throw invalid_field("#/target_id", "That is the user itself.");
  if (standing >= kMaxRelations)
    throw Error(Code::limit_reached, "A user may have " + std::to_string(kMaxRelations) + " " + what + ".");
}

std::string data_of(const char* name, const std::string& json) {
  json::Writer out;
  out.object().key(name).raw(json).end();
  return out.take();
}

std::string target_data(const std::string& target_id) {
  json::Writer out;
  out.object().field("target_id", target_id).end();
  return out.take();
}

UserId find_own(storage::Transaction& tx, const tenants::Caller& caller, const std::string& user_id) {
  check_own(caller, user_id);
  auto user = tx.find(sql::find_target, tx.app(), user_id);
  if (!user) throw not_found("user");
  return UserId{(*user)[0].uuid(0)};
}

/// Pages by the id of the other user, the rows' first column.
template <class T, class Read>
storage::Page<T> page_of(const storage::Rows& rows, int limit, const std::string& scope, const storage::Cursors& cursors, Read read) {
  storage::Page<T> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {rows[limit - 1].uuid(0).text()});
  return page;
}

std::optional<std::string> open_cursor(const std::optional<std::string>& cursor, const std::string& scope, const storage::Cursors& cursors) {
  if (!cursor) return std::nullopt;
  return cursors.open(scope, *cursor, "query:next").at(0);
}

}  // namespace

std::string block_json(const Block& block) {
  json::Writer out;
  out.object().field("target_id", block.target_id).key("created_at").time(block.created_at).end();
  return out.take();
}

std::string mute_json(const Mute& mute) {
  json::Writer out;
  out.object()
      .field("target_id", mute.target_id)
      .optional_time("expires_at", mute.expires_at)
      .key("created_at").time(mute.created_at)
      .key("updated_at").time(mute.updated_at)
      .end();
  return out.take();
}

Block block_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                 const std::string& target_id, Timestamp now) {
  const auto pair = lock_pair(tx, caller, user_id, target_id, true);
  if (auto stands = tx.find(sql::get_block, tx.app(), pair.user, pair.target)) return {target_id, (*stands)[0].time(0)};
  check_new(pair, tx.query(sql::count_blocks, tx.app(), pair.user)[0].integer(0), "blocks");
  tx.query(sql::lock_pair, tx.app(), pair.user, pair.target);
  tx.run(sql::insert_block, tx.app(), pair.user, pair.target, now);
  tx.run(sql::mark_direct_channels, tx.app(), pair.user, pair.target);
  const Block block{target_id, now};
  tell(tx, bus, kUserBlocked, user_id, data_of("block", block_json(block)), now);
  return block;
}

void unblock_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                  const std::string& target_id, Timestamp now) {
  const auto pair = lock_pair(tx, caller, user_id, target_id, false);
  tx.query(sql::lock_pair, tx.app(), pair.user, pair.target);
  if (tx.run(sql::delete_block, tx.app(), pair.user, pair.target) == 0) throw not_found("block");
  tx.run(sql::mark_direct_channels, tx.app(), pair.user, pair.target);
  tell(tx, bus, kUserUnblocked, user_id, target_data(target_id), now);
}

storage::Page<Block> list_blocks(storage::Transaction& tx, const tenants::Caller& caller, const std::string& user_id, int limit,
                                 const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const auto user = find_own(tx, caller, user_id);
  const std::string scope = tx.app().text() + "|blocks|" + user.text();
  auto rows = tx.query(sql::list_blocks, tx.app(), user, open_cursor(cursor, scope, cursors), limit + 1);
  return page_of<Block>(rows, limit, scope, cursors,
                        [](const storage::Row& row) { return Block{std::string(row.text(1)), row.time(2)}; });
}

Mute mute_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
               const std::string& target_id, std::optional<Timestamp> expires_at, Timestamp now) {
  if (expires_at && *expires_at <= now) throw invalid_field("#/expires_at", "Must lie in the future.");
  const auto pair = lock_pair(tx, caller, user_id, target_id, true);
  tx.run(sql::forget_expired_mutes, tx.app(), pair.user, now);
  check_new(pair, tx.query(sql::count_mutes, tx.app(), pair.user, pair.target)[0].integer(0), "mutes");
  auto rows = tx.query(sql::put_mute, tx.app(), pair.user, pair.target, expires_at, now);
  auto row = rows[0];
  const Mute mute{target_id, row.optional_time(0), row.time(1), row.time(2)};
  tell(tx, bus, kUserMuted, user_id, data_of("mute", mute_json(mute)), now);
  return mute;
}

void unmute_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                 const std::string& target_id, Timestamp now) {
  const auto pair = lock_pair(tx, caller, user_id, target_id, false);
  if (tx.run(sql::delete_mute, tx.app(), pair.user, pair.target, now) == 0) throw not_found("mute");
  tell(tx, bus, kUserUnmuted, user_id, target_data(target_id), now);
}

storage::Page<Mute> list_mutes(storage::Transaction& tx, const tenants::Caller& caller, const std::string& user_id, int limit,
                               const std::optional<std::string>& cursor, const storage::Cursors& cursors, Timestamp now) {
  const auto user = find_own(tx, caller, user_id);
  const std::string scope = tx.app().text() + "|mutes|" + user.text();
  auto rows = tx.query(sql::list_mutes, tx.app(), user, open_cursor(cursor, scope, cursors), limit + 1, now);
  return page_of<Mute>(rows, limit, scope, cursors, [](const storage::Row& row) {
    return Mute{std::string(row.text(1)), row.optional_time(2), row.time(3), row.time(4)};
  });
}

}  // namespace chat::users
