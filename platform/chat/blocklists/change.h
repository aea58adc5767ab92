#pragma once
#include "platform/bus/feed.h"
#include "platform/storage/transaction.h"

namespace chat::blocklists {

/// Holds the application's lists against its other changes until the commit, after which every node is told. Gives the new version.
/// Private to the folder.
std::int64_t begin_change(storage::Transaction& tx, bus::Bus& bus);

}  // namespace chat::blocklists
