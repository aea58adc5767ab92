#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/json.h"
#include "platform/bus/feed.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"
#include "tenants/application.h"

/// Applications: the customers. Created, suspended and deleted by the operator.
/// Every function acts in the operator's transaction (nil application) and enters the application it concerns; those of a
/// customer act in its own.
namespace chat::tenants {

/// Whose it is and where it runs; the operator's business. JSON as the API shows it.
struct Belonging {
  std::optional<std::string> organisation;   // several environments of one customer have the same
  std::optional<std::string> environment;    // development, production
  std::optional<std::string> region;
  std::optional<std::string> placement_json; // labels: {"cluster": "eu-1"}
  std::optional<std::string> contacts_json;  // [{"name", "email", "role"}]
};
inline constexpr std::size_t kMaxContacts = 10, kMaxLabels = 20;

struct NewApplication {
  std::string name;                          // 1-255 bytes; may repeat, but then only its id can name it
  std::string plan_id;
  std::string settings_json = "{}";
  Belonging belonging = {};
};

/// Makes an application with the three channel types that every one starts with.
/// Errors:  invalid_field #/plan  no such plan
AppId create_application(storage::Transaction& tx, const NewApplication& wanted, Timestamp now);

/// Makes an application as `from` is set up: settings, channel types with their grants, commands, block lists, moderation with its rules,
/// push templates. No users, channels, secrets, classifier or overridden limits. An empty plan, and what `wanted` leaves out of where it
/// belongs, is that of `from`.
/// Errors:  not_found; conflict (deleted); invalid_field #/plan
AppId clone_application(storage::Transaction& tx, AppId from, NewApplication wanted, Timestamp now);

/// `ref` is an app_id, an API key or the exact name.
/// Errors:  not_found; conflict (several applications have this name)
AppId resolve_application(storage::Transaction& tx, const std::string& ref);

/// Held against other changes of it until the commit. Errors: not_found
void hold_application(storage::Transaction& tx, AppId app);

/// As the operator sees it. Errors: not_found
struct ApplicationRow {
  AppId id;
  std::string name;
  Status status;
  std::string status_reason;
  std::string plan_id;
  std::string settings_json;
  std::string limits_json;
  Timestamp created_at;
  Timestamp updated_at;
  Belonging belonging;
  std::optional<Timestamp> delete_after;     // of deleting
};
ApplicationRow get_application(storage::Transaction& tx, AppId app);
struct ApplicationFilter {
  std::optional<std::string> status, organisation;
};
storage::Page<ApplicationRow> list_applications(storage::Transaction& tx, const ApplicationFilter& filter, int limit, const std::optional<std::string>& cursor,
                                                const storage::Cursors& cursors);

/// What a PATCH may change; absent members stay.
struct ApplicationChange {
  Belonging belonging = {};
  std::vector<std::string> unset = {};       // of Belonging, by name in the API
  std::optional<std::string> name;
  std::optional<std::string> plan_id;
  std::optional<std::string> settings_json;
  std::optional<std::string> limits_json;
  std::optional<Timestamp> if_updated_at = {};   // only if nobody has changed it since
};
/// Errors:  not_found; invalid_field #/set/plan; conflict (changed since)
void update_application(storage::Transaction& tx, bus::Bus& bus, AppId app, const ApplicationChange& change, Timestamp now);

/// Puts `set` over the settings and takes the names in `unset` out, which gives them their defaults.
/// Errors:  not_found; invalid_field, unknown_field #/set/…, #/unset/…
void change_settings(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::optional<json::Value>& set,
                     const std::vector<std::string>& unset, Timestamp now);

/// Suspended: its keys answer 403, its sockets close within a second; nothing is lost. Twice keeps the newer reason.
/// Errors:  not_found; conflict (deleted)
void suspend_application(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& reason, Timestamp now);
/// Errors:  not_found; conflict (deleted)
void resume_application(storage::Transaction& tx, bus::Bus& bus, AppId app, Timestamp now);
/// Gone for the customer at once, its sockets closed; until `wait` is over it can be restored, then a job purges its rows and
/// leaves a tombstone with the ledger of its usage.
/// Errors:  not_found; conflict (deleted already)
void delete_application(storage::Transaction& tx, bus::Bus& bus, AppId app, std::chrono::milliseconds wait, Timestamp now);
/// As it was before it was deleted: active, or suspended. Errors: not_found; conflict (not waiting to be deleted)
void restore_application(storage::Transaction& tx, bus::Bus& bus, AppId app, Timestamp now);
/// Ends the waiting and lets the job leave no row of it in any table: no tombstone, no usage, no bills.
/// Errors:  not_found; conflict (not deleted)
void erase_application(storage::Transaction& tx, AppId app, Timestamp now);
/// The job: applications whose waiting time is over are deleted. Returns how many.
std::int64_t end_deletions(storage::Transaction& tx, Timestamp now, int limit);

/// Makes user tokens issued before `before` dead and closes the sockets opened with them.
void revoke_application_tokens(storage::Transaction& tx, bus::Bus& bus, AppId app, Timestamp before);
/// The same for one user. Errors: limit_reached (kMaxRevocations stand already)
void revoke_user_tokens(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& user_id, Timestamp before);
/// One token, a user's or a server's, by its `jti`; kept until it has expired, without expires_at for good.
/// Errors:  not_found; limit_reached (kMaxRevokedTokens stand already)
void revoke_token(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& token_id, std::optional<Timestamp> expires_at, Timestamp now);

/// What a call to revoke asks for: one token; or those of a user, or of all users, issued before a moment.
struct RevocationAsk {
  std::optional<std::string> user_id, token_id;
  std::optional<Timestamp> before, expires_at;
};
/// Errors:  gathered in `body`
RevocationAsk read_revocation(json::Fields& body, bool with_user);
/// What was revoked, as the audit notes it.
std::string revoke_tokens(storage::Transaction& tx, bus::Bus& bus, AppId app, const RevocationAsk& wanted, Timestamp now);
/// A banned user's tokens are refused until then; none: no longer banned.
void set_user_ban(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& user_id,
                  std::optional<Timestamp> until, Timestamp now);
/// A deactivated user's tokens are dead until it is reactivated; then those issued before `now` stay dead.
void set_user_deactivated(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& user_id,
                          bool deactivated, Timestamp now);

bool is_media_type(std::string_view text);   // image/png, or image/* for all of a kind; small letters

/// Errors:  invalid_field #/settings/…; returns it minified.
std::string check_settings(const json::Value& settings, const std::string& pointer);
/// {"messages":{"hard":10,"expires_at":"2026-12-24T00:00:00Z"}}: numbers, and how long they hold; billing reads them when it merges them over the plan.
std::string check_overrides(const json::Value& limits, const std::string& pointer, const std::function<bool(std::string_view)>& is_meter);

/// What a body says of where an application belongs; mistakes are noted in `fields`.
Belonging read_belonging(json::Fields& fields);

std::string application_json(const ApplicationRow& application);
/// Without what is the operator's alone.
std::string own_application_json(const ApplicationRow& application);

}  // namespace chat::tenants
