#include "platform/chat/users/users.h"

#include <map>
#include <unordered_map>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/users/read_row.h"
#include "platform/chat/users/search.sql.h"
#include "platform/chat/users/teams_of_users.h"
#include "platform/chat/users/tell.h"
#include "platform/chat/users/users.sql.h"
#include "platform/chat/users/users_events.h"
#include "tenants/applications.h"

namespace chat::users {
namespace {

using storage::ListField;
using storage::FieldType;

std::string user_data(const User& user) {
  json::Writer out;
  out.object().key("user").raw(user_json(user, true)).end();
  return out.take();
}

void add(text::ArrayLiteral& array, const std::optional<std::string>& value) {
  if (value) array.add(*value);
  else array.add_null();
}

/// Arrays of one batch, in the statement's order.
struct Columns {
  text::ArrayLiteral ids, user_ids, names, images, roles, customs, usernames, emails, bios, types, invisible, teams;

  void add_user(const UserInput& input, Timestamp now) {
    ids.add(UserId::make(now).text());
    user_ids.add(input.user_id);
    add(names, input.name);
    add(images, input.image);
    add(roles, input.role);
    add(customs, input.custom);
    add(usernames, input.username);
    add(emails, input.email);
    add(bios, input.bio);
    add(types, input.type);
    add(invisible, input.invisible ? std::optional<std::string>(*input.invisible ? "t" : "f") : std::nullopt);
    add(teams, input.teams);
  }
};

/// Who asks for a name that is taken, and which one. Holds the names asked for until the end of the transaction, so that of
/// two who ask at once the second sees the first.
std::map<std::string, std::string> taken_names(storage::Transaction& tx, const tenants::Caller& caller,
                                               const std::vector<UserInput>& inputs) {
  const auto& settings = caller.application().settings;
  text::ArrayLiteral user_ids, usernames, emails;
  bool any = false;
  for (const auto& input : inputs) {
    const bool username = settings.unique_usernames && input.username, email = settings.unique_emails && input.email;
    any |= username || email;
    user_ids.add(input.user_id);
    add(usernames, username ? input.username : std::nullopt);
    add(emails, email ? input.email : std::nullopt);
  }
  std::map<std::string, std::string> taken;
  if (!any) return taken;
  const auto wanted_usernames = usernames.take(), wanted_emails = emails.take();
  tx.query(sql::lock_names, tx.app(), wanted_usernames, wanted_emails);
  auto rows = tx.query(sql::find_taken_names, tx.app(), user_ids.take(), wanted_usernames, wanted_emails);
  for (auto row : rows) taken.try_emplace(std::string(row.text(0)), row.text(1));
  return taken;
}

Error taken(const std::string& field, const std::string& pointer) {
  return Error(Code::already_exists, "Another user of this application has this " + field + ".", {{pointer + field, "Taken."}});
}

std::string array_of(const std::vector<std::string>& texts) {
  text::ArrayLiteral array;
  for (const auto& text : texts) array.add(text);
  return array.take();
}

std::vector<FoundUser> read_found(const storage::Rows& rows) {
  std::vector<FoundUser> found;
  for (auto row : rows) found.push_back({std::string(row.text(0)), UserId{row.uuid(1)}, std::string(row.text(2))});
  return found;
}

/// After whatever changes what a user is found by.
void keep_words(storage::Transaction& tx, const std::string& user_id) {
  text::ArrayLiteral user_ids;
  user_ids.add(user_id);
  tx.run(sql::keep_words, tx.app(), user_ids.take());
}

struct Locked {
  UserId id;
  bool deactivated, hidden;
};
Locked lock_user(storage::Transaction& tx, const std::string& user_id) {
  auto rows = tx.find(sql::lock_user, tx.app(), user_id);
  if (!rows) throw not_found("user");
  auto row = (*rows)[0];
  return {UserId{row.uuid(0)}, row.boolean(1), row.boolean(2)};
}

}  // namespace

User read_user(const storage::Row& row, int at) {
  return {std::string(row.text(at)), row.optional_text(at + 1), row.optional_text(at + 2), std::string(row.text(at + 3)),
          std::string(row.text(at + 4)), row.time(at + 5), row.time(at + 6), row.optional_time(at + 7),
          row.optional_time(at + 8), row.optional_time(at + 9), row.optional_text(at + 10), row.optional_text(at + 11),
          row.optional_text(at + 12), std::string(row.text(at + 13)), row.boolean(at + 14), row.optional_time(at + 15), std::string(row.text(at + 16))};
}

std::string user_json(const User& user, bool whole) {
  json::Writer out;
  out.object()
      .field("user_id", user.user_id)
      .optional_field("name", user.name)
      .optional_field("username", user.username)
      .optional_field("image", user.image)
      .optional_field("bio", user.bio)
      .field("type", user.type)
      .field("role", user.role)
      .key("custom").raw(user.custom)
      .key("created_at").time(user.created_at)
      .key("updated_at").time(user.updated_at)
      .optional_time("deactivated_at", user.deactivated_at)
      .optional_time("deleted_at", user.deleted_at);
  if (whole || !user.invisible) out.optional_time("last_active_at", user.last_active_at);
  if (whole)
    out.optional_field("email", user.email)
        .key("invisible").boolean(user.invisible)
        .optional_time("messages_hidden_at", user.messages_hidden_at);
  if (whole) write_teams(out, user.teams);
  out.end();
  return out.take();
}

std::vector<UpsertResult> upsert_users(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller,
                                       const std::vector<UserInput>& inputs, Timestamp now) {
  const auto taken_by = taken_names(tx, caller, inputs);
  TeamMoves moves(tx, inputs);
  Columns columns;
  for (const auto& input : inputs)
    if (!input.refusal && !taken_by.contains(input.user_id) && !moves.refusal_of(input, "")) columns.add_user(input, now);
  const auto user_ids = columns.user_ids.take();
  auto rows = tx.query(sql::upsert_users, caller.app(), columns.ids.take(), user_ids, columns.names.take(),
                       columns.images.take(), columns.roles.take(), columns.customs.take(), now, columns.usernames.take(),
                       columns.emails.take(), columns.bios.take(), columns.types.take(), columns.invisible.take(), columns.teams.take());
  tx.run(sql::keep_words, caller.app(), user_ids);
  moves.keep(tx, bus, user_ids);
  std::unordered_map<std::string, UpsertResult> by_user;
  for (auto row : rows) by_user[std::string(row.text(0))] = {std::nullopt, row.boolean(kUserColumns), read_user(row)};
  std::vector<UpsertResult> results;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto& user_id = inputs[i].user_id;
    if (inputs[i].refusal) {
      results.push_back({inputs[i].refusal, false, {}});
      continue;
    }
    if (auto field = taken_by.find(user_id); field != taken_by.end()) {
      results.push_back({taken(field->second, "#/users/" + std::to_string(i) + "/"), false, {}});
      continue;
    }
    if (auto refusal = moves.refusal_of(inputs[i], "#/users/" + std::to_string(i) + "/")) {
      results.push_back({std::move(refusal), false, {}});
      continue;
    }
    auto found = by_user.find(user_id);
    if (found == by_user.end()) {
      results.push_back({Error(Code::conflict, "This user was deleted; its id can't come back."), false, {}});
      continue;
    }
    if (!found->second.created) tell(tx, bus, kUserUpdated, user_id, user_data(found->second.user), now);
    results.push_back(found->second);
  }
  return results;
}

User get_user(storage::Transaction& tx, const std::string& user_id) {
  auto rows = tx.find(sql::get_user, tx.app(), user_id);
  if (!rows) throw not_found("user");
  return read_user((*rows)[0]);
}

User see_user(storage::Transaction& tx, const tenants::Caller& caller, const std::string& user_id) {
  if (caller.is_server()) return get_user(tx, user_id);
  auto rows = tx.find(sql::see_user, tx.app(), user_id, caller.user_id());
  if (!rows) throw not_found("user");
  return read_user((*rows)[0]);
}

std::vector<FoundUser> find_users(storage::Transaction& tx, const std::vector<std::string>& user_ids, const std::string& viewer) {
  return read_found(tx.query(sql::find_users, tx.app(), array_of(user_ids), viewer));
}

std::vector<FoundUser> find_candidates(storage::Transaction& tx, const std::vector<std::string>& user_ids, const std::string& viewer,
                                       const std::optional<std::string>& team, bool cross_team) {
  return read_found(tx.query(sql::find_candidates, tx.app(), array_of(user_ids), viewer, team, cross_team));
}

User update_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                 const UserChange& change, Timestamp now) {
  if (!caller.is_server() && caller.user_id() != user_id) throw forbidden("A user may change only its own profile.");
  if (!caller.is_server() && (change.set.role || change.set.type || change.set.teams))
    throw forbidden("Only a server token may change a user's role, type or teams.");
  UserInput wanted = change.set;
  wanted.user_id = user_id;
  const auto taken_by = taken_names(tx, caller, {wanted});
  if (!taken_by.empty()) throw taken(taken_by.begin()->second, "#/set/");
  TeamMoves moves(tx, {wanted});
  if (auto refusal = moves.refusal_of(wanted, "#/set/")) throw std::move(*refusal);
  text::ArrayLiteral members, keys;
  for (const auto& name : change.unset) {
    if (name.starts_with("custom.")) keys.add(name.substr(7));
    else members.add(name);
  }
  auto rows = tx.find(sql::update_user, tx.app(), user_id, change.set.name, change.set.image, change.set.role,
                      change.set.custom, members.take(), keys.take(), now, change.set.username, change.set.email,
                      change.set.bio, change.set.type, change.set.invisible, change.set.teams);
  if (!rows) throw not_found("user");
  User user = read_user((*rows)[0]);
  if (user.custom.size() > kMaxCustomBytes + 1024)
    throw invalid_field("#/set/custom", "The user's custom data would exceed 5 KiB.");
  keep_words(tx, user_id);
  moves.keep(tx, bus, array_of({user_id}));
  tell(tx, bus, kUserUpdated, user_id, user_data(user), now);
  return user;
}

User deactivate_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                     bool hide_messages, Timestamp now) {
  const auto locked = lock_user(tx, user_id);
  User user = get_user(tx, user_id);
  const bool hides = hide_messages && !locked.hidden;
  if (locked.deactivated && !hides) return user;
  if (!locked.deactivated) tenants::set_user_deactivated(tx, bus, caller.app(), user_id, true, now);
  tx.run(sql::set_deactivated, tx.app(), user_id, user.deactivated_at.value_or(now),
         hides ? std::optional<Timestamp>(now) : user.messages_hidden_at, now);
  keep_words(tx, user_id);
  user = get_user(tx, user_id);
  tell(tx, bus, kUserDeactivated, user_id, user_data(user), now);
  return user;
}

User reactivate_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                     Timestamp now) {
  if (!lock_user(tx, user_id).deactivated) return get_user(tx, user_id);
  tenants::set_user_deactivated(tx, bus, caller.app(), user_id, false, now);
  tx.run(sql::set_deactivated, tx.app(), user_id, std::nullopt, std::nullopt, now);
  keep_words(tx, user_id);
  User user = get_user(tx, user_id);
  tell(tx, bus, kUserReactivated, user_id, user_data(user), now);
  return user;
}

void delete_user(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, const Deletion& how, Timestamp now) {
  const auto id = lock_user(tx, user_id).id;
  if (how.new_owner && (*how.new_owner == user_id || find_users(tx, {*how.new_owner}).empty()))
    throw Error(Code::not_found, "No such user: " + *how.new_owner + ".", {{"query:new_owner", "No such user, or the deleted one itself."}});
  tx.run(sql::request_handover, tx.app(), id, how.new_owner, now);
  tx.run(sql::delete_user, tx.app(), user_id, how.hard, how.messages != MessagesFate::keep, now);
  const bool erase = how.messages == MessagesFate::erase;
  if (how.hard) tx.run(sql::forget_invitations, tx.app(), id);
  if (how.hard) tx.run(sql::forget_campaign_data, tx.app(), id);
  if (how.hard || erase) tx.run(sql::request_erasure, tx.app(), id, now, erase);
  keep_words(tx, user_id);
  keep_teams(tx, array_of({user_id}));
  tenants::set_user_deactivated(tx, bus, tx.app(), user_id, true, now);
  json::Writer out;
  out.object().field("user_id", user_id).key("hard").boolean(how.hard).end();
  tell(tx, bus, kUserDeleted, user_id, out.take(), now);
}

namespace {

enum class Whose { servers, users, teammates };

constexpr std::string_view kInTeams = "exists (select 1 from user_teams t where t.app_id = u.app_id and t.user_id = u.id and t.team_id = any (%))";

const storage::Listing& listing_of(Whose whose) {
  static const std::vector<ListField> fields{{"created_at", "u.created_at", FieldType::time, true},
                                             {"updated_at", "u.updated_at", FieldType::time, true},
                                             {"name", "coalesce(u.name, '')", FieldType::text, true},
                                             {"user_id", "u.user_id", FieldType::text, true},
                                             {"username", "u.username", FieldType::text},
                                             {"role", "u.role", FieldType::text},
                                             {"type", "u.type", FieldType::text},
                                             {"deactivated", "(u.deactivated_at is not null)", FieldType::boolean}};
  auto with = [](std::vector<ListField> more) {
    more.insert(more.begin(), fields.begin(), fields.end());
    return more;
  };
  static const storage::Listing of_servers(sql::query_users, "u.id",
                                           with({{"last_active_at", "u.last_active_at", FieldType::time},
                                                 {"email", "u.email", FieldType::text},
                                                 {"invisible", "u.invisible", FieldType::boolean},
                                                 {.name = "teams", .column = "", .type = FieldType::text, .sortable = false, .any_of = kInTeams}}));
  static const auto of_users = with({{"last_active_at", "(case when not u.invisible then u.last_active_at end)", FieldType::time}});
  static const storage::Listing of_all(sql::query_users, "u.id", of_users), of_teammates(sql::query_teammates, "u.id", of_users);
  return whose == Whose::servers ? of_servers : whose == Whose::users ? of_all : of_teammates;
}

}  // namespace

const storage::Listing& listing(bool for_server) { return listing_of(for_server ? Whose::servers : Whose::users); }

storage::Page<User> query_users(storage::Transaction& tx, const tenants::Caller& caller, const storage::ListRequest& request,
                                const storage::Cursors& cursors) {
  const std::string viewer = caller.is_server() ? "" : caller.user_id();
  const auto& settings = caller.application().settings;
  const bool apart = settings.teams && settings.cross_team != "users" && settings.cross_team != "all";
  const bool by_team = !viewer.empty() && apart && tx.find(sql::is_in_teams, tx.app(), viewer);
  const auto whose = viewer.empty() ? Whose::servers : by_team ? Whose::teammates : Whose::users;
  return listing_of(whose).page<User>(tx, storage::Params::of(tx.app(), viewer), request, cursors,
                                      [](const storage::Row& row) { return read_user(row, 1); });
}

}  // namespace chat::users
