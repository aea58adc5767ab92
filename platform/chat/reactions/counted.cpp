#include "platform/chat/reactions/counted.h"

#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/reactions/reactions.sql.h"
#include "platform/chat/reactions/reactions_events.h"

namespace chat::reactions {

void Counted::changed(AppId app, ChannelId channel, const std::string& cid, MessageId message) {
  const std::lock_guard lock(mutex_);
  note_changed(app, {channel, message, cid});
}

void Counted::note_changed(AppId app, Changed change) {
  if (waiting_ < kMaxWaiting && changed_[app].insert(std::move(change)).second) ++waiting_;
}

// This node's own come here, too, and say nothing new.
void Counted::on_events(bus::Bus::Events events) {
  for (const auto& event : events) {
    if (event->type != kReactionCounted) continue;
    const auto document = json::Document::parse(event->data);
    const auto wire = document.root().find("message_id");
    const auto message = wire ? MessageId::parse(wire->text()) : std::nullopt;
    if (!message) continue;
    const std::lock_guard lock(mutex_);
    const auto told = told_.find({event->app, *message});
    if (told == told_.end()) {
      if (told_.size() < kMaxWaiting) told_[{event->app, *message}] = {event->data, clock_.now()};
    } else if (told->second.data != event->data) {
      told->second = {event->data, clock_.now()};
      note_changed(event->app, {event->channel, *message, event->cid});
    }
  }
}

void Counted::forget(Timestamp now) {
  std::erase_if(told_, [&](const auto& told) { return told.second.at + kRemembered < now; });
}

bool Counted::is_news(AppId app, MessageId message, const std::string& data, Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto told = told_.find({app, message});
  if (told != told_.end() && told->second.data == data) return false;
  if (told != told_.end() || told_.size() < kMaxWaiting) told_[{app, message}] = {data, now};
  return true;
}

void Counted::turn(storage::Connection& connection) {
  std::map<AppId, Slice> changed;
  {
    const std::lock_guard lock(mutex_);
    changed.swap(changed_);
    waiting_ = 0;
    forget(clock_.now());
  }
  for (auto& [app, all] : changed) {
    while (!all.empty()) {
      Slice slice;
      while (!all.empty() && slice.size() < kSlice) slice.insert(all.extract(all.begin()));
      tell(connection, app, slice);
    }
  }
}

void Counted::tell(storage::Connection& connection, AppId app, const Slice& slice) {
  text::ArrayLiteral channels, messages;
  for (const auto& one : slice) {
    channels.add(one.channel.text());
    messages.add(one.message.text());
  }
  const auto channel_list = channels.take(), message_list = messages.take();
  std::map<MessageId, std::string> counts;
  connection.transact(app, storage::Mode::read, [&](storage::Transaction& tx) {
    counts.clear();
    auto rows = tx.query(sql::find_counts, app, channel_list, message_list);
    for (auto row : rows) counts[MessageId{row.uuid(0)}] = row.text(1);
  });
  const Timestamp now = clock_.now();
  for (const auto& one : slice) {
    const auto found = counts.find(one.message);
    if (found == counts.end()) continue;       // deleted meanwhile
    json::Writer data;
    data.object().field("message_id", one.message.wire()).key("reaction_groups").raw(found->second).end();
    bus::Event event;
    event.id = EventId::make(now);
    event.app = app;
    event.type = kReactionCounted;
    event.channel = one.channel;
    event.cid = one.cid;
    event.created_at = now;
    event.data = data.take();
    if (!is_news(app, one.message, event.data, now)) continue;
    bus_.publish(std::make_shared<const bus::Event>(std::move(event)));
  }
}

}  // namespace chat::reactions
