#pragma once
#include <functional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/messages/messages.h"
#include "platform/storage/pool.h"

/// `mention_here`: who is there is found out when the message is published, behind its send.
namespace chat::reads {

inline constexpr int kMaxAskedHere = 1'000;    // members; of a channel with more, the others are not looked for

struct Here {
  bus::Bus& bus;
  /// Those of the users who are online now, on whatever node; who is away is not. May wait; asked outside of transactions.
  std::function<std::vector<std::string>(AppId, const std::vector<std::string>& user_ids)> online;
  std::function<bool(storage::Pool::Task)> run;
};

/// The members who are online are mentioned, as if by name: their unread numbers say so, and tell them. Not: the author, who may not read
/// the channel, and whoever blocked the author. Nobody of a large channel, nor by what counts for nobody.
/// Event:   notification.unread_changed to those mentioned, in a turn of the UnreadAnnouncer
/// Thread:  any; does its work on a worker. What a full queue or a lost database keeps from being done is lost, and logged: those who
///          were there have the message itself.
/// Cost:    two statements and one question to the store, none of it on the sender's way.
void mention_here(const Here& here, AppId app, ChannelId channel, const messages::Message& message);

}  // namespace chat::reads
