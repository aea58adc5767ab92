#pragma once
#include "platform/chat/screening/screening.h"
#include "platform/http/router.h"
#include "tenants/auth.h"

namespace chat::screening {

struct Services {
  bus::Bus& bus;
  const crypto::Sealer& sealer;
  billing::Accounts& accounts;
  const outbound::Client& client;              // that judges addresses
  Screening& screening;
  const Clock& clock;
};
void add_routes(http::Router& router, const Services& services);              // /v1/moderation/rules
void add_classifier_routes(http::Router& router, const Services& services);   // /v1/moderation/classifier

/// A message that nobody sends, of a body's `text`, `cid`, `user_id`, `attachments`, `mentions` and `custom`. Mistakes are gathered in the body.
struct Sample {
  std::string text, channel_type, channel_id, user_id;
  std::string data;                            // what a classifier is told
  Said said;                                   // looks at the above

  Sample(json::Fields& body, const tenants::Caller& caller, billing::Accounts& accounts);
  Sample(const Sample&) = delete;
};
void write_verdict(json::Writer& out, const Verdict& verdict);

}  // namespace chat::screening
