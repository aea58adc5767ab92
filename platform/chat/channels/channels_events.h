#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"

/// What a channel's members and watchers are told, numbered. Data: {"channel":{…}} or {"member":{…}}.
namespace chat::channels {

inline constexpr std::string_view kChannelCreated = "channel.created";
inline constexpr std::string_view kChannelUpdated = "channel.updated";
inline constexpr std::string_view kChannelDeleted = "channel.deleted";
inline constexpr std::string_view kMemberAdded = "member.added";
inline constexpr std::string_view kMemberUpdated = "member.updated";
inline constexpr std::string_view kMemberRemoved = "member.removed";
inline constexpr std::string_view kMemberBanned = "member.banned";              // {"ban":{…}}; nobody hears of a shadow ban
inline constexpr std::string_view kMemberUnbanned = "member.unbanned";          // {"user_id"}
inline constexpr std::string_view kMembershipUpdated = "membership.updated";   // {"membership":{…}}, to that user alone

/// Bus control word: a channel is in another team, or in reach of all. Its detail: the cid.
inline constexpr std::string_view kChannelMoved = "channel.moved";

/// One durable event to come.
struct Draft {
  std::string_view type;
  std::string data;                            // JSON object
  std::optional<MessageId> message = {};       // then `data` is not stored: a resume shows the message as it is by then
  std::vector<std::string> joined = {}, left = {};
};

/// Gives the drafts the channel's next numbers, keeps them for those who are away, and publishes them after the commit.
/// Thread:  holds the channel's head row until the end of the transaction.
/// Cost:    two statements, whatever the number of drafts.
void tell(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, Timestamp now, std::vector<Draft> drafts);

/// The first event of a channel that was made in this transaction, whose head holds number 1 already.
struct FirstEvent {
  const Channel* channel;
  Draft draft;
};
/// As `tell`, of many such channels at once. Cost: one statement.
void tell_first(storage::Transaction& tx, bus::Bus& bus, Timestamp now, std::vector<FirstEvent> events);

/// An event that is not numbered and not kept: gone if nobody is there.
void tell_unnumbered(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, Timestamp now, std::string_view type,
                     std::string data);

/// The same to one user's devices and the customer's servers only, whether or not it is a member.
void tell_user(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, const std::string& user_id, Timestamp now,
               std::string_view type, std::string data);
/// The same, and the customer's servers don't hear it either: what is said and done in the shadow.
void tell_devices(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, const std::string& user_id, Timestamp now,
                  std::string_view type, std::string data);

}  // namespace chat::channels
