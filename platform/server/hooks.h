#pragma once
#include "billing/accounts.h"
#include "platform/chat/blocklists/shelf.h"
#include "platform/chat/presence/online.h"
#include "platform/chat/presence/typing.h"
#include "platform/chat/presence/watchers.h"
#include "platform/chat/reads/unread_announcer.h"
#include "platform/http/gate.h"
#include "platform/realtime/gateway.h"
#include "platform/storage/page.h"
#include "tenants/auth.h"

/// What the doors ask of the product: who calls, may they go on, and who pays. The only place where http and realtime
/// meet tenants and billing.
namespace chat::server {

http::GateHooks public_hooks(tenants::Auth& auth, billing::Accounts& accounts, blocklists::Shelf& lists, const Clock& clock);
/// `token`: the configured one.
http::GateHooks operator_hooks(std::string token, const Clock& clock);
/// What sockets ask of the product.
struct Live {
  tenants::Auth& auth;
  billing::Accounts& accounts;
  blocklists::Shelf& lists;
  reads::UnreadAnnouncer& unread;
  presence::Typists& typists;
  presence::Online& online;
  presence::Watchers& watchers;
  ephemeral::Store& store;
  const storage::Cursors& cursors;
  const Clock& clock;
};
realtime::Hooks gateway_hooks(const Live& live);

}  // namespace chat::server
