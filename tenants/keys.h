#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "platform/base/crypto.h"
#include "platform/bus/feed.h"
#include "platform/storage/pool.h"
#include "tenants/directory.h"

/// The signing secrets of an application: several at once, so that a customer rotates without downtime.
namespace chat::tenants {

/// Makes a further secret; `value` is shown this once and sealed at rest. With `expire_others`, every other live one
/// ends after that time (0: now). Forgets those that ended 30 days ago.
/// Errors:  limit_reached (kMaxSecrets live ones)
Secret create_secret(storage::Transaction& tx, bus::Bus& bus, const crypto::Sealer& sealer, AppId app,
                     std::optional<std::chrono::seconds> expire_others, Timestamp now);

/// Live ones, newest first, without their values.
std::vector<Secret> list_secrets(storage::Transaction& tx, AppId app, Timestamp now);

/// Ends one after a time (0: now), or earlier where it would have.
/// Errors:  not_found; conflict (no other stays for good: an application without a secret can't sign)
Secret expire_secret(storage::Transaction& tx, bus::Bus& bus, AppId app, SecretId id, std::chrono::seconds after, Timestamp now);

/// Errors:  not_found; conflict (no other stays for good)
void delete_secret(storage::Transaction& tx, bus::Bus& bus, AppId app, SecretId id, Timestamp now);

/// Without its value.
std::string secret_json(const Secret& secret);

/// The job: writes down when secrets were used, each at most every ten minutes, 1,000 a turn.
void note_used_secrets(storage::Connection& connection, Directory& directory);

}  // namespace chat::tenants
