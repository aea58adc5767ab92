#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/storage/listing.h"
#include "platform/storage/transaction.h"
#include "tenants/auth.h"

/// The customers' end users: their profiles, and when they may come in.
namespace chat::users {

struct User {
  std::string user_id;                         // the customer's own id
  std::optional<std::string> name, image;
  std::string role = "user";                   // user | moderator | admin
  std::string custom = "{}";                   // JSON object, <= kMaxCustomBytes
  Timestamp created_at, updated_at;
  std::optional<Timestamp> deactivated_at, deleted_at, last_active_at;
};
std::string user_json(const User& user);

inline constexpr std::size_t kMaxCustomBytes = 5 * 1024;   // minified; the same for every `custom` of the product
inline constexpr std::size_t kMaxBatch = 100;

/// What a caller wants a user to be; absent members keep their value.
struct UserInput {
  std::string user_id;
  std::optional<std::string> name, image, role, custom;
};

/// Creates or changes users. Each item stands alone: a refused one changes nothing and refuses no other.
///
/// Shape:   one result per item, in order; at most kMaxBatch items, no user twice.
/// Errors:  of items: conflict (the user was deleted; its id can't come back)
/// Event:   user.updated to each changed user.
/// Cost:    one statement.
struct UpsertResult {
  bool refused = false;
  bool created = false;
  User user;                                   // when not refused
};
std::vector<UpsertResult> upsert_users(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller,
                                       const std::vector<UserInput>& inputs, Timestamp now);

/// Errors:  not_found. A deleted user is shown with its deleted_at; a hard deleted one without its profile.
User get_user(storage::Transaction& tx, const std::string& user_id);

/// The server's own ids of users by the customer's; those who are missing or deleted are left out.
struct FoundUser {
  std::string user_id;
  UserId id;
};
std::vector<FoundUser> find_users(storage::Transaction& tx, const std::vector<std::string>& user_ids);

/// set/unset of name, image, role, custom and custom.<key>. A user may change itself, but not its role.
struct UserChange {
  UserInput set;
  std::vector<std::string> unset;              // name | image | custom | custom.<key>
};
/// Errors:  not_found; forbidden
/// Event:   user.updated to the user
User update_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                 const UserChange& change, Timestamp now);

/// A deactivated user's tokens and sockets are dead until reactivated. Twice changes nothing.
/// Errors:  not_found; limit_reached (kMaxRevocations users stand revoked or deactivated)
/// Event:   user.deactivated, user.reactivated
User set_deactivated(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                     bool deactivated, Timestamp now);

/// Soft: the user can't come in, the messages stay under its name. Hard: the profile is emptied at once and a job
/// erases the content of all its messages. The user_id never comes back.
/// Errors:  not_found; limit_reached (as above)
/// Event:   user.deleted
void delete_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                 bool hard, Timestamp now);

/// Filter: user_id name role created_at updated_at last_active_at deactivated. Sort: created_at updated_at name user_id.
const storage::Listing& listing();
storage::Page<User> query_users(storage::Transaction& tx, const storage::ListRequest& request, const storage::Cursors& cursors);

}  // namespace chat::users
