#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/storage/transaction.h"

/// Direct channels between one user and many others, some hundreds in one transaction: for what writes to many in one user's name, without a caller.
namespace chat::channels {

struct DirectUser {
  std::string user_id;
  UserId id;
};
/// From one to each of the others: the distinct channel of just these two.
struct DirectOpening {
  std::string type;
  DirectUser from;
  std::optional<std::string> team;             // those who are not in it are left out by whoever asks
  std::vector<DirectUser> to;                  // without `from`, nobody twice
};

/// Against blocks between them that are made at this moment: what is read of blocks after it holds until the commit.
void hold_pairs(storage::Transaction& tx, UserId from, const std::string& others);   // `others`: an array literal of users

/// Makes the channels that are not there; `from` owns them.
/// Thread:  hold_pairs was called, and none of them blocks `from` or is blocked by it.
/// Errors:  not_found (type); limit_reached (Caps; then nothing was made)
/// Event:   channel.created to both, of each that is new
/// Cost:    five statements, whatever the number
void make_direct_channels(storage::Transaction& tx, bus::Bus& bus, const DirectOpening& opening, const Caps& caps, Timestamp now);

}  // namespace chat::channels
