#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/chat/messages/messages.h"
#include "platform/storage/page.h"
#include "platform/storage/pool.h"

/// Bookmarks: messages that a user saved for later, with a note and a reminder if wanted. Nobody else sees them.
namespace chat::bookmarks {

inline constexpr int kMaxBookmarks = 1'000;    // of one user
inline constexpr std::size_t kMaxNoteBytes = 1'000;

struct Bookmark {
  std::string cid;
  ChannelId channel;
  MessageId message;
  std::optional<std::string> note;
  std::optional<Timestamp> remind_at, reminded_at;
  Timestamp created_at, updated_at;
};
/// Shape:   as openapi.yaml's Bookmark; with the message when given.
std::string bookmark_json(const Bookmark& bookmark, const messages::Message* message = nullptr);

struct Saved {
  bool created = false;
  Bookmark bookmark;
};
/// Saves, or replaces note and reminder. A reminder that was told and is set anew is told again.
/// Errors:  not_found (message, or deleted); limit_reached
/// Event:   bookmark.updated to the user's own connections, when changed
Saved save_bookmark(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id,
                    const std::optional<std::string>& note, const std::optional<Timestamp>& remind_at, Timestamp now);

/// Errors:  not_found
/// Event:   bookmark.deleted
void delete_bookmark(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, Timestamp now);

struct Listed {
  Bookmark bookmark;
  messages::Message message;
};
/// The last saved first. Left out: what the user may no longer read, and erased messages.
/// Errors:  not_found (user)
storage::Page<Listed> list_bookmarks(storage::Transaction& tx, const std::string& user_id, int limit,
                                     const std::optional<std::string>& cursor, const storage::Cursors& cursors);

/// Tells the reminders that are due, each once, however many nodes ask. For the job.
/// Event:   reminder.due to the user's own connections
/// Returns: how many were told.
int tell_due_reminders(storage::Connection& connection, bus::Bus& bus, Timestamp now);

}  // namespace chat::bookmarks
