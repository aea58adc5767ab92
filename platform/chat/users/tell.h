#pragma once
#include <string>
#include <string_view>

#include "platform/bus/feed.h"

namespace chat::users {

/// Tells the user's own connections and the customer's backend, after the commit. Private to the folder.
inline void tell(storage::Transaction& tx, bus::Bus& bus, std::string_view type, const std::string& user_id, std::string data,
                 Timestamp now) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = tx.app();
  event.type = type;
  event.reach = bus::Reach::user;
  event.user_id = user_id;
  event.created_at = now;
  event.data = std::move(data);
  bus::emit(tx, bus, std::move(event));
}

}  // namespace chat::users
