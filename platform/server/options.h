#pragma once
#include <memory>
#include <string>

#include "platform/base/config.h"
#include "platform/realtime/gateway.h"
#include "platform/redis/link.h"
#include "platform/storage/pool.h"
#include "platform/transfers/transfers.h"

/// What the settings mean to the parts of a node.
/// Errors:  StartFailure (a key that is no base64 of 32 bytes, an address that is none of Redis)
namespace chat::server {

std::string master_key_of(const config::Settings& settings);
storage::DatabaseOptions database_options(const config::Settings& settings);
storage::DatabaseOptions lane_options(const config::Settings& settings);
realtime::Options realtime_options(const config::Settings& settings);
transfers::Rules transfer_rules(const config::Settings& settings);
/// Null: this node is alone.
std::unique_ptr<redis::Link> make_link(const config::Settings& settings, const Clock& clock);

}  // namespace chat::server
