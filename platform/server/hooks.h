#pragma once
#include "billing/accounts.h"
#include "platform/chat/reads/unread_announcer.h"
#include "platform/http/gate.h"
#include "platform/realtime/gateway.h"
#include "tenants/auth.h"

/// What the doors ask of the product: who calls, may they go on, and who pays. The only place where http and realtime
/// meet tenants and billing.
namespace chat::server {

http::GateHooks public_hooks(tenants::Auth& auth, billing::Accounts& accounts, const Clock& clock);
http::GateHooks operator_hooks(std::string token);
realtime::Hooks gateway_hooks(tenants::Auth& auth, billing::Accounts& accounts, reads::UnreadAnnouncer& unread, const Clock& clock);

}  // namespace chat::server
