#pragma once
#include <functional>
#include <string>
#include <vector>

#include "billing/accounts.h"
#include "platform/base/crypto.h"
#include "platform/bus/feed.h"
#include "platform/chat/blocklists/shelf.h"
#include "platform/chat/messages/attaching.h"
#include "platform/chat/messages/held.h"
#include "platform/chat/messages/lanes.h"
#include "platform/chat/messages/review.h"
#include "platform/chat/messages/screen.h"
#include "platform/chat/notifications/providers.h"
#include "platform/chat/presence/presence_http.h"
#include "platform/chat/reactions/counted.h"
#include "platform/chat/screening/screening.h"
#include "platform/ephemeral/store.h"
#include "platform/chat/uploads/depot.h"
#include "platform/http/router.h"
#include "platform/server/operations_http.h"
#include "platform/storage/page.h"
#include "platform/storage/pool.h"
#include "platform/transfers/transfers.h"
#include "platform/webhooks/before.h"
#include "platform/webhooks/webhooks_http.h"
#include "tenants/directory.h"

namespace chat::server {

/// What the doors' handlers work with.
struct Parts {
  bus::Bus& bus;
  ephemeral::Store& ephemeral;
  const crypto::Sealer& sealer;
  const storage::Cursors& cursors;
  const Clock& clock;
  billing::PlanBook& plans;
  billing::Accounts& accounts;
  messages::Lanes& lanes;
  std::function<std::string(std::int64_t schema)> status_json;   // GET /operator/v1/status
  AskReady ask_ready;                                             // GET /readyz
  std::function<bool(storage::Pool::Task)> run;                   // on a database worker; false: too many wait
  notifications::Senders& senders;
  presence::Services presence;
  reactions::Counted& counted;
  uploads::Depot& depot;
  tenants::Directory& directory;
  std::chrono::milliseconds deletion_wait;                        // of applications
  transfers::Rules transfers;
  const outbound::Client& webhook_client;
  webhooks::BeforeSend& before;
  blocklists::Shelf& lists;
  messages::Screen screen;
  screening::Screening& screening;
  messages::Review& review;
};

void add_public_routes(http::Router& router, const Parts& parts);
void add_operator_routes(http::Router& router, const Parts& parts);

/// What messages ask of uploads.
messages::Attach attach_uploads();

/// How messages hold what must be approved first.
using HoldPending = std::function<messages::HeldAnswer(storage::Transaction&, const messages::HeldSend&)>;
HoldPending hold_pending(bus::Bus& bus, const Clock& clock);

/// Every route of both doors, for the tests that compare them with the contract.
std::vector<const http::Route*> all_routes();

}  // namespace chat::server
