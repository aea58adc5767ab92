#include "platform/realtime/audiences.h"

#include <algorithm>

#include "platform/realtime/measures.h"

namespace chat::realtime {
namespace {

// The channel itself changed: who may watch it may have, too.
constexpr std::string_view kChannelUpdated = "channel.updated";
// What was said before must not be told again, to nobody: it is read from the database from then on.
constexpr std::string_view kChannelTruncated = "channel.truncated";
// So it is with what was removed for good, a message or a history: the last member of their data, and of nobody else's.
constexpr std::string_view kRemoved = "\"hard\":true}}";
constexpr std::size_t kMaxQueuedEphemeral = 100;

bool has_names(const bus::Event& event) { return !event.joined.empty() || !event.left.empty(); }

}  // namespace

Audiences::Audiences(const Options& options, Bounds bounds, Source source, Shards& shards, const Presence& presence)
    : ring_bytes_(options.ring_bytes), max_rings_bytes_(options.max_rings_bytes), idle_(options.audience_idle),
      max_hot_(options.max_hot_channels), bounds_(bounds), source_(std::move(source)), shards_(shards),
      presence_(presence) {}

void Audiences::publish(std::span<const std::shared_ptr<const bus::Event>> events) {
  std::vector<Item> items;
  items.reserve(events.size());
  for (const auto& event : events) {
    if (is_for_somebody(*event)) items.push_back({event, share_frame(Opcode::text, bus::render(*event))});
  }
  if (items.empty()) return;
  const Turn turn(*this);
  for (auto& item : items) take(std::move(item));
}

// When nobody is there to tell, who connects later reads what is committed. A hot channel goes on all the same, so that its
// ring serves the sockets that come back after a short outage.
bool Audiences::is_for_somebody(const bus::Event& event) const {
  if (presence_.any(event.app)) return true;
  const std::lock_guard lock(mutex_);
  return channels_.contains(scoped(event.app, event.cid));
}

void Audiences::take(Item item) {
  const std::string key = scoped(item.event->app, item.event->cid);
  const auto found = channels_.find(key);
  HotChannel& channel = found != channels_.end() ? *found->second : create(*item.event, key);
  channel.used_at = source_.now();
  by_use_.splice(by_use_.end(), by_use_, channel.by_use);
  if (channel.state == HotChannel::State::loading) {
    queue(channel, std::move(item));
  } else {
    take_hot(channel, std::move(item));
  }
  evict(channel.used_at);
}

HotChannel& Audiences::create(const bus::Event& event, const std::string& key) {
  auto owned = std::make_unique<HotChannel>(bounds_.max_held);
  HotChannel& channel = *owned;
  channel.app = event.app;
  channel.id = event.channel;
  channel.key = key;
  channel.cid = event.cid;
  channel.generation = next_generation_++;
  channel.by_use = by_use_.insert(by_use_.end(), &channel);
  channels_.emplace(key, std::move(owned));
  measures().hot_channels.add(1);
  start_job(channel);
  return channel;
}

void Audiences::queue(HotChannel& channel, Item item) {
  const bool ephemeral = item.event->seq == 0;
  if (ephemeral && channel.queue.size() >= kMaxQueuedEphemeral) return;
  if (channel.queue.size() >= bounds_.max_queued) {
    channel.queue.clear();
    channel.resync_reason = "gap";
  }
  channel.queue.push_back(std::move(item));
}

void Audiences::take_hot(HotChannel& channel, Item item) {
  const bus::Event& event = *item.event;
  if (event.seq == 0) return tell(channel, 0, item);
  if (event.epoch != channel.epoch) {
    restart(channel, "epoch");
    channel.id = event.channel;      // deleted and made again under the same cid
    return queue(channel, std::move(item));
  }
  using Arrival = Sequencer<Item>::Arrival;
  std::vector<std::pair<std::int64_t, Item>> ready;
  const bool had_hole = channel.sequencer.has_hole();
  const std::int64_t seq = event.seq;
  const Item kept = item;
  switch (channel.sequencer.offer(seq, std::move(item), ready)) {
    case Arrival::twin:
      return;
    case Arrival::late:
      // Published so late that the channel became hot with a later event first.
      channel.sequencer.cover_past();
      return post_resync(channel, "gap", channel.sequencer.next() - 1);
    case Arrival::full:
      restart(channel, "gap");
      return queue(channel, kept);
    case Arrival::held:
      if (!had_hole) {
        channel.hole_since = channel.used_at;
        attention_.insert(&channel);
      }
      return;
    case Arrival::ready:
      break;
  }
  for (const auto& [number, next] : ready) tell(channel, number, next);
  if (had_hole) channel.hole_since = channel.used_at;   // another hole may follow, with a wait of its own
}

void Audiences::tell(HotChannel& channel, std::int64_t seq, const Item& item) {
  auto delivery = std::make_shared<Delivery>();
  delivery->app = channel.app;
  delivery->key = channel.key;
  delivery->cid = channel.cid;
  delivery->epoch = channel.epoch;
  delivery->seq = seq;
  delivery->frame = item.frame;
  delivery->is_repeat = item.event == nullptr;
  delivery->large = channel.large;
  if (item.event) {
    delivery->created_at = item.event->created_at;
    if (seq == 0 && !item.event->except.empty()) {
      delivery->except = item.event->except;
      std::ranges::sort(delivery->except);
    }
    if (seq != 0) apply_names(channel, item.event, *delivery);
    if (item.event->type == kChannelUpdated && seq > channel.as_of) {
      channel.wants_refresh = true;
      attention_.insert(&channel);
    }
  }
  const bool forgets = (item.event && item.event->type == kChannelTruncated) || item.frame->ends_with(kRemoved);
  if (forgets && seq != 0) {
    rings_bytes_ -= channel.ring.bytes();
    channel.ring.clear(seq - 1);
  }
  if (seq != 0) rings_bytes_ += channel.ring.push(seq, item.frame, ring_bytes_);
  shards_.deliver(std::move(delivery));
}

// Events up to `as_of` are in the loaded member list already. Their names still hear the event, but only those who are
// members now are subscribed: the event that removed them again may never come by here.
void Audiences::apply_names(HotChannel& channel, const std::shared_ptr<const bus::Event>& shared, Delivery& delivery) {
  const bus::Event& event = *shared;
  if (!has_names(event)) return;
  if (channel.job_running) channel.changes.push_back(shared);
  if (event.seq > channel.as_of) {
    change_members(channel, event);
    delivery.joined = event.joined;
    delivery.left = event.left;
    return;
  }
  const auto is_member = [&](const std::string& user_id) {
    const auto* user = directory_.find(scoped(channel.app, user_id));
    return user != nullptr && channel.members.has(user);
  };
  for (const auto& user_id : event.joined) (is_member(user_id) ? delivery.joined : delivery.told).push_back(user_id);
  for (const auto& user_id : event.left) (is_member(user_id) ? delivery.told : delivery.left).push_back(user_id);
}

void Audiences::change_members(HotChannel& channel, const bus::Event& event) {
  for (const auto& user_id : event.joined) directory_.add(channel, channel.members, scoped(channel.app, user_id));
  for (const auto& user_id : event.left) directory_.remove(channel, channel.members, scoped(channel.app, user_id));
}

// The channel is gone from the database: whom the event names hears it all the same (channel.deleted).
void Audiences::tell_named_only(HotChannel& channel, const Item& item) {
  auto delivery = std::make_shared<Delivery>();
  delivery->app = channel.app;
  delivery->key = channel.key;
  delivery->cid = channel.cid;
  delivery->epoch = item.event->epoch;
  delivery->seq = item.event->seq;
  delivery->frame = item.frame;
  delivery->created_at = item.event->created_at;
  delivery->told = item.event->joined;
  delivery->left = item.event->left;
  shards_.deliver(std::move(delivery));
}

void Audiences::post_resync(HotChannel& channel, std::string_view reason, std::int64_t last_seq) {
  measures().resyncs.add();
  shards_.resync(std::make_shared<const Resync>(Resync{channel.key, channel.cid, reason, channel.epoch, last_seq}));
}

std::vector<std::string> Audiences::channels_of(AppId app, const std::string& user_id) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> keys;
  if (const auto* user = directory_.find(scoped(app, user_id))) {
    keys.reserve(user->second.channels.size());
    for (const HotChannel* channel : user->second.channels) keys.push_back(channel->key);
  }
  return keys;
}

std::optional<Audiences::View> Audiences::view(AppId app, const std::string& cid, const std::string& user_id,
                                               std::optional<Since> since) {
  const std::lock_guard lock(mutex_);
  const auto found = channels_.find(scoped(app, cid));
  if (found == channels_.end() || found->second->state != HotChannel::State::hot) return std::nullopt;
  const HotChannel& channel = *found->second;
  if (!user_id.empty()) {
    const auto* user = directory_.find(scoped(app, user_id));
    if (user == nullptr || !channel.members.has(user)) return std::nullopt;
  }
  View view{channel.epoch, channel.sequencer.next() - 1, {}};
  if (since) {
    if (since->epoch != channel.epoch || !channel.ring.covers(since->seq)) return std::nullopt;
    view.frames = channel.ring.since(since->seq);
  }
  return view;
}

std::int64_t Audiences::hot_channels() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::int64_t>(channels_.size());
}

}  // namespace chat::realtime
