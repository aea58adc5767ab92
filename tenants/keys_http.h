#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "platform/base/json.h"
#include "platform/http/request.h"
#include "platform/storage/transaction.h"
#include "tenants/application.h"

/// What both doors say and are told of secrets.
namespace chat::tenants {

/// {"api_key","secrets":[…]}, without their values.
std::string keys_json(storage::Transaction& tx, AppId app, Timestamp now);
/// As it is listed, for the audit; none: no such secret.
std::optional<std::string> find_secret_json(storage::Transaction& tx, AppId app, SecretId id, Timestamp now);
/// With its value: of a secret just made.
void write_new_secret(json::Writer& out, const Secret& secret);
std::string new_secret_json(const Secret& secret);      // {"secret":{…}}
std::string shown_secret_json(const Secret& secret);    // the same without the value

/// {"expire_others_in_s"?}, {"in_s"}. Errors: invalid_field
std::optional<std::chrono::seconds> wanted_rotation(const http::Request& request);
std::chrono::seconds wanted_expiry(const http::Request& request);

}  // namespace chat::tenants
