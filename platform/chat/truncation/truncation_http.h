#pragma once
#include "billing/accounts.h"
#include "platform/bus/feed.h"
#include "platform/http/router.h"

namespace chat::truncation {

struct Services {
  bus::Bus& bus;
  billing::Accounts& accounts;
  const Clock& clock;
};
void add_routes(http::Router& router, const Services& services);   // /v1/channels/{type}/{id}/truncate

}  // namespace chat::truncation
