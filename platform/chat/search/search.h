#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/chat/channels/channels.h"
#include "platform/chat/messages/messages.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"

/// Finds messages by what they say, and channels by their names. Never shows what its caller could not read in the channel.
namespace chat::search {

/// Shape:   `text` as people type it: words (all must occur, in any form that the application's language knows), "a phrase",
///          or, -without. Of each list one value suffices.
struct MessageQuery {
  std::optional<std::string> text;
  std::vector<std::string> cids;               // empty: all that the user is a member of; for a server all
  std::vector<std::string> senders, mentions;  // user_ids
  std::vector<std::string> attachment_types;
  bool has_attachments = false;
  std::optional<Timestamp> since, until;       // [since, until)
  bool by_relevance = false;                   // else newest first
  int limit = 25;
  std::optional<std::string> next;
};
inline constexpr std::size_t kMaxTextBytes = 256;
inline constexpr std::size_t kMaxCids = 20;
inline constexpr std::size_t kMaxPeople = 20;
inline constexpr int kMaxLimit = 50;
/// Ranking looks at the matches among the newest 10,000 messages; when they do not fill a page, at the newest kRanked of all.
inline constexpr int kRanked = 1'000;

/// A piece of a snippet: the author's words. `match`: one of the words that were asked for.
struct Piece {
  std::string text;
  bool match = false;
};
struct Hit {
  messages::Message message;
  std::vector<Piece> snippet;                  // empty without text
};

/// Errors:  not_found (a cid that the user may not read); invalid_field (#/query: no word to look for; #/next)
/// Cost:    six statements and one per channel that the page's hits are in; at most 10,000 messages are looked at one by one,
///          the rest by index (migration `search`).
storage::Page<Hit> search_messages(storage::Transaction& tx, const tenants::Caller& caller, const std::string& acting_user,
                                   const MessageQuery& query, const storage::Cursors& cursors, Timestamp now);

/// Channels whose names hold words that begin with those of `text`, by name: those of the user, and open ones.
/// Cost:    one statement, and one per hit.
inline constexpr int kMaxChannels = 25;
storage::Page<channels::Opened> search_channels(storage::Transaction& tx, const tenants::Caller& caller,
                                                const std::string& acting_user, const std::string& text, int limit,
                                                const std::optional<std::string>& next, const storage::Cursors& cursors);

}  // namespace chat::search
