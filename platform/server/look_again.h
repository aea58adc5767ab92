#pragma once
#include "platform/realtime/gateway.h"
#include "tenants/directory.h"

namespace chat::server {

/// Looks at every application that has sockets here, as the directory knows it, and closes those whose application is suspended or
/// deleted, whose token is revoked or was signed with a secret that has ended, whose user is banned or deactivated. Each minute: a secret
/// ends by itself, and a node may die before it tells of what it did. `has_missed`: words of other nodes may have been lost, so PostgreSQL
/// is asked about all; in an application with teams everybody connects again.
/// Errors:  unavailable; what was closed until then stays closed
void close_what_ended(storage::Connection& connection, tenants::Directory& directory, realtime::Gateway& gateway, Timestamp now, bool has_missed);

}  // namespace chat::server
