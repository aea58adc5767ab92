#pragma once
#include "platform/bus/feed.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"

namespace chat::reads {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
};
void add_routes(http::Router& router, const Services& services);          // …/read, …/unread, /v1/read, /v1/delivered, /v1/unread
void add_receipt_routes(http::Router& router, const Services& services);  // …/marks, …/receipts

}  // namespace chat::reads
