#pragma once
#include "platform/http/router.h"
#include "platform/storage/page.h"

namespace chat::sync {

struct Services {
  const storage::Cursors& cursors;
};
void add_routes(http::Router& router, const Services& services);   // /v1/sync

}  // namespace chat::sync
