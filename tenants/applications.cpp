#include "tenants/applications.h"

#include <algorithm>

#include "platform/base/error.h"
#include "tenants/applications.sql.h"
#include "tenants/directory.h"

namespace chat::tenants {
namespace {

constexpr std::string_view kApplication = "application";
constexpr std::size_t kMaxTypes = 100;

/// Those that PostgreSQL 15 comes with; `simple` takes every word as it is.
const std::vector<std::string> kSearchLanguages{
    "off",     "simple",    "arabic",  "armenian",   "basque",     "catalan",   "danish",   "dutch",   "english",   "finnish",
    "french",  "german",    "greek",   "hindi",      "hungarian",  "indonesian", "irish",   "italian", "lithuanian", "nepali",
    "norwegian", "portuguese", "romanian", "russian", "serbian", "spanish", "swedish", "tamil", "turkish", "yiddish"};

ApplicationRow read(const storage::Row& row) {
  return {AppId{row.uuid(0)},          std::string(row.text(1)), parse_status(row.text(2)), std::string(row.text(3)),
          std::string(row.text(4)),    std::string(row.text(5)), std::string(row.text(6)),  row.time(7),
          row.time(8)};
}

Error no_such_plan(const std::string& plan, std::string pointer) {
  return invalid_field(std::move(pointer), "No such plan: " + plan + ". See `chatctl plan list`.");
}

void check_room_for_revocation(storage::Transaction& tx, AppId app, const std::string& user_id) {
  auto count = tx.query(sql::count_revocations, app, user_id)[0].integer(0);
  if (count >= static_cast<std::int64_t>(kMaxRevocations))
    throw Error(Code::limit_reached, "Too many users are revoked or deactivated; revoke the application's tokens instead.");
}

/// Who reaches whom is another question afterwards.
bool changes_reach(const std::string& before, const std::string& after) {
  const auto was = parse_settings(before), is = parse_settings(after);
  return was.teams != is.teams || (is.teams && was.cross_team != is.cross_team);
}

/// Media types, as `image/png` or `image/*`.
void check_types(json::Fields& fields, const char* name) {
  auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view("+-./*").find(c) != std::string_view::npos; };
  const auto types = fields.find_texts(name, kMaxTypes, {.min_bytes = 3, .max_bytes = 100}).value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < types.size(); ++i)
    if (std::count(types[i].begin(), types[i].end(), '/') != 1 || !std::all_of(types[i].begin(), types[i].end(), allowed))
      fields.mistake_at(std::string(name) + "/" + std::to_string(i), "Must be a media type in small letters: image/png, or image/* for all of a kind.");
}

}  // namespace

AppId create_application(storage::Transaction& tx, const NewApplication& wanted, Timestamp now) {
  AppId app = AppId::make(now);
  tx.enter(app);
  if (!tx.find(sql::insert_application, app, wanted.name, wanted.plan_id, wanted.settings_json, now))
    throw no_such_plan(wanted.plan_id, "#/plan");
  tx.run(sql::insert_first_channel_types, app, now);
  return app;
}

AppId resolve_application(storage::Transaction& tx, const std::string& ref) {
  std::optional<AppId> app = AppId::parse(ref);
  if (!app) app = app_of_api_key(ref);
  if (!app) {
    auto named = tx.query(sql::find_by_name, ref);
    if (named.size() > 1) throw Error(Code::conflict, "Several applications have this name; say the app_id.");
    if (named.empty()) throw not_found(kApplication);
    app = AppId{named[0].uuid(0)};
  }
  tx.enter(*app);
  return *app;
}

ApplicationRow get_application(storage::Transaction& tx, AppId app) {
  tx.enter(app);
  auto rows = tx.find(sql::get_application, app);
  if (!rows) throw not_found(kApplication);
  return read((*rows)[0]);
}

storage::Page<ApplicationRow> list_applications(storage::Transaction& tx, const std::optional<std::string>& status,
                                                int limit, const std::optional<std::string>& cursor,
                                                const storage::Cursors& cursors) {
  const std::string scope = "operator|applications|" + status.value_or("");
  std::optional<std::string> after;
  if (cursor) after = cursors.open(scope, *cursor, "query:next").at(0);
  auto rows = tx.query(sql::list_applications, after, status, limit + 1);
  storage::Page<ApplicationRow> page;
  for (auto row : rows) {
    if (static_cast<int>(page.items.size()) == limit) {
      page.next = cursors.seal(scope, {page.items.back().id.text()});
      break;
    }
    page.items.push_back(read(row));
  }
  return page;
}

void update_application(storage::Transaction& tx, bus::Bus& bus, AppId app, const ApplicationChange& change, Timestamp now) {
  if (change.plan_id && !tx.find(sql::plan_exists, *change.plan_id)) throw no_such_plan(*change.plan_id, "#/set/plan");
  const bool moves_teams = change.settings_json && changes_reach(get_application(tx, app).settings_json, *change.settings_json);
  if (!tx.find(sql::update_application, app, change.name, change.plan_id, change.settings_json, change.limits_json, now))
    throw not_found(kApplication);
  announce_change(tx, bus, app, moves_teams ? "teams" : "");
}

void set_status(storage::Transaction& tx, bus::Bus& bus, AppId app, Status status, const std::string& reason, Timestamp now) {
  auto rows = tx.find(sql::lock_status, app);
  if (!rows) throw not_found(kApplication);
  Status current = parse_status((*rows)[0].text(0));
  if (current == Status::deleted) throw Error(Code::conflict, "This application is deleted and can't come back.");
  if (current == status) return;
  tx.run(sql::set_status, app, word(status), reason, now);
  announce_change(tx, bus, app, std::string(word(status)));
}

void revoke_application_tokens(storage::Transaction& tx, bus::Bus& bus, AppId app, Timestamp before) {
  tx.run(sql::revoke_application, app, before);
  announce_change(tx, bus, app, "revoked " + format_time(before));
}

void revoke_user_tokens(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& user_id, Timestamp before) {
  check_room_for_revocation(tx, app, user_id);
  tx.run(sql::revoke_user, app, user_id, before);
  announce_change(tx, bus, app, "user_revoked " + format_time(before) + " " + user_id);
}

void set_user_deactivated(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& user_id,
                          bool deactivated, Timestamp now) {
  check_room_for_revocation(tx, app, user_id);
  tx.run(sql::set_user_deactivated, app, user_id, now, deactivated);
  announce_change(tx, bus, app, (deactivated ? "user_deactivated " : "user_reactivated ") + format_time(now) + " " + user_id);
}

void set_user_ban(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& user_id,
                  std::optional<Timestamp> until, Timestamp now) {
  check_room_for_revocation(tx, app, user_id);
  tx.run(sql::set_user_ban, app, user_id, until);
  announce_change(tx, bus, app, (until ? "user_banned " : "user_unbanned ") + format_time(now) + " " + user_id);
}

std::string check_settings(const json::Value& settings, const std::string& pointer) {
  json::Fields fields(settings, pointer);
  for (const char* name : {"outbox", "guests", "unique_usernames", "unique_emails", "teams"}) fields.find_boolean(name);
  fields.find_word("search_language", kSearchLanguages);
  fields.find_word("cross_team", {"off", "users", "channels", "all"});
  for (const char* name : {"upload_types", "blocked_upload_types"}) check_types(fields, name);
  fields.finish();
  return settings.raw();
}

std::string application_json(const ApplicationRow& application) {
  json::Writer out;
  out.object()
      .field("app_id", application.id.wire())
      .field("name", application.name)
      .field("status", word(application.status));
  if (!application.status_reason.empty()) out.field("status_reason", application.status_reason);
  out.field("plan", application.plan_id)
      .key("settings").raw(application.settings_json)
      .key("limits").raw(application.limits_json)
      .field("api_key", api_key_of(application.id))
      .key("created_at").time(application.created_at)
      .key("updated_at").time(application.updated_at)
      .end();
  return out.take();
}

}  // namespace chat::tenants
