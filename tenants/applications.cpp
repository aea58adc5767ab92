#include "tenants/applications.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "tenants/applications.sql.h"
#include "tenants/directory.h"

namespace chat::tenants {
namespace {

constexpr std::string_view kApplication = "application";
constexpr std::size_t kMaxTypes = 100;
const std::vector<std::string> kSwitches{"outbox", "guests", "unique_usernames", "unique_emails", "teams"};
const std::vector<std::string> kTypeLists{"upload_types", "blocked_upload_types"};

/// Those that PostgreSQL 15 comes with; `simple` takes every word as it is.
const std::vector<std::string> kSearchLanguages{
    "off",     "simple",    "arabic",  "armenian",   "basque",     "catalan",   "danish",   "dutch",   "english",   "finnish",
    "french",  "german",    "greek",   "hindi",      "hungarian",  "indonesian", "irish",   "italian", "lithuanian", "nepali",
    "norwegian", "portuguese", "romanian", "russian", "serbian", "spanish", "swedish", "tamil", "turkish", "yiddish"};

ApplicationRow read(const storage::Row& row) {
  return {AppId{row.uuid(0)},          std::string(row.text(1)), parse_status(row.text(2)), std::string(row.text(3)),
          std::string(row.text(4)),    std::string(row.text(5)), std::string(row.text(6)),  row.time(7),
          row.time(8),
          {row.optional_text(9), row.optional_text(10), row.optional_text(11), row.optional_text(12), row.optional_text(13)},
          row.optional_time(14)};
}

Error no_such_plan(const std::string& plan, std::string pointer) {
  return invalid_field(std::move(pointer), "No such plan: " + plan + ". See `chatctl plan list`.");
}

Error gone() { return Error(Code::conflict, "This application is deleted and can't come back."); }

/// Its status and reason, held against other changes.
std::pair<Status, std::string> lock_status(storage::Transaction& tx, AppId app) {
  tx.enter(app);
  const auto rows = tx.find(sql::lock_status, app);
  if (!rows) throw not_found(kApplication);
  return {parse_status((*rows)[0].text(0)), std::string((*rows)[0].text(1))};
}

void set_status(storage::Transaction& tx, bus::Bus& bus, AppId app, Status status, const std::string& reason, Timestamp now) {
  const auto [current, old_reason] = lock_status(tx, app);
  if (current == Status::deleted) throw gone();
  if (current == Status::deleting) throw Error(Code::conflict, "This application is about to be deleted; restore it first.");
  if (current == status && reason == old_reason) return;
  tx.run(sql::set_status, app, word(status), reason, now);
  announce_change(tx, bus, app, std::string(word(status)));
}

bool is_setting(const std::string& name) {
  auto is_in = [&](const std::vector<std::string>& names) { return std::find(names.begin(), names.end(), name) != names.end(); };
  return is_in(kSwitches) || is_in(kTypeLists) || name == "search_language" || name == "cross_team" || name == "guest_days";
}

/// The settings with `set` put over them and `unset` taken out.
std::string merge_settings(const std::string& settings, const std::optional<json::Value>& set, const std::vector<std::string>& unset) {
  const auto document = json::Document::parse(settings);
  json::Writer out;
  out.object();
  for (const auto& [name, value] : document.root().members())
    if (!(set && set->find(name)) && std::find(unset.begin(), unset.end(), name) == unset.end()) out.key(name).raw(value.raw());
  if (set)
    for (const auto& [name, value] : set->members()) out.key(name).raw(value.raw());
  out.end();
  return out.take();
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
  const auto types = fields.find_texts(name, kMaxTypes, {.min_bytes = 3, .max_bytes = 100}).value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < types.size(); ++i)
    if (!is_media_type(types[i]))
      fields.mistake_at(std::string(name) + "/" + std::to_string(i), "Must be a media type in small letters: image/png, or image/* for all of a kind.");
}

AppId insert(storage::Transaction& tx, const NewApplication& wanted, Timestamp now) {
  const AppId app = AppId::make(now);
  tx.enter(app);
  const auto& where = wanted.belonging;
  if (!tx.find(sql::insert_application, app, wanted.name, wanted.plan_id, wanted.settings_json, now, where.organisation, where.environment,
               where.region, where.placement_json, where.contacts_json))
    throw no_such_plan(wanted.plan_id, "#/plan");
  return app;
}

std::string labels_json(json::Fields& fields) {
  const auto labels = fields.find_object("placement");
  if (!labels) return "{}";
  const auto members = labels->members();
  if (members.size() > kMaxLabels) fields.mistake("placement", "At most 20 labels.");
  for (const auto& [name, value] : members)
    if (name.empty() || name.size() > 64 || value.kind() != json::Kind::text || value.text().empty() || value.text().size() > 255)
      fields.mistake_at("placement/" + std::string(name), "A label is a name of 1-64 bytes with a text of 1-255.");
  return labels->raw();
}

std::string contacts_json(json::Fields& fields) {
  const auto contacts = fields.find_array("contacts", kMaxContacts);
  json::Writer out;
  out.array();
  for (std::size_t i = 0; contacts && i < contacts->size(); ++i) {
    json::Fields contact((*contacts)[i], fields.pointer("contacts") + "/" + std::to_string(i));
    const auto name = contact.find_text("name", {.min_bytes = 1});
    const auto email = contact.text("email", {.min_bytes = 3, .max_bytes = 254});
    const auto role = contact.find_text("role", {.min_bytes = 1, .max_bytes = 64});
    if (contact.ok() && email.find('@') == std::string::npos) contact.mistake("email", "Must be an address with an @.");
    contact.check_unknown();
    fields.absorb(contact);
    out.object().optional_field("name", name).field("email", email).optional_field("role", role).end();
  }
  out.end();
  return out.take();
}

/// Of the operator's labels: small letters, digits and hyphens.
std::optional<std::string> find_label(json::Fields& fields, const char* name, std::size_t max_bytes) {
  auto text = fields.find_text(name, {.min_bytes = 1, .max_bytes = max_bytes});
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  if (text && !std::all_of(text->begin(), text->end(), allowed)) fields.mistake(name, "Must be of a-z 0-9 -");
  return text;
}

void write_application(json::Writer& out, const ApplicationRow& application) {
  const auto& where = application.belonging;
  out.object()
      .field("app_id", application.id.wire())
      .field("name", application.name)
      .field("status", word(application.status));
  if (!application.status_reason.empty()) out.field("status_reason", application.status_reason);
  out.optional_time("delete_after", application.delete_after)
      .field("plan", application.plan_id)
      .optional_field("organisation", where.organisation)
      .optional_field("environment", where.environment)
      .optional_field("region", where.region)
      .key("contacts").raw(where.contacts_json.value_or("[]"))
      .key("settings").raw(application.settings_json)
      .key("limits").raw(application.limits_json)
      .field("api_key", api_key_of(application.id))
      .key("created_at").time(application.created_at)
      .key("updated_at").time(application.updated_at);
}

}  // namespace

AppId create_application(storage::Transaction& tx, const NewApplication& wanted, Timestamp now) {
  AppId app = insert(tx, wanted, now);
  tx.run(sql::insert_first_channel_types, app, now);
  return app;
}

AppId clone_application(storage::Transaction& tx, AppId from, NewApplication wanted, Timestamp now) {
  const auto source = get_application(tx, from);
  if (source.status == Status::deleting || source.status == Status::deleted) throw gone();
  if (wanted.plan_id.empty()) wanted.plan_id = source.plan_id;
  wanted.settings_json = source.settings_json;
  const auto inherit = [](std::optional<std::string>& value, const std::optional<std::string>& of_source) {
    if (!value) value = of_source;
  };
  inherit(wanted.belonging.organisation, source.belonging.organisation);
  inherit(wanted.belonging.region, source.belonging.region);
  inherit(wanted.belonging.placement_json, source.belonging.placement_json);
  inherit(wanted.belonging.contacts_json, source.belonging.contacts_json);
  const auto rows = tx.query(sql::read_setup, from);
  const std::string types(rows[0].text(0)), commands(rows[0].text(1)), templates(rows[0].text(2));
  const auto moderation = rows[0].optional_text(3), rules = rows[0].optional_text(4);
  const auto lists = tx.query(sql::read_block_lists, from);
  const AppId app = insert(tx, wanted, now);
  tx.run(sql::clone_block_lists, app, lists[0].text(0), lists[0].text(1), lists[0].text(2), now);
  tx.run(sql::clone_channel_types, app, types, now);
  tx.run(sql::clone_commands, app, commands, now);
  tx.run(sql::clone_push_templates, app, templates, now);
  tx.run(sql::clone_moderation, app, moderation, rules, now);
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

void hold_application(storage::Transaction& tx, AppId app) { lock_status(tx, app); }

ApplicationRow get_application(storage::Transaction& tx, AppId app) {
  tx.enter(app);
  auto rows = tx.find(sql::get_application, app);
  if (!rows) throw not_found(kApplication);
  return read((*rows)[0]);
}

storage::Page<ApplicationRow> list_applications(storage::Transaction& tx, const ApplicationFilter& filter, int limit,
                                                const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const std::string scope = "operator|applications|" + filter.status.value_or("") + "|" + filter.organisation.value_or("");
  std::optional<std::string> after;
  if (cursor) after = cursors.open(scope, *cursor, "query:next").at(0);
  auto rows = tx.query(sql::list_applications, after, filter.status, filter.organisation, limit + 1);
  storage::Page<ApplicationRow> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {page.items.back().id.text()});
  return page;
}

void update_application(storage::Transaction& tx, bus::Bus& bus, AppId app, const ApplicationChange& change, Timestamp now) {
  if (change.plan_id && !tx.find(sql::plan_exists, *change.plan_id)) throw no_such_plan(*change.plan_id, "#/set/plan");
  const bool moves_teams = change.settings_json && changes_reach(get_application(tx, app).settings_json, *change.settings_json);
  const auto& where = change.belonging;
  text::ArrayLiteral unset;
  for (const auto& name : change.unset) unset.add(name);
  if (!tx.find(sql::update_application, app, change.name, change.plan_id, change.settings_json, change.limits_json, now, where.organisation,
               where.environment, where.region, where.placement_json, where.contacts_json, unset.take(), change.if_updated_at)) {
    if (change.if_updated_at && get_application(tx, app).updated_at != *change.if_updated_at)
      throw Error(Code::conflict, "Somebody has changed this application since you read it; read it again.");
    throw not_found(kApplication);
  }
  announce_change(tx, bus, app, moves_teams ? "teams" : "");
}

void change_settings(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::optional<json::Value>& set,
                     const std::vector<std::string>& unset, Timestamp now) {
  if (set) check_settings(*set, "#/set");
  for (std::size_t i = 0; i < unset.size(); ++i)
    if (!is_setting(unset[i])) throw invalid_field("#/unset/" + std::to_string(i), "No such setting.");
  const auto rows = tx.find(sql::lock_settings, app);
  if (!rows) throw not_found(kApplication);
  ApplicationChange change;
  change.settings_json = merge_settings(std::string((*rows)[0].text(0)), set, unset);
  update_application(tx, bus, app, change, now);
}

void suspend_application(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& reason, Timestamp now) {
  set_status(tx, bus, app, Status::suspended, reason, now);
}

void resume_application(storage::Transaction& tx, bus::Bus& bus, AppId app, Timestamp now) { set_status(tx, bus, app, Status::active, "", now); }

void delete_application(storage::Transaction& tx, bus::Bus& bus, AppId app, std::chrono::milliseconds wait, Timestamp now) {
  const auto current = lock_status(tx, app).first;
  if (current == Status::deleting) throw Error(Code::conflict, "This application is about to be deleted already.");
  if (current == Status::deleted) throw gone();
  tx.run(sql::set_deleting, app, now + wait, now);
  announce_change(tx, bus, app, std::string(word(Status::deleting)));
}

void restore_application(storage::Transaction& tx, bus::Bus& bus, AppId app, Timestamp now) {
  const auto current = lock_status(tx, app).first;
  if (current == Status::deleted) throw gone();
  if (current != Status::deleting) throw Error(Code::conflict, "This application is not deleted.");
  tx.run(sql::restore_application, app, now);
  announce_change(tx, bus, app);
}

void erase_application(storage::Transaction& tx, AppId app, Timestamp now) {
  const auto current = lock_status(tx, app).first;
  if (current != Status::deleting && current != Status::deleted) throw Error(Code::conflict, "Delete this application first.");
  tx.run(sql::erase_application, app, now);
}

std::int64_t end_deletions(storage::Transaction& tx, Timestamp now, int limit) { return tx.query(sql::end_deletions, now, limit)[0].integer(0); }

void revoke_application_tokens(storage::Transaction& tx, bus::Bus& bus, AppId app, Timestamp before) {
  tx.run(sql::revoke_application, app, before);
  announce_change(tx, bus, app, "revoked " + format_time(before));
}

void revoke_user_tokens(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& user_id, Timestamp before) {
  check_room_for_revocation(tx, app, user_id);
  tx.run(sql::revoke_user, app, user_id, before);
  announce_change(tx, bus, app, "user_revoked " + format_time(before) + " " + user_id);
}

void revoke_token(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& token_id, std::optional<Timestamp> expires_at, Timestamp now) {
  hold_application(tx, app);
  tx.run(sql::forget_expired_tokens, app, now - kTokenLeeway);
  if (tx.query(sql::count_revoked_tokens, app, token_id)[0].integer(0) >= static_cast<std::int64_t>(kMaxRevokedTokens))
    throw Error(Code::limit_reached, "Too many single tokens are revoked; revoke a user's or the application's tokens instead.");
  tx.run(sql::revoke_token, app, token_id, expires_at, now);
  announce_change(tx, bus, app, "token_revoked " + token_id);
}

RevocationAsk read_revocation(json::Fields& body, bool with_user) {
  RevocationAsk wanted;
  if (with_user) wanted.user_id = body.find_text("user_id", {.min_bytes = 1});
  wanted.before = body.find_time("before");
  wanted.token_id = body.find_text("token_id", {.min_bytes = 1, .max_bytes = kMaxTokenIdBytes});
  wanted.expires_at = body.find_time("expires_at");
  if (wanted.token_id && (wanted.user_id || wanted.before)) body.mistake("token_id", "One token is meant, whosever it is: no user_id, no before.");
  if (wanted.expires_at && !wanted.token_id) body.mistake("expires_at", "Only with token_id: when that token expires.");
  return wanted;
}

std::string revoke_tokens(storage::Transaction& tx, bus::Bus& bus, AppId app, const RevocationAsk& wanted, Timestamp now) {
  json::Writer which;
  which.object().optional_field("token_id", wanted.token_id).optional_field("user_id", wanted.user_id);
  if (wanted.token_id) {
    revoke_token(tx, bus, app, *wanted.token_id, wanted.expires_at, now);
    which.optional_time("expires_at", wanted.expires_at);
  } else {
    const auto before = wanted.before.value_or(now);
    if (wanted.user_id) revoke_user_tokens(tx, bus, app, *wanted.user_id, before);
    else revoke_application_tokens(tx, bus, app, before);
    which.key("before").time(before);
  }
  which.end();
  return which.take();
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

bool is_media_type(std::string_view text) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view("+-./*").find(c) != std::string_view::npos; };
  return std::count(text.begin(), text.end(), '/') == 1 && std::all_of(text.begin(), text.end(), allowed);
}

std::string check_settings(const json::Value& settings, const std::string& pointer) {
  json::Fields fields(settings, pointer);
  for (const auto& name : kSwitches) fields.find_boolean(name);
  fields.find_word("search_language", kSearchLanguages);
  fields.find_word("cross_team", {"off", "users", "channels", "all"});
  fields.find_integer("guest_days", {0, 3650});
  for (const auto& name : kTypeLists) check_types(fields, name.c_str());
  fields.refuse_nulls();
  fields.finish();
  return settings.raw();
}

std::string check_overrides(const json::Value& limits, const std::string& pointer, const std::function<bool(std::string_view)>& is_meter) {
  if (limits.kind() != json::Kind::object) throw invalid_field(pointer, "Must be an object.");
  for (const auto& [meter, override_of] : limits.members()) {
    const auto at = pointer + "/" + std::string(meter);
    if (!is_meter(meter)) throw invalid_field(at, "Unknown meter.");
    json::Fields fields(override_of, at);
    for (const auto* name : {"included", "hard", "burst"}) fields.find_integer(name, {0, 1'000'000'000'000'000});
    fields.find_time("expires_at");
    fields.refuse_nulls();
    fields.finish();
  }
  return limits.raw();
}

Belonging read_belonging(json::Fields& fields) {
  Belonging where;
  where.organisation = fields.find_text("organisation", {.min_bytes = 1});
  where.environment = find_label(fields, "environment", 32);
  where.region = find_label(fields, "region", 64);
  if (fields.has("placement")) where.placement_json = labels_json(fields);
  if (fields.has("contacts")) where.contacts_json = contacts_json(fields);
  return where;
}

std::string application_json(const ApplicationRow& application) {
  json::Writer out;
  write_application(out, application);
  out.key("placement").raw(application.belonging.placement_json.value_or("{}")).end();
  return out.take();
}

std::string own_application_json(const ApplicationRow& application) {
  json::Writer out;
  write_application(out, application);
  out.end();
  return out.take();
}

}  // namespace chat::tenants
