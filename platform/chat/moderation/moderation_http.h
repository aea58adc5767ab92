#pragma once
#include "platform/chat/moderation/moderation.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"

namespace chat::moderation {

struct Services {
  Hands hands;
  const storage::Cursors& cursors;
  const Clock& clock;
};
void add_routes(http::Router& router, const Services& services);            // flags, the queue, decisions, the log, statistics
void add_appeal_routes(http::Router& router, const Services& services);     // notices, appeals, how users stand
void add_settings_routes(http::Router& router, const Services& services);

}  // namespace chat::moderation
