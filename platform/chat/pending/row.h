#pragma once
#include <string_view>

#include "platform/chat/pending/pending.h"

/// A row and what is told of it. Private to the folder.
namespace chat::pending {

Pending read_row(const storage::Row& row);
/// Locks it.
std::optional<Pending> find_pending(storage::Transaction& tx, PendingId id);
/// To the author and the moderators.
void tell(storage::Transaction& tx, bus::Bus& bus, std::string_view type, const Pending& pending, const std::optional<MessageId>& message,
          Timestamp now);
void count_change(const char* change);

}  // namespace chat::pending
