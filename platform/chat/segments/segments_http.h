#pragma once
#include "platform/http/router.h"
#include "platform/storage/page.h"

namespace chat::segments {

struct Services {
  const storage::Cursors& cursors;
  const Clock& clock;
};
void add_routes(http::Router& router, const Services& services);   // /v1/segments

}  // namespace chat::segments
