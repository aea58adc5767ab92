#include "platform/chat/messages/messages_live.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "platform/base/text.h"
#include "platform/chat/messages/command_text.h"
#include "platform/chat/messages/messages.h"
#include "platform/chat/messages/messages_events.h"
#include "platform/chat/messages/messages_live.sql.h"
#include "platform/chat/messages/read_row.h"

namespace chat::messages {
namespace {

struct Place {
  std::string cid, epoch;
  std::int64_t last_seq = 0;
  std::optional<Uuid> last_message_id;
};

using Frames = std::map<std::int64_t, std::string>;

bus::Event event_at(AppId app, ChannelId channel, const Place& place, std::int64_t seq, Uuid id, std::string_view type, Timestamp at) {
  bus::Event event;
  event.id = EventId{id};
  event.app = app;
  event.type = type;
  event.channel = channel;
  event.cid = place.cid;
  event.epoch = place.epoch;
  event.seq = seq;
  event.created_at = at;
  return event;
}

void add_messages(storage::Transaction& tx, ChannelId channel, const Place& place, std::int64_t from, std::int64_t to, Frames& frames) {
  if (!place.last_message_id) return;
  auto rows = tx.query(sql::missed_messages, tx.app(), channel, from, to, *place.last_message_id, channel, place.last_seq - from);
  for (auto row : rows) {
    const Message message = read_message(row);
    auto event = event_at(tx.app(), channel, place, message.seq, message.id.uuid,
                          message.erased ? kMessageDeleted : kMessageNew, message.created_at);
    event.data = message.erased ? deleted_data(message) : message_data(message);
    frames[message.seq] = bus::render(event);
  }
}

std::unordered_map<Uuid, Message> messages_of(storage::Transaction& tx, ChannelId channel, const storage::Rows& events) {
  text::ArrayLiteral ids;
  for (auto row : events)
    if (auto id = row.optional_uuid(3)) ids.add(id->text());
  std::unordered_map<Uuid, Message> messages;
  auto rows = tx.query(sql::shown_messages, tx.app(), channel, ids.take());
  for (auto row : rows) {
    Message message = read_message(row);
    messages.emplace(message.id.uuid, std::move(message));
  }
  return messages;
}

void add_events(storage::Transaction& tx, ChannelId channel, const Place& place, std::int64_t from, std::int64_t to, Frames& frames) {
  auto rows = tx.query(sql::missed_events, tx.app(), channel, from, to);
  if (rows.empty()) return;
  const auto messages = messages_of(tx, channel, rows);
  for (auto row : rows) {
    auto event = event_at(tx.app(), channel, place, row.integer(0), row.uuid(1), row.text(2), row.time(5));
    if (auto id = row.optional_uuid(3)) {
      auto message = messages.find(*id);
      if (message == messages.end()) continue;
      const bool is_back = event.type == kMessageDeleted && !message->second.deleted_at;   // undeleted since
      if (is_back) event.type = kMessageUpdated;
      if (event.type == kMessageNew && message->second.erased) event.type = kMessageDeleted;   // it came out of the shadow, and went
      event.data = event.type == kMessageDeleted ? deleted_data(message->second) : message_data(message->second);
    } else {
      event.data = row.text(4);
    }
    frames[event.seq] = bus::render(event);
  }
}

using Kept = std::vector<webhooks::Kept>;

bool is_reference(const webhooks::Kept& one) { return one.event.data.empty(); }

void fill_places(storage::Transaction& tx, Kept& kept) {
  text::ArrayLiteral channels;
  std::unordered_map<Uuid, std::pair<std::string, std::string>> places;   // cid, epoch
  for (const auto& one : kept)
    if (!one.event.channel.uuid.is_nil() && places.try_emplace(one.event.channel.uuid).second) channels.add(one.event.channel.text());
  if (places.empty()) return;
  auto rows = tx.query(sql::kept_channels, tx.app(), channels.take());
  for (auto row : rows) places[row.uuid(0)] = {std::string(row.text(1)), std::string(row.text(2))};
  for (auto& one : kept) {
    const auto place = places.find(one.event.channel.uuid);
    if (place == places.end()) continue;
    one.event.cid = place->second.first;
    if (one.event.seq != 0) one.event.epoch = place->second.second;
  }
}

/// A command whose message is gone is not told any more.
void fill_from(bus::Event& event, const Message& message) {
  if (event.type == kCommandInvoked) {
    event.data = invoked_data(message);
    return;
  }
  if (message.erased) event.type = kMessageDeleted;
  event.data = event.type == kMessageDeleted ? deleted_data(message) : message_data(message);
}

void fill_messages(storage::Transaction& tx, Kept& kept) {
  text::ArrayLiteral channels, ids;
  bool any = false;
  for (const auto& one : kept) {
    if (!is_reference(one) || !one.message) continue;
    any = true;
    channels.add(one.event.channel.text());
    ids.add(one.message->text());
  }
  if (!any) return;
  std::unordered_map<Uuid, Message> messages;
  auto rows = tx.query(sql::kept_messages, tx.app(), channels.take(), ids.take());
  for (auto row : rows) {
    Message message = read_message(row);
    messages.emplace(message.id.uuid, std::move(message));
  }
  for (auto& one : kept) {
    if (!is_reference(one) || !one.message) continue;
    const auto message = messages.find(one.message->uuid);
    if (message != messages.end()) fill_from(one.event, message->second);
  }
}

void fill_events(storage::Transaction& tx, Kept& kept) {
  text::ArrayLiteral ords, channels, seqs;
  bool any = false;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const auto& one = kept[i];
    if (!is_reference(one) || one.message || one.event.seq == 0) continue;
    any = true;
    ords.add(std::to_string(i));
    channels.add(one.event.channel.text());
    seqs.add(std::to_string(one.event.seq));
  }
  if (!any) return;
  auto rows = tx.query(sql::kept_events, tx.app(), ords.take(), channels.take(), seqs.take());
  for (auto row : rows) kept.at(static_cast<std::size_t>(row.integer(0))).event.data = row.text(1);
}

}  // namespace

void load_kept(storage::Transaction& tx, std::vector<webhooks::Kept>& kept) {
  fill_places(tx, kept);
  fill_messages(tx, kept);
  fill_events(tx, kept);
  for (auto& one : kept) one.is_gone = is_reference(one);
}

std::optional<std::vector<realtime::Missed>> load_missed(storage::Connection& connection, AppId app, ChannelId channel,
                                                         std::int64_t from, std::int64_t to) {
  Frames frames;
  connection.transact(app, storage::Mode::read, [&](storage::Transaction& tx) {
    frames.clear();
    auto rows = tx.find(sql::find_place, app, channel);
    if (!rows) return;
    auto row = (*rows)[0];
    const Place place{std::string(row.text(0)), std::string(row.text(1)), row.integer(2), row.optional_uuid(3)};
    add_messages(tx, channel, place, from, to, frames);
    add_events(tx, channel, place, from, to, frames);
  });
  if (static_cast<std::int64_t>(frames.size()) != to - from) return std::nullopt;
  std::vector<realtime::Missed> missed;
  missed.reserve(frames.size());
  for (auto& [seq, frame] : frames) missed.push_back({seq, std::move(frame)});
  return missed;
}

}  // namespace chat::messages
