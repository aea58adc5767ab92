#include "platform/chat/reactions/counted.h"

#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/reactions/reactions.sql.h"
#include "platform/chat/reactions/reactions_events.h"

namespace chat::reactions {

void Counted::changed(AppId app, ChannelId channel, const std::string& cid, MessageId message) {
  const std::lock_guard lock(mutex_);
  if (waiting_ < kMaxWaiting && changed_[app].insert({channel, message, cid}).second) ++waiting_;
}

void Counted::turn(storage::Connection& connection) {
  std::map<AppId, Slice> changed;
  {
    const std::lock_guard lock(mutex_);
    changed.swap(changed_);
    waiting_ = 0;
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
    bus_.publish(std::make_shared<const bus::Event>(std::move(event)));
  }
}

}  // namespace chat::reactions
