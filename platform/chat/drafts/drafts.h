#pragma once
#include <optional>
#include <string>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"

/// Drafts: what a user has begun to write, one in each channel and one in each thread, the same on all of the user's devices.
/// Nobody else sees them.
namespace chat::drafts {

inline constexpr int kMaxDrafts = 200;         // of one user

struct Draft {
  std::string cid;
  ChannelId channel;
  std::optional<MessageId> parent;             // of a reply in this message's thread; absent: in the channel
  std::string message;                         // JSON, as POST …/messages takes it
  Timestamp created_at, updated_at;
};
/// Shape:   as openapi.yaml's Draft
std::string draft_json(const Draft& draft);

struct Saved {
  bool created = false;
  Draft draft;
};
/// Saves, or replaces; the last one wins. The same again changes nothing and is not told.
/// Errors:  not_found (`parent` is no message that can have replies); limit_reached
/// Event:   draft.updated to the user's own devices, when changed
Saved save_draft(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const std::optional<MessageId>& parent,
                 const std::string& message, Timestamp now);

/// Errors:  not_found
Draft get_draft(storage::Transaction& tx, const channels::Opened& opened, const std::optional<MessageId>& parent);

/// Errors:  not_found
/// Event:   draft.deleted to the user's own devices
void delete_draft(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const std::optional<MessageId>& parent,
                  Timestamp now);

/// The last changed first. Left out: those in channels that the user may no longer read.
/// Errors:  not_found (user)
storage::Page<Draft> list_drafts(storage::Transaction& tx, const std::string& user_id, int limit,
                                 const std::optional<std::string>& cursor, const storage::Cursors& cursors);

/// draft.deleted of a draft that went with its message, for the lane that sent it.
bus::Event sent_event(AppId app, const std::string& user_id, const std::string& cid, const std::optional<MessageId>& parent, Timestamp now);

}  // namespace chat::drafts
