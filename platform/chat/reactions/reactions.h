#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/chat/messages/messages.h"
#include "platform/chat/reactions/counted.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"

/// Reactions: what a user says to a message with one sign. The sign is an emoji or a word of the customer's own.
/// What a message carries (`reaction_groups`) is kept beside it by the database, so that reading messages costs nothing more.
namespace chat::reactions {

inline constexpr std::size_t kMaxTypeBytes = 64;
inline constexpr std::int64_t kMaxScore = 1'000;
inline constexpr int kMaxTypes = 100;          // of one message

struct Reaction {
  std::string type;
  std::string user_id;
  std::int64_t score = 1;
  Timestamp created_at;
  std::optional<Timestamp> updated_at;
};
std::string reaction_json(const Reaction& reaction);

/// 1-64 bytes of UTF-8 without spaces, control characters and '/'.
bool is_reaction_type(std::string_view text);

struct Outcome {
  bool created = false;
  Reaction reaction;
  messages::Message message;                   // as it is now, with the user's own reactions
};

/// The same type again changes the score, or nothing. Where the channel's type allows one reaction of a user, it takes the
/// place of the one before. Takes what lock_channel opened.
/// Errors:  not_found (message, or deleted); forbidden (role, or the type has no reactions); channel_frozen; limit_reached
/// Event:   reaction.new or reaction.updated; reaction.deleted of the one that it replaces. In large channels none: `counted`
///          tells the sum.
Outcome add_reaction(storage::Transaction& tx, bus::Bus& bus, Counted& counted, const channels::Opened& opened, MessageId id,
                     const std::string& type, std::int64_t score, Timestamp now);

/// Takes back the user's own. Also where reactions are no longer allowed.
/// Errors:  not_found (message, or the user has no such reaction)
/// Event:   reaction.deleted; in large channels as above
messages::Message remove_reaction(storage::Transaction& tx, bus::Bus& bus, Counted& counted, const channels::Opened& opened, MessageId id,
                                  const std::string& type, Timestamp now);

/// Of one message, by type, the newest first; of one type only when it is named.
/// Errors:  not_found (message)
storage::Page<Reaction> list_reactions(storage::Transaction& tx, const channels::Opened& opened, MessageId id,
                                       const std::optional<std::string>& type, int limit,
                                       const std::optional<std::string>& cursor, const storage::Cursors& cursors);

/// Fills in `own_reactions` of messages of one channel.
/// Cost:    one statement, or none when no message has a reaction or a server acts for nobody.
void add_own(storage::Transaction& tx, const channels::Opened& opened, std::vector<messages::Message>& messages);

}  // namespace chat::reactions
