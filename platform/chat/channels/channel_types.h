#pragma once
#include <string>
#include <vector>

#include "platform/base/json.h"
#include "platform/chat/channels/permissions.h"
#include "platform/storage/transaction.h"

/// Channel types: settings that all channels of a type share. `messaging`, `team` and `livestream` exist from the start.
namespace chat::channels {

inline constexpr json::Range kPace{0, 21'600};        // seconds of slow mode and cooldown

struct TypeSettings {
  std::int64_t max_message_bytes = 20'000;     // text of one message, UTF-8
  bool replies = true;                         // threads
  bool quotes = true;
  bool open = false;                           // users who are not members may read, watch and send
  bool typing_events = true;                   // who is typing is told
  bool read_events = true;                     // message.read is told to the channel
  bool delivery_events = true;                 // message.delivered is told to the channel
  bool reactions = true;
  bool unique_reactions = false;               // one reaction per user and message: the next replaces it
  bool uploads = true;                         // files and images
  bool polls = true;
  bool push = true;                            // members who are away are notified by push
  bool link_previews = false;                  // linked pages are fetched and shown
  bool pending = false;                        // what those without chat:message:approve send waits for approval
  std::int64_t retention_days = 0;             // messages go when they are older; 0: they stay
  std::int64_t undelete_hours = 24;            // so long after it was deleted a message can be brought back; 0: never
  bool large = false;                          // thousands look on: no typing, read and delivery events, no push, watchers only counted
  std::int64_t slow_mode = 0, cooldown = 0;    // of new channels, in seconds: see Channel
  std::vector<std::string> commands, block_lists;   // names: which of them hold in channels of the type
  Grants grants;                               // who may do what, where that differs from the defaults
};
TypeSettings parse_type_settings(const std::string& json);
std::string type_settings_json(const TypeSettings& settings);       // as stored: grants only where they differ
/// Takes from the settings of a large channel what it has none of: typing, read and delivery events, push.
void keep_large_small(TypeSettings& settings);
/// Errors:  gathered in `fields`
void read_type_settings(json::Fields& fields, TypeSettings& settings);

struct ChannelType {
  std::string type;
  TypeSettings settings;
  Timestamp created_at, updated_at;
};
std::string channel_type_json(const ChannelType& type);

bool is_channel_type(std::string_view text);   // 1-64 of a-z 0-9 _ -

/// Errors:  already_exists; limit_reached (100 types)
ChannelType create_channel_type(storage::Transaction& tx, const std::string& type, const TypeSettings& settings, Timestamp now);
/// Errors:  not_found
ChannelType get_channel_type(storage::Transaction& tx, const std::string& type);
std::vector<ChannelType> list_channel_types(storage::Transaction& tx);
/// Errors:  not_found
ChannelType update_channel_type(storage::Transaction& tx, const std::string& type, const TypeSettings& settings, Timestamp now);
/// Errors:  not_found; conflict (channels of it exist)
void delete_channel_type(storage::Transaction& tx, const std::string& type);

}  // namespace chat::channels
