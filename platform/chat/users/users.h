#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/base/error.h"
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
  std::optional<std::string> username, email, bio;
  std::string type = "regular";                // regular | anonymous | guest
  bool invisible = false;                      // others are not told when this user was here
  std::optional<Timestamp> messages_hidden_at; // its messages are shown without their content since then
  std::string teams = "{}";                    // {"red": "lead", "blue": null}: the role in each
};
/// `whole`: as the user itself and servers see it. Others see no email, no teams, not that it is invisible, and of an
/// invisible one not when it was last active.
std::string user_json(const User& user, bool whole);

inline constexpr std::size_t kMaxCustomBytes = 5 * 1024;   // minified; the same for every `custom` of the product
inline constexpr std::size_t kMaxBatch = 100;
inline constexpr std::size_t kMaxTeams = 100;              // of one user

/// What a caller wants a user to be; absent members keep their value.
struct UserInput {
  std::string user_id;
  std::optional<std::string> name, image, role, custom, username, email, bio, type;
  std::optional<bool> invisible;
  std::optional<std::string> teams;            // as User has them; whole
  std::optional<Error> refusal = {};           // it was refused already, and changes nothing
};

/// Creates or changes users. Each item stands alone: a refused one changes nothing and refuses no other.
///
/// Shape:   one result per item, in order; at most kMaxBatch items, no user twice.
/// Errors:  of items: conflict (the user was deleted; its id can't come back); already_exists (the application wants usernames or
///          emails unique, and another user, or an earlier item, has this one); not_found (a team)
/// Event:   user.updated to each changed user.
/// Cost:    one statement; two more where names are unique; four more and one per moved user where teams are given.
struct UpsertResult {
  std::optional<Error> refusal;
  bool created = false;
  User user;                                   // when not refused
};
std::vector<UpsertResult> upsert_users(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller,
                                       const std::vector<UserInput>& inputs, Timestamp now);

/// Errors:  not_found. A deleted user is shown with its deleted_at; a hard deleted one without its profile.
User get_user(storage::Transaction& tx, const std::string& user_id);
/// The same through the caller's eyes: a user out of reach is a missing one.
User see_user(storage::Transaction& tx, const tenants::Caller& caller, const std::string& user_id);

/// The server's own ids of users by the customer's; those who are missing, deleted or out of the viewer's reach are left out.
/// `viewer`: whose teams count (a user_id); empty: everybody is in reach.
struct FoundUser {
  std::string user_id;
  UserId id;
  std::string type;                            // regular | guest | anonymous
};
std::vector<FoundUser> find_users(storage::Transaction& tx, const std::vector<std::string>& user_ids, const std::string& viewer = "");
/// Of those, who may be in a channel of this team.
std::vector<FoundUser> find_candidates(storage::Transaction& tx, const std::vector<std::string>& user_ids, const std::string& viewer,
                                       const std::optional<std::string>& team, bool cross_team);

/// set/unset of the profile. A user may change itself, but not its role, type or teams.
struct UserChange {
  UserInput set;
  std::vector<std::string> unset;              // name | image | username | email | bio | custom | custom.<key>
};
/// Errors:  not_found; forbidden; already_exists (as above)
/// Event:   user.updated to the user
User update_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                 const UserChange& change, Timestamp now);

/// A deactivated user's tokens and sockets are dead until reactivated; with `hide_messages` its messages are shown without
/// their content until then, too. Twice changes nothing.
/// Errors:  not_found; limit_reached (kMaxRevocations users stand revoked or deactivated)
/// Event:   user.deactivated, user.reactivated
User deactivate_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                     bool hide_messages, Timestamp now);
User reactivate_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                     Timestamp now);

/// What becomes of a deleted user's messages. `hide`: shown without their content; `erase`: a job removes it.
enum class MessagesFate { keep, hide, erase };
struct Deletion {
  bool hard = false;                           // the profile is emptied, too
  MessagesFate messages = MessagesFate::keep;
  std::optional<std::string> new_owner;        // of the channels that the user owns, where it is a member
};
/// The user can't come in any more and its user_id never comes back. A job passes on the channels that it owns (channels/ownership.h).
/// Errors:  not_found (also `new_owner`); limit_reached (as above)
/// Event:   user.deleted
void delete_user(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, const Deletion& how, Timestamp now);

/// Filter: user_id username name role type created_at updated_at last_active_at deactivated, and for servers email invisible teams.
/// Sort: created_at updated_at name user_id.
const storage::Listing& listing(bool for_server);
/// A server sees everybody; a user whom it reaches.
/// Cost:    where teams are apart, by the size of the user's teams, not of the application.
storage::Page<User> query_users(storage::Transaction& tx, const tenants::Caller& caller, const storage::ListRequest& request,
                                const storage::Cursors& cursors);

/// Users of whom a word begins with what was typed: user_id, username, name, or a word of the name; case and width don't count.
/// In the order of the word that was met first. Deleted and deactivated ones are not found; nor are those who block the viewer
/// or whom it blocks, or whom it does not reach. `viewer` empty: a server, which finds everybody.
/// Cost:    a range of an index, whatever the number of users.
storage::Page<User> search_users(storage::Transaction& tx, const std::string& viewer, const std::string& typed, int limit,
                                 const std::optional<std::string>& cursor, const storage::Cursors& cursors);

}  // namespace chat::users
