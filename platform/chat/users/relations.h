#pragma once
#include <optional>
#include <string>

#include "platform/bus/feed.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"
#include "tenants/auth.h"

/// What one user wants of another: nothing any more (a block), or no noise (a mute).
/// A user acts for itself; a server for anybody. Errors of all: forbidden (another's); not_found (no such user).
namespace chat::users {

inline constexpr int kMaxRelations = 1'000;    // blocks of one user, and mutes of one user

/// Neither of two users can write to the other in their direct channel (the distinct one of just these two), and both lose sight
/// of it and of each other in searches. Nobody is told but the one who blocks.
struct Block {
  std::string target_id;
  Timestamp created_at;
};
std::string block_json(const Block& block);

/// Twice changes nothing. Errors: invalid_field #/target_id (oneself); limit_reached
/// Event:   user.blocked to the one who blocks
/// Cost:    looks at the channels of the one who blocks, to find the direct one.
Block block_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                 const std::string& target_id, Timestamp now);
/// Errors:  not_found (not blocked)
/// Event:   user.unblocked
void unblock_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                  const std::string& target_id, Timestamp now);
/// By target, 1..limit a page.
storage::Page<Block> list_blocks(storage::Transaction& tx, const tenants::Caller& caller, const std::string& user_id, int limit,
                                 const std::optional<std::string>& cursor, const storage::Cursors& cursors);

/// The target's messages arrive as ever; the one who mutes is not notified of them. Over when `expires_at` is.
struct Mute {
  std::string target_id;
  std::optional<Timestamp> expires_at;         // absent: until it is lifted
  Timestamp created_at, updated_at;
};
std::string mute_json(const Mute& mute);

/// Again: takes the new end. Errors: invalid_field #/target_id (oneself), #/expires_at (past); limit_reached
/// Event:   user.muted to the one who mutes
Mute mute_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
               const std::string& target_id, std::optional<Timestamp> expires_at, Timestamp now);
/// Errors:  not_found (not muted)
/// Event:   user.unmuted
void unmute_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                 const std::string& target_id, Timestamp now);
storage::Page<Mute> list_mutes(storage::Transaction& tx, const tenants::Caller& caller, const std::string& user_id, int limit,
                               const std::optional<std::string>& cursor, const storage::Cursors& cursors, Timestamp now);

}  // namespace chat::users
