#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/base/json.h"
#include "platform/bus/feed.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"
#include "tenants/application.h"

/// Applications: the customers. Created, suspended and deleted by the operator.
/// Every function acts in the operator's transaction (nil application) and enters the application it concerns.
namespace chat::tenants {

struct NewApplication {
  std::string name;                          // 1-255 bytes; may repeat, but then only its id can name it
  std::string plan_id;
  std::string settings_json = "{}";
};

/// Makes an application with the three channel types that every one starts with.
/// Errors:  invalid_field #/plan  no such plan
AppId create_application(storage::Transaction& tx, const NewApplication& wanted, Timestamp now);

/// `ref` is an app_id, an API key or the exact name.
/// Errors:  not_found; conflict (several applications have this name)
AppId resolve_application(storage::Transaction& tx, const std::string& ref);

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
};
ApplicationRow get_application(storage::Transaction& tx, AppId app);
storage::Page<ApplicationRow> list_applications(storage::Transaction& tx, const std::optional<std::string>& status,
                                                int limit, const std::optional<std::string>& cursor,
                                                const storage::Cursors& cursors);

/// What a PATCH may change; absent members stay.
struct ApplicationChange {
  std::optional<std::string> name;
  std::optional<std::string> plan_id;
  std::optional<std::string> settings_json;
  std::optional<std::string> limits_json;
};
/// Errors:  not_found; invalid_field #/set/plan
void update_application(storage::Transaction& tx, bus::Bus& bus, AppId app, const ApplicationChange& change, Timestamp now);

/// Suspended: its keys answer 403, its sockets close within a second; nothing is lost. Twice changes nothing.
/// Deleted: gone for the customer at once, its rows purged by a job; can't come back.
/// Errors:  not_found; conflict (deleted already)
void set_status(storage::Transaction& tx, bus::Bus& bus, AppId app, Status status, const std::string& reason, Timestamp now);

/// Makes user tokens issued before `before` dead and closes the sockets opened with them.
void revoke_application_tokens(storage::Transaction& tx, bus::Bus& bus, AppId app, Timestamp before);
/// The same for one user. Errors: limit_reached (kMaxRevocations stand already)
void revoke_user_tokens(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& user_id, Timestamp before);
/// A banned user's tokens are refused until then; none: no longer banned.
void set_user_ban(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& user_id,
                  std::optional<Timestamp> until, Timestamp now);
/// A deactivated user's tokens are dead until it is reactivated; then those issued before `now` stay dead.
void set_user_deactivated(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& user_id,
                          bool deactivated, Timestamp now);

/// Errors:  invalid_field #/settings/…; returns it minified.
std::string check_settings(const json::Value& settings, const std::string& pointer);

std::string application_json(const ApplicationRow& application);

}  // namespace chat::tenants
