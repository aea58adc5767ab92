#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/chat/channels/channels.h"
#include "platform/storage/transaction.h"

/// What a user wants to be told of by push, in general and in single channels.
namespace chat::notifications {

/// A time of each day in which nothing is pushed. Minutes of the day in the user's time zone; from = to: the whole day.
struct Quiet {
  int from = 0, to = 0;
  std::vector<int> days;                       // 1 Monday … 7 Sunday, on which it begins; empty: all
  std::string time_zone;                       // IANA: Europe/Berlin
};
struct Preferences {
  std::string level = "all";                   // all | mentions | none
  std::optional<Timestamp> muted_until;
  std::optional<Quiet> quiet;
  std::optional<std::string> language;         // of templates
  std::optional<Timestamp> updated_at;         // absent: never set
};
/// Shape:   as openapi.yaml's PushPreferences
std::string preferences_json(const Preferences& preferences);

/// Errors:  not_found (user)
Preferences get_preferences(storage::Transaction& tx, const std::string& user_id);
/// Takes the place of all that was set.
/// Errors:  not_found (user); invalid_field #/quiet/time_zone
/// Cost:    with a time zone PostgreSQL reads its list of them, some 50 ms
Preferences set_preferences(storage::Transaction& tx, const std::string& user_id, const Preferences& preferences, Timestamp now);

/// What differs in one channel.
struct ChannelPreference {
  std::optional<std::string> level;            // absent: as in general
  std::optional<Timestamp> muted_until;
};
std::string channel_preference_json(const std::string& cid, const ChannelPreference& preference);
ChannelPreference get_channel_preference(storage::Transaction& tx, const channels::Opened& opened);
ChannelPreference set_channel_preference(storage::Transaction& tx, const channels::Opened& opened, const ChannelPreference& preference, Timestamp now);

}  // namespace chat::notifications
