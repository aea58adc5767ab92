#pragma once
#include <functional>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"
#include "tenants/said.h"

namespace chat::channels {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
  std::function<Caps(const tenants::Caller&)> caps;
  /// Users who have a channel in front of them.
  std::function<std::int64_t(AppId, const std::string& cid)> count_watchers;
  tenants::Names names;                        // judges them
  /// Lets block lists hold in channels of a type. Gives the names that are none.
  std::function<std::vector<std::string>(storage::Transaction&, const std::vector<std::string>& names)> take_block_lists;
};
void add_channel_type_routes(http::Router& router, const Services& services);   // /v1/channel_types
void add_channel_routes(http::Router& router, const Services& services);        // /v1/channels
void add_member_routes(http::Router& router, const Services& services);         // /v1/channels/{type}/{id}/members
void add_membership_routes(http::Router& router, const Services& services);     // /v1/channels/{type}/{id}/membership
void add_ownership_routes(http::Router& router, const Services& services);      // …/owner, …/join
void add_ban_routes(http::Router& router, const Services& services);            // …/bans, /v1/bans

/// Shared by the doors of this folder.
std::vector<struct MemberInput> read_members(json::Fields& body, std::size_t min_items);

}  // namespace chat::channels
