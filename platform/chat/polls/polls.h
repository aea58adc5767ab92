#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/chat/messages/messages.h"
#include "platform/storage/page.h"
#include "platform/storage/pool.h"

/// Polls: a question with options in a message, which users vote on. A poll is made by sending its message (messages/send_form.h)
/// and goes with it.
namespace chat::polls {

/// Votes for these options, besides what the user voted for already. Where one may vote for one only, the new vote takes the
/// place of the old.
///
/// Shape:   options are places, from 1.
/// Errors:  not_found (message, poll, option); forbidden; channel_frozen; conflict (closed); limit_reached (the poll's max_votes)
/// Event:   poll.voted to the voter's own connections, when changed; not to servers, where the poll is anonymous. The channel
///          hears poll.updated within a second (tell_changed_polls).
/// Thread:  holds the poll's row, so that counts and limits are exact; not the channel's head.
struct Voted {
  bool changed = false;
  messages::Message message;                   // without what is the caller's own
};
Voted vote_in_poll(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, const std::vector<int>& options,
                   Timestamp now);

/// One more option, where the poll allows it. One with this text already: nothing changes. From the shadow of a ban nothing is kept.
/// Errors:  as vote_in_poll; limit_reached (20 options)
/// Event:   poll.updated to the channel within a second
Voted suggest_option(storage::Transaction& tx, const channels::Opened& opened, MessageId id, const std::string& text, Timestamp now);

/// Errors:  not_found (also: no such vote); conflict (closed)
/// Event:   as above
messages::Message retract_vote(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, int option,
                               Timestamp now);

/// By the message's author, moderators and servers. Twice changes nothing. `opened` must be locked.
/// Errors:  not_found; forbidden
/// Event:   poll.closed, when changed
messages::Message close_poll(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, Timestamp now);

struct Vote {
  std::string user_id;
  int option = 0;
  Timestamp created_at;
};
/// Who voted, by option, the newest first; of one option with `option`.
/// Errors:  not_found; forbidden (the poll is anonymous, for moderators and servers, too)
storage::Page<Vote> list_votes(storage::Transaction& tx, const channels::Opened& opened, MessageId id, const std::optional<int>& option,
                               int limit, const std::optional<std::string>& cursor, const storage::Cursors& cursors);

/// Fills `own_votes` into the polls of messages that the acting user is shown.
void add_own(storage::Transaction& tx, const channels::Opened& opened, std::vector<messages::Message>& messages);

/// For the jobs. However many nodes run them, a change is told and a poll is closed once.
/// Event:   poll.updated, one for all votes since the last one; poll.closed
/// Returns: how many polls were told of, or closed.
int tell_changed_polls(storage::Connection& connection, bus::Bus& bus, Timestamp now);
int close_due_polls(storage::Connection& connection, bus::Bus& bus, Timestamp now);

}  // namespace chat::polls
