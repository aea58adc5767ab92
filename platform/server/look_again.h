#pragma once
#include "platform/realtime/gateway.h"
#include "tenants/directory.h"

namespace chat::server {

/// A control word of another node may have been lost: asks PostgreSQL about every application that has sockets here, and closes
/// those whose application is suspended or deleted, whose token is revoked, whose user is banned or deactivated; in an application
/// with teams all of them, to connect again.
/// Errors:  unavailable; what was closed until then stays closed
void close_what_ended(storage::Connection& connection, tenants::Directory& directory, realtime::Gateway& gateway, Timestamp now);

}  // namespace chat::server
