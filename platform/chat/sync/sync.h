#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/realtime/gateway.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"

/// What happened in all channels of a user while it was away.
namespace chat::sync {

inline constexpr std::size_t kMaxKnown = 1'000;    // channels that a client says it has
inline constexpr int kPage = 100;

/// A channel that is not as the client has it.
struct Changed {
  /// added: the client did not name it. events: numbered events are missing. renumbered: another epoch, or the client is ahead:
  /// what it has is worthless. read: only the own mark moved.
  enum class How { added, events, renumbered, read };
  std::string cid;
  How how = How::events;
  bool member = true;                              // false: an open channel that the client named
  std::string epoch;
  std::int64_t last_seq = 0, last_message_seq = 0;
  std::optional<std::int64_t> read_seq;            // absent: never opened
  std::int64_t unread = 0, mentions = 0;
  bool hidden = false;
};
struct Synced {
  storage::Page<Changed> channels;                 // those of the user by their age, then what it looked on at
  std::vector<std::string> gone;                   // named, and not for this user (any more); on the first page
};
std::string synced_json(const Synced& synced);

/// Compares numbers, never times. Channels that are as the client has them are not mentioned. A client with more channels than
/// it may name asks part by part, from cid to cid; named in no part, a channel is `added`.
/// Shape:   1..limit changed channels a page; `gone` at most as many as were named.
/// Errors:  not_found (user); invalid_field (next)
/// Cost:    two statements; a row per channel of the user behind the cursor, until the page is full.
Synced sync(storage::Transaction& tx, const std::string& user_id, const realtime::SyncAsk& asked, int limit, const storage::Cursors& cursors);

}  // namespace chat::sync
