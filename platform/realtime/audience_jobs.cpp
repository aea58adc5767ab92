#include <algorithm>

#include "platform/base/log.h"
#include "platform/realtime/audiences.h"
#include "platform/realtime/measures.h"

namespace chat::realtime {
namespace {

constexpr std::chrono::milliseconds kFirstBackoff{100};
constexpr int kMaxBackoffShift = 5;

}  // namespace

void Audiences::start_job(HotChannel& channel) {
  Job job{channel.key, channel.generation, channel.app, channel.id, std::nullopt, std::nullopt};
  if (channel.state == HotChannel::State::hot && channel.sequencer.has_hole()) {
    measures().gaps.add();
    job.hole = {channel.sequencer.next() - 1, channel.sequencer.hole_end()};
  } else if (channel.state == HotChannel::State::hot && channel.may_be_behind) {
    job.known = channel.sequencer.next() - 1;
    channel.may_be_behind = false;
  }
  channel.job_running = true;
  channel.wants_refresh = false;
  channel.changes.clear();
  jobs_.push_back(std::move(job));
  pump();
}

void Audiences::pump() {
  while (running_jobs_ < bounds_.max_jobs && !jobs_.empty()) {
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    ++running_jobs_;
    if (source_.submit([this, job](storage::Connection& connection) { run(job, connection); })) continue;
    --running_jobs_;
    const auto found = channels_.find(job.key);
    if (found != channels_.end() && found->second->generation == job.generation) failed(*found->second);
  }
}

void Audiences::run(Job job, storage::Connection& connection) {
  Found found;
  try {
    if (job.hole) found.missed = source_.load_missed(connection, job.app, job.id, job.hole->first, job.hole->second);
    found.audience = source_.load_audience(connection, job.app, job.id);
    if (job.known && found.audience && found.audience->last_seq > *job.known) {
      measures().gaps.add();
      job.hole = {*job.known, found.audience->last_seq};
      found.missed = source_.load_missed(connection, job.app, job.id, job.hole->first, job.hole->second);
    }
  } catch (const std::exception& error) {
    log::warn("audience.load_failed", {{"cid", job.key.substr(16)}, {"app", job.app.wire()}, {"error", error.what()}});
    found.failed = true;
  }
  const Turn turn(*this);
  --running_jobs_;
  finish(job, std::move(found));
  pump();
}

void Audiences::finish(const Job& job, Found found) {
  const auto place = channels_.find(job.key);
  if (place == channels_.end() || place->second->generation != job.generation) return;
  HotChannel& channel = *place->second;
  if (found.failed) return failed(channel);
  channel.job_running = false;
  if (channel.state == HotChannel::State::loading) return loaded(channel, std::move(found.audience));
  // The channel was deleted, or made again: what we hold is of the old one.
  if (!found.audience || found.audience->epoch != channel.epoch) return restart(channel, "epoch");
  if (job.hole && !found.missed) return restart(channel, "gap");
  filled(channel, std::move(*found.audience), std::move(found.missed).value_or(std::vector<Missed>{}), job);
}

void Audiences::failed(HotChannel& channel) {
  channel.job_running = false;
  const int shift = std::min(channel.attempts, kMaxBackoffShift);
  channel.retry_at = source_.now() + kFirstBackoff * (1 << shift);
  ++channel.attempts;
  attention_.insert(&channel);
  if (channel.state == HotChannel::State::hot) {
    if (channel.attempts >= bounds_.fill_attempts) restart(channel, "gap");
    return;
  }
  if (channel.attempts < bounds_.load_attempts) return;
  log::error("audience.unavailable", {{"cid", channel.cid}, {"app", channel.app.wire()}});
  shards_.close_application(channel.app, Close::unavailable);   // they reconnect and resume: nothing is lost
  forget(channel);
}

void Audiences::loaded(HotChannel& channel, std::optional<Audience> audience) {
  auto items = std::exchange(channel.queue, {});
  if (!audience) {
    for (const auto& item : items) {
      tell_named_only(channel, item);
    }
    if (!channel.resync_reason.empty()) post_resync(channel, "not_found", 0);
    return forget(channel);
  }
  const auto other_epoch = [&](const Item& item) {
    return item.event->seq != 0 && item.event->epoch != audience->epoch;
  };
  if (std::erase_if(items, other_epoch) > 0) channel.resync_reason = "epoch";

  std::int64_t first = audience->last_seq + 1;
  for (const auto& item : items) {
    if (item.event->seq != 0) first = std::min(first, item.event->seq);
  }
  const std::int64_t last_seq = audience->last_seq;
  channel.state = HotChannel::State::hot;
  channel.attempts = 0;
  set_audience(channel, std::move(*audience));
  const bool must_resync = !channel.resync_reason.empty();
  const std::int64_t next = must_resync ? last_seq + 1 : first;
  channel.sequencer.start(next);
  rings_bytes_ -= static_cast<std::int64_t>(channel.ring.bytes());
  channel.ring.clear(next - 1);
  if (must_resync) {
    channel.sequencer.cover_past();
    post_resync(channel, std::exchange(channel.resync_reason, {}), last_seq);
  }
  for (auto& item : items) {
    if (channel.state == HotChannel::State::hot) take_hot(channel, std::move(item));
    else queue(channel, std::move(item));                  // too many behind a hole: it began anew
  }
}

// The member list is newer than the missed events: who left meanwhile must not hear them, so it comes first.
void Audiences::filled(HotChannel& channel, Audience audience, std::vector<Missed> missed, const Job& job) {
  channel.attempts = 0;
  set_audience(channel, std::move(audience));
  if (!job.hole) return;
  std::vector<std::pair<std::int64_t, Item>> ready;
  for (auto& one : missed) {
    channel.sequencer.offer(one.seq, Item{nullptr, share_frame(Opcode::text, one.frame)}, ready);
  }
  for (const auto& [seq, item] : ready) tell(channel, seq, item);
  if (channel.sequencer.next() <= job.hole->second) return restart(channel, "gap");   // the answer had a hole itself
  channel.hole_since = source_.now();
  if (channel.sequencer.has_hole()) attention_.insert(&channel);
}

// What joined or left while the snapshot was on its way and is not in it, is put on top.
void Audiences::set_audience(HotChannel& channel, Audience audience) {
  channel.epoch = std::move(audience.epoch);
  channel.open = audience.open;
  channel.large = audience.large;
  channel.as_of = audience.last_seq;
  directory_.replace(channel, channel.members, channel.app, audience.members);
  for (const auto& event : std::exchange(channel.changes, {})) {
    if (event->seq > audience.last_seq) change_members(channel, *event);
  }
  auto roster = std::make_shared<Roster>();
  roster->app = channel.app;
  roster->key = channel.key;
  roster->cid = channel.cid;
  roster->members = member_ids(channel);
  roster->open = channel.open;
  shards_.assemble(std::move(roster));
}

// Begins anew: what is held waits for a fresh snapshot, and the sessions will be told to resync.
void Audiences::restart(HotChannel& channel, std::string_view reason) {
  channel.state = HotChannel::State::loading;
  channel.resync_reason = reason;
  channel.generation = next_generation_++;
  channel.attempts = 0;
  channel.retry_at = {};
  for (auto& [seq, item] : channel.sequencer.take_held()) {
    channel.queue.push_back(std::move(item));            // held ones came over the bus: they have their event
  }
  directory_.clear(channel, channel.members);
  start_job(channel);
}

// Nothing is missed meanwhile, so nobody need resync; unless something was missing already.
void Audiences::regather(HotChannel& channel) {
  if (channel.state == HotChannel::State::hot) return restart(channel, channel.sequencer.has_hole() ? "gap" : "");
  channel.generation = next_generation_++;     // what is on its way was read before
  start_job(channel);
}

void Audiences::regather(AppId app, const std::string& cid) {
  const Turn turn(*this);
  const auto found = channels_.find(scoped(app, cid));
  if (found != channels_.end()) regather(*found->second);
}

void Audiences::regather_all(AppId app) {
  const Turn turn(*this);
  std::vector<std::string> keys;               // a job that can't be had may forget any of them
  for (const auto& [key, channel] : channels_)
    if (channel->app == app) keys.push_back(key);
  for (const auto& key : keys)
    if (const auto found = channels_.find(key); found != channels_.end()) regather(*found->second);
}

void Audiences::look_again() {
  const Turn turn(*this);
  for (auto& [key, channel] : channels_) {
    channel->wants_refresh = channel->may_be_behind = true;
    attention_.insert(channel.get());
  }
}

void Audiences::tick() {
  const Turn turn(*this);
  const Steady now = source_.now();
  const std::vector<HotChannel*> waiting(attention_.begin(), attention_.end());
  for (HotChannel* channel : waiting) {
    if (attention_.contains(channel)) look_after(*channel, now);   // a failing job may have forgotten it
  }
  evict(now);
  pump();
}

void Audiences::look_after(HotChannel& channel, Steady now) {
  if (channel.job_running || now < channel.retry_at) return;
  if (channel.state == HotChannel::State::hot) {
    if (channel.sequencer.has_hole() && now < channel.hole_since + bounds_.gap_wait) return;
    if (!channel.sequencer.has_hole() && !channel.wants_refresh && !channel.may_be_behind) {
      attention_.erase(&channel);
      return;
    }
  }
  start_job(channel);
}

void Audiences::forget(HotChannel& channel) {
  shards_.forget(channel.key);
  directory_.clear(channel, channel.members);
  attention_.erase(&channel);
  by_use_.erase(channel.by_use);
  rings_bytes_ -= static_cast<std::int64_t>(channel.ring.bytes());
  measures().hot_channels.add(-1);
  const std::string key = channel.key;
  channels_.erase(key);
}

void Audiences::evict(Steady now) {
  auto place = by_use_.begin();
  while (place != by_use_.end()) {
    HotChannel& channel = **place++;
    const bool too_many = channels_.size() > max_hot_ || rings_bytes_ > static_cast<std::int64_t>(max_rings_bytes_);
    const bool idle = now - channel.used_at >= idle_;
    if (!idle && (!too_many || place == by_use_.end())) return;    // never the one just used
    // A channel that waits for the database still owes its events.
    if (channel.state == HotChannel::State::loading || channel.sequencer.has_hole()) continue;
    forget(channel);
  }
}

std::vector<std::string> Audiences::member_ids(const HotChannel& channel) const {
  std::vector<std::string> ids;
  ids.reserve(channel.members.all().size());
  for (const auto* user : channel.members.all()) ids.push_back(user->first.substr(channel.app.uuid.bytes.size()));
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace chat::realtime
