#pragma once
#include "platform/realtime/gateway.h"

/// What the realtime gateway asks about channels.
namespace chat::channels {

/// Members and numbering of a channel, in one snapshot. None: no such channel.
std::optional<realtime::Audience> load_audience(storage::Connection& connection, AppId app, ChannelId channel);
/// Where channels stand for one identity: one statement for all of them.
std::vector<realtime::Position> locate(storage::Connection& connection, const realtime::Identity& identity,
                                       const std::vector<std::string>& cids);

}  // namespace chat::channels
