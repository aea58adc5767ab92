#pragma once
#include "platform/chat/scheduled/scheduled.h"

/// A row and what is told of it. Private to the folder.
namespace chat::scheduled {

struct Stored {
  Scheduled scheduled;
  std::string channel_type, channel_id;
  bool by_server = false;
};
Stored read_row(const storage::Row& row);
/// Locks it. With `user_id` empty: anybody's.
std::optional<Stored> find_scheduled(storage::Transaction& tx, const std::string& user_id, ScheduledId id, Timestamp now);
void tell_own(storage::Transaction& tx, bus::Bus& bus, std::string_view type, const Scheduled& scheduled,
              const std::optional<MessageId>& message, Timestamp now);

}  // namespace chat::scheduled
