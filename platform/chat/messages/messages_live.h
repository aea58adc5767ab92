#pragma once
#include "platform/realtime/gateway.h"
#include "platform/webhooks/outbox.h"

namespace chat::messages {

/// The numbered events of a channel with from < seq <= to, in order, as frames: messages from their rows (as they are now),
/// everything else from channel_events. None when a number is no longer stored; then only a resync is honest.
/// Cost:    last_seq - from rows at most, whatever the channel's size.
std::optional<std::vector<realtime::Missed>> load_missed(storage::Connection& connection, AppId app, ChannelId channel,
                                                         std::int64_t from, std::int64_t to);

/// What webhooks ask for: the references filled, with messages as they are now. Those whose content is no longer stored are gone.
/// Cost:    three statements, however many
void load_kept(storage::Transaction& tx, std::vector<webhooks::Kept>& kept);

}  // namespace chat::messages
