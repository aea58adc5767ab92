#pragma once
#include <string>
#include <vector>

#include "platform/bus/feed.h"

namespace chat::presence {

/// An event of a channel that nobody keeps. Private to the folder.
inline void tell_channel(bus::Bus& bus, AppId app, ChannelId channel, const std::string& cid, std::string_view type, std::string data,
                         std::vector<std::string> except, Timestamp now) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = app;
  event.type = type;
  event.channel = channel;
  event.cid = cid;
  event.created_at = now;
  event.data = std::move(data);
  event.except = std::move(except);
  bus.publish(std::make_shared<const bus::Event>(std::move(event)));
}

}  // namespace chat::presence
