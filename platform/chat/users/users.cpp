#include "platform/chat/users/users.h"

#include <unordered_map>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/users/users.sql.h"
#include "platform/chat/users/users_events.h"
#include "tenants/applications.h"

namespace chat::users {
namespace {

using storage::ListField;
using storage::FieldType;

User read(const storage::Row& row, int at = 0) {
  return {std::string(row.text(at)), row.optional_text(at + 1), row.optional_text(at + 2), std::string(row.text(at + 3)),
          std::string(row.text(at + 4)), row.time(at + 5), row.time(at + 6), row.optional_time(at + 7),
          row.optional_time(at + 8), row.optional_time(at + 9)};
}

void tell(storage::Transaction& tx, bus::Bus& bus, std::string_view type, const std::string& user_id, std::string data,
          Timestamp now) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = tx.app();
  event.type = type;
  event.reach = bus::Reach::user;
  event.user_id = user_id;
  event.created_at = now;
  event.data = std::move(data);
  bus::emit(tx, bus, std::move(event));
}

std::string user_data(const User& user) {
  json::Writer out;
  out.object().key("user").raw(user_json(user)).end();
  return out.take();
}

/// Arrays of one batch, in the statement's order.
struct Columns {
  text::ArrayLiteral ids, user_ids, names, images, roles, customs;
  static void add(text::ArrayLiteral& array, const std::optional<std::string>& value) {
    if (value) array.add(*value);
    else array.add_null();
  }
};

std::pair<UserId, bool> lock_user(storage::Transaction& tx, const std::string& user_id) {
  auto rows = tx.find(sql::lock_user, tx.app(), user_id);
  if (!rows) throw not_found("user");
  return {UserId{(*rows)[0].uuid(0)}, (*rows)[0].boolean(1)};
}

}  // namespace

std::string user_json(const User& user) {
  json::Writer out;
  out.object()
      .field("user_id", user.user_id)
      .optional_field("name", user.name)
      .optional_field("image", user.image)
      .field("role", user.role)
      .key("custom").raw(user.custom)
      .key("created_at").time(user.created_at)
      .key("updated_at").time(user.updated_at)
      .optional_time("deactivated_at", user.deactivated_at)
      .optional_time("deleted_at", user.deleted_at)
      .optional_time("last_active_at", user.last_active_at)
      .end();
  return out.take();
}

std::vector<UpsertResult> upsert_users(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller,
                                       const std::vector<UserInput>& inputs, Timestamp now) {
  Columns columns;
  for (const auto& input : inputs) {
    columns.ids.add(UserId::make(now).text());
    columns.user_ids.add(input.user_id);
    Columns::add(columns.names, input.name);
    Columns::add(columns.images, input.image);
    Columns::add(columns.roles, input.role);
    Columns::add(columns.customs, input.custom);
  }
  auto rows = tx.query(sql::upsert_users, caller.app(), columns.ids.take(), columns.user_ids.take(), columns.names.take(),
                       columns.images.take(), columns.roles.take(), columns.customs.take(), now);
  std::unordered_map<std::string, UpsertResult> by_user;
  for (auto row : rows) by_user[std::string(row.text(0))] = {false, row.boolean(10), read(row)};
  std::vector<UpsertResult> results;
  for (const auto& input : inputs) {
    auto found = by_user.find(input.user_id);
    results.push_back(found == by_user.end() ? UpsertResult{.refused = true, .created = false, .user = {}} : found->second);
    if (found != by_user.end() && !found->second.created)
      tell(tx, bus, kUserUpdated, input.user_id, user_data(found->second.user), now);
  }
  return results;
}

User get_user(storage::Transaction& tx, const std::string& user_id) {
  auto rows = tx.find(sql::get_user, tx.app(), user_id);
  if (!rows) throw not_found("user");
  return read((*rows)[0]);
}

std::vector<FoundUser> find_users(storage::Transaction& tx, const std::vector<std::string>& user_ids) {
  text::ArrayLiteral wanted;
  for (const auto& user_id : user_ids) wanted.add(user_id);
  std::vector<FoundUser> found;
  auto rows = tx.query(sql::find_users, tx.app(), wanted.take());
  for (auto row : rows) found.push_back({std::string(row.text(0)), UserId{row.uuid(1)}});
  return found;
}

User update_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                 const UserChange& change, Timestamp now) {
  if (!caller.is_server() && caller.user_id() != user_id) throw forbidden("A user may change only its own profile.");
  if (!caller.is_server() && change.set.role) throw forbidden("Only a server token may change a user's role.");
  text::ArrayLiteral members, keys;
  for (const auto& name : change.unset) {
    if (name.starts_with("custom.")) keys.add(name.substr(7));
    else members.add(name);
  }
  auto rows = tx.find(sql::update_user, tx.app(), user_id, change.set.name, change.set.image, change.set.role,
                      change.set.custom, members.take(), keys.take(), now);
  if (!rows) throw not_found("user");
  User user = read((*rows)[0]);
  if (user.custom.size() > kMaxCustomBytes + 1024)
    throw invalid_field("#/set/custom", "The user's custom data would exceed 5 KiB.");
  tell(tx, bus, kUserUpdated, user_id, user_data(user), now);
  return user;
}

User set_deactivated(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                     bool deactivated, Timestamp now) {
  auto [id, is_deactivated] = lock_user(tx, user_id);
  if (is_deactivated != deactivated) {
    tx.run(sql::set_deactivated, tx.app(), user_id, deactivated ? std::optional<Timestamp>(now) : std::nullopt, now);
    tenants::set_user_deactivated(tx, bus, caller.app(), user_id, deactivated, now);
    tell(tx, bus, deactivated ? kUserDeactivated : kUserReactivated, user_id, user_data(get_user(tx, user_id)), now);
  }
  return get_user(tx, user_id);
}

void delete_user(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const std::string& user_id,
                 bool hard, Timestamp now) {
  auto [id, is_deactivated] = lock_user(tx, user_id);
  tx.run(sql::delete_user, tx.app(), user_id, hard, now);
  if (hard) tx.run(sql::request_erasure, tx.app(), id, now);
  tenants::set_user_deactivated(tx, bus, caller.app(), user_id, true, now);
  json::Writer out;
  out.object().field("user_id", user_id).key("hard").boolean(hard).end();
  tell(tx, bus, kUserDeleted, user_id, out.take(), now);
}

const storage::Listing& listing() {
  static const storage::Listing list(sql::query_users, "u.id",
                                     {{"created_at", "u.created_at", FieldType::time, true},
                                      {"updated_at", "u.updated_at", FieldType::time, true},
                                      {"name", "coalesce(u.name, '')", FieldType::text, true},
                                      {"user_id", "u.user_id", FieldType::text, true},
                                      {"role", "u.role", FieldType::text},
                                      {"last_active_at", "u.last_active_at", FieldType::time},
                                      {"deactivated", "(u.deactivated_at is not null)", FieldType::boolean}});
  return list;
}

storage::Page<User> query_users(storage::Transaction& tx, const storage::ListRequest& request,
                                const storage::Cursors& cursors) {
  return listing().page<User>(tx, storage::Params::of(tx.app()), request, cursors,
                              [](const storage::Row& row) { return read(row, 1); });
}

}  // namespace chat::users
