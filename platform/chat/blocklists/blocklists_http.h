#pragma once
#include <functional>

#include "platform/bus/feed.h"
#include "platform/chat/blocklists/blocklists.h"
#include "platform/chat/blocklists/shelf.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"

namespace chat::blocklists {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
  Shelf& shelf;
};
void add_routes(http::Router& router, const Services& services);            // /v1/block_lists, /v1/check_text
void add_operator_routes(http::Router& router, const Services& services);   // /operator/v1/block_lists
void add_entry_routes(http::Router& router, const Services& services);      // …/{name}/entries, import, export
void add_operator_entry_routes(http::Router& router, const Services& services);

/// Notes a change in the audit of whoever made it: the application's, or the operators'. Private to the folder.
void note(storage::Transaction& tx, const http::Request& request, std::string_view action, const std::string& name, const std::optional<std::string>& before,
          const std::optional<std::string>& after, Timestamp now);

}  // namespace chat::blocklists
