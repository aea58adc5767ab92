#include "platform/chat/channels/channels_events.h"

#include "platform/base/text.h"
#include "platform/chat/channels/channels_events.sql.h"

namespace chat::channels {
namespace {

bus::Event event_of(const storage::Transaction& tx, const Channel& channel, Timestamp now, std::string_view type) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = tx.app();
  event.type = type;
  event.reach = bus::Reach::channel;
  event.channel = channel.id;
  event.cid = channel.cid();
  event.created_at = now;
  return event;
}

}  // namespace

namespace {

/// The arrays of insert_events, in its order; the event itself goes out after the commit.
struct Columns {
  text::ArrayLiteral channels, seqs, ids, types, messages, datas;

  void add(storage::Transaction& tx, bus::Bus& bus, bus::Event event, Draft draft) {
    channels.add(event.channel.text());
    seqs.add(std::to_string(event.seq));
    ids.add(event.id.text());
    types.add(draft.type);
    if (draft.message) messages.add(draft.message->text());
    else messages.add_null();
    if (draft.message) datas.add_null();
    else datas.add(draft.data);
    event.data = std::move(draft.data);
    event.joined = std::move(draft.joined);
    event.left = std::move(draft.left);
    bus::emit(tx, bus, std::move(event));
  }
  void insert(storage::Transaction& tx, Timestamp now) {
    tx.run(sql::insert_events, tx.app(), channels.take(), seqs.take(), ids.take(), types.take(), messages.take(), datas.take(), now);
  }
};

}  // namespace

void tell(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, Timestamp now, std::vector<Draft> drafts) {
  if (drafts.empty()) return;
  const auto count = static_cast<std::int64_t>(drafts.size());
  auto head = tx.query(sql::take_numbers, tx.app(), channel.id, count);
  std::int64_t seq = head[0].integer(0) - count;
  const std::string epoch(head[0].text(1));
  Columns columns;
  for (auto& draft : drafts) {
    auto event = event_of(tx, channel, now, draft.type);
    event.seq = ++seq;
    event.epoch = epoch;
    columns.add(tx, bus, std::move(event), std::move(draft));
  }
  columns.insert(tx, now);
}

void tell_first(storage::Transaction& tx, bus::Bus& bus, Timestamp now, std::vector<FirstEvent> events) {
  if (events.empty()) return;
  Columns columns;
  for (auto& first : events) {
    auto event = event_of(tx, *first.channel, now, first.draft.type);
    event.seq = 1;
    event.epoch = first.channel->epoch;
    columns.add(tx, bus, std::move(event), std::move(first.draft));
  }
  columns.insert(tx, now);
}

void tell_unnumbered(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, Timestamp now, std::string_view type,
                     std::string data) {
  auto event = event_of(tx, channel, now, type);
  event.data = std::move(data);
  bus::emit(tx, bus, std::move(event));
}

namespace {

void tell_one(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, bus::Reach reach, const std::string& user_id, Timestamp now,
              std::string_view type, std::string data) {
  auto event = event_of(tx, channel, now, type);
  event.reach = reach;
  event.user_id = user_id;
  event.data = std::move(data);
  bus::emit(tx, bus, std::move(event));
}

}  // namespace

void tell_user(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, const std::string& user_id, Timestamp now,
               std::string_view type, std::string data) {
  tell_one(tx, bus, channel, bus::Reach::user, user_id, now, type, std::move(data));
}

void tell_devices(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, const std::string& user_id, Timestamp now,
                  std::string_view type, std::string data) {
  tell_one(tx, bus, channel, bus::Reach::devices, user_id, now, type, std::move(data));
}

}  // namespace chat::channels
