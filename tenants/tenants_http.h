#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/crypto.h"
#include "platform/bus/feed.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"

namespace chat::tenants {

/// What the doors of this folder work with; all of it outlives them.
struct Services {
  bus::Bus& bus;
  const crypto::Sealer& sealer;
  const storage::Cursors& cursors;
  const Clock& clock;
  std::function<bool(std::string_view)> is_meter;   // of billing, which stands above this folder
  std::chrono::milliseconds deletion_wait;          // between deleting and the purge
};

/// {"set":{…}?,"unset":[…]?}: of settings, at both doors. Errors: invalid_field
struct SettingsChange {
  std::optional<json::Value> set;
  std::vector<std::string> unset;
};
SettingsChange wanted_settings(const json::Value& root);

void add_routes(http::Router& router, const Services& services);            // /v1/app
void add_operator_routes(http::Router& router, const Services& services);   // /operator/v1/applications
void add_operator_key_routes(http::Router& router, const Services& services);   // its part below {app_id}: keys, secrets, tokens

}  // namespace chat::tenants
