#pragma once
#include "billing/accounts.h"
#include "platform/http/router.h"

namespace chat::billing {

struct Services {
  bus::Bus& bus;
  Accounts& accounts;
  PlanBook& plans;
  const Clock& clock;
};

void add_routes(http::Router& router, const Services& services);            // /v1/usage
void add_plan_routes(http::Router& router, const Services& services);       // versions, moves
void add_operator_routes(http::Router& router, const Services& services);   // /operator/v1/plans, …/usage

void add_limit_routes(http::Router& router, const Services& services);            // /v1/limits
void add_operator_limit_routes(http::Router& router, const Services& services);   // …/applications/{app_id}/limits

}  // namespace chat::billing
