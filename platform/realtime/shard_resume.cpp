#include <algorithm>

#include "platform/realtime/measures.h"
#include "platform/realtime/notices.h"
#include "platform/realtime/shard.h"

namespace chat::realtime {
namespace {

constexpr std::int64_t kEventsPerLoad = 100;
// Resumed channels are kept subscribed so that an event published late is not told twice; above this many they are not.
constexpr std::size_t kMaxKeptSubscriptions = 2'000;

}  // namespace

void Shard::resume(Session& session, const ResumeCommand& command, std::string ref) {
  auto catch_up = std::make_unique<CatchUp>();
  catch_up->kind = CatchUp::Kind::resume;
  catch_up->ref = std::move(ref);
  for (const auto& channel : command.channels) {
    if (!resume_from_memory(session, channel, *catch_up)) {
      wait_for_database(session, channel.cid, channel.epoch, channel.seq, *catch_up);
    }
  }
  session.will_resume = false;
  session.deadline = Steady::max();
  stop_holding_all(session);
  begin(session, std::move(catch_up));
}

// Ring and position are read under the audiences' lock, under which deliveries are posted: what is still in our mailbox is in
// the ring too, and is skipped by `through`; what is posted later is newer. No hole, no twin.
bool Shard::resume_from_memory(Session& session, const ResumeCommand::Channel& channel, CatchUp& catch_up) {
  if (session.queue.bytes() > shared_.options.max_queue_bytes / 2) return false;   // the database way keeps pace with the reader
  const auto view = shared_.audiences.view(session.identity.app, channel.cid, session.identity.user_id,
                                           Audiences::Since{channel.epoch, channel.seq});
  if (!view) return false;
  const std::string key = scoped(session.identity.app, channel.cid);
  Subscription& subscription = hub_.subscribe(session, key);
  subscription.member = !session.is_server();
  hub_.drop_hold(subscription);
  subscription.through = view->last_seq;
  for (const auto& frame : view->frames) {
    send(session, LocalFrame(session.is_server() ? with_app(frame, session.identity.app) : frame), Kind::answer);
  }
  catch_up.standings.push_back({channel.cid, view->epoch, view->last_seq, false, std::nullopt, 0});
  measures().resumed_memory.add();
  return true;
}

void Shard::wait_for_database(Session& session, std::string cid, std::string epoch, std::int64_t seq, CatchUp& catch_up) {
  CatchUp::Channel channel;
  channel.key = scoped(session.identity.app, cid);
  channel.cid = std::move(cid);
  channel.epoch = std::move(epoch);
  channel.seq = seq;
  Subscription& subscription = hub_.subscribe(session, channel.key);
  subscription.deciding = true;
  hub_.hold(subscription);
  catch_up.channels.push_back(std::move(channel));
}

// Those that the command did not name flow from here on.
void Shard::stop_holding_all(Session& session) {
  session.will_resume = false;
  std::vector<Subscription*> held;
  for (const auto& subscription : session.subscriptions) {
    if (subscription->hold && !subscription->deciding) held.push_back(subscription.get());
  }
  for (Subscription* subscription : held) {
    const Hold& hold = *subscription->hold;
    const std::string cid = subscription->room->key.substr(session.identity.app.uuid.bytes.size());
    const std::string epoch = hold.epoch;
    const std::int64_t last_seq = hold.last_seq;
    if (!hub_.release_all(*subscription)) say(session, notices::resync(cid, "gap", epoch, last_seq));
    if (!session.is_server()) hub_.drop_if_idle(*subscription);
  }
}

void Shard::begin(Session& session, std::unique_ptr<CatchUp> catch_up) {
  session.catch_up = std::move(catch_up);
  if (session.catch_up->channels.empty()) finish(session);
  else locate(session);
}

void Shard::locate(Session& session) {
  std::vector<std::string> cids;
  for (const auto& channel : session.catch_up->channels) cids.push_back(channel.cid);
  ask<std::vector<Position>>(
      session,
      [this, identity = session.identity, cids](storage::Connection& connection) {
        return shared_.hooks.locate(connection, identity, cids);
      },
      [this](Session& there, std::vector<Position> positions) { located(there, std::move(positions)); },
      [this](Session& there, const Error& error) { fail(there, error); });
}

void Shard::located(Session& session, std::vector<Position> positions) {
  for (auto& channel : session.catch_up->channels) {
    const auto found = std::find_if(positions.begin(), positions.end(),
                                    [&](const Position& one) { return one.cid == channel.cid; });
    if (found != positions.end()) channel.position = std::move(*found);
    channel.sent = channel.seq;
  }
  advance(session);
}

// Does one channel after the other; stops where the database or the reader must be waited for.
void Shard::advance(Session& session) {
  CatchUp& catch_up = *session.catch_up;
  while (catch_up.at < catch_up.channels.size()) {
    CatchUp::Channel& channel = catch_up.channels[catch_up.at];
    const bool done = catch_up.kind == CatchUp::Kind::watch ? advance_watch(session, channel) : advance_resume(session, channel);
    if (!done) return;
    ++catch_up.at;
  }
  finish(session);
}

bool Shard::advance_watch(Session& session, CatchUp::Channel& channel) {
  const Position& position = channel.position;
  Subscription* subscription = hub_.find(session, channel.key);
  if (!position.may_hear || subscription == nullptr || !subscription->deciding) {
    deny(session, channel);
    session.catch_up->not_found.push_back(channel.cid);
    return true;
  }
  hub_.set_watching(*subscription, true);
  settle_channel(session, channel, true, {});
  return true;
}

bool Shard::advance_resume(Session& session, CatchUp::Channel& channel) {
  const Position& position = channel.position;
  Subscription* subscription = hub_.find(session, channel.key);
  // Not there any more: the user left while the database was being asked.
  if (!position.may_hear || subscription == nullptr || !subscription->deciding) {
    deny(session, channel);
    say(session, notices::resync(channel.cid, "not_found", {}, 0));
    measures().resumed_resync.add();
    return true;
  }
  std::string_view refusal;
  if (position.epoch != channel.epoch) refusal = "epoch";
  else if (channel.seq > position.last_seq) refusal = "ahead";
  else if (position.last_seq - channel.seq > shared_.options.max_resume_events) refusal = "too_old";
  if (!refusal.empty() || channel.sent == position.last_seq) {
    settle_channel(session, channel, refusal.empty(), refusal);
    return true;
  }
  if (session.queue.bytes() > shared_.options.max_queue_bytes / 2) {
    session.catch_up->waiting = true;
  } else {
    load_chunk(session, channel);
  }
  return false;
}

void Shard::load_chunk(Session& session, const CatchUp::Channel& channel) {
  const std::int64_t from = channel.sent;
  const std::int64_t to = std::min(from + kEventsPerLoad, channel.position.last_seq);
  using Chunk = std::optional<std::vector<Missed>>;
  ask<Chunk>(
      session,
      [this, app = session.identity.app, id = channel.position.channel, from, to](storage::Connection& connection) {
        return shared_.hooks.load_missed(connection, app, id, from, to);
      },
      [this, to](Session& there, Chunk missed) { take_chunk(there, std::move(missed), to); },
      [this](Session& there, const Error& error) { fail(there, error); });
}

void Shard::take_chunk(Session& session, std::optional<std::vector<Missed>> missed, std::int64_t to) {
  CatchUp& catch_up = *session.catch_up;
  CatchUp::Channel& channel = catch_up.channels[catch_up.at];
  std::int64_t next = channel.sent + 1;
  const bool in_order = missed && std::all_of(missed->begin(), missed->end(), [&](const Missed& one) { return one.seq == next++; });
  if (!in_order || next != to + 1) {
    settle_channel(session, channel, false, "too_old");
    ++catch_up.at;
    return advance(session);
  }
  for (const auto& one : *missed) {
    const Bytes frame = share_frame(Opcode::text, one.frame);
    send(session, LocalFrame(session.is_server() ? with_app(frame, session.identity.app) : frame), Kind::answer);
  }
  channel.sent = to;
  advance(session);
}

// The channel's last step: what was held goes out, or a resync says from where to go on.
void Shard::settle_channel(Session& session, CatchUp::Channel& channel, bool complete, std::string_view reason) {
  const Position& position = channel.position;
  Subscription* subscription = hub_.find(session, channel.key);
  if (subscription == nullptr) return deny(session, channel);
  subscription->deciding = false;
  const bool keep = !session.is_server() && session.subscriptions.size() <= kMaxKeptSubscriptions;
  if (session.catch_up->kind == CatchUp::Kind::resume) subscription->resumed = keep;
  std::int64_t last_seq = position.last_seq;
  const std::int64_t held = subscription->hold ? subscription->hold->last_seq : 0;
  if (!complete) {
    say(session, notices::resync(channel.cid, reason, position.epoch, position.last_seq));
    measures().resumed_resync.add();
  } else if (session.catch_up->kind == CatchUp::Kind::resume) {
    measures().resumed_database.add();
  }
  if (!hub_.release(*subscription, position.last_seq)) {
    last_seq = std::max(last_seq, held);
    say(session, notices::resync(channel.cid, "gap", position.epoch, last_seq));
    measures().resumed_resync.add();
  }
  session.catch_up->standings.push_back({channel.cid, position.epoch, last_seq, true, position.read_seq, position.unread});
  if (!session.is_server()) hub_.drop_if_idle(*subscription);
}

void Shard::deny(Session& session, const CatchUp::Channel& channel) {
  Subscription* subscription = hub_.find(session, channel.key);
  if (subscription == nullptr || !subscription->deciding) return;
  hub_.unsubscribe(*subscription);
}

// Nothing was promised yet for the channels that are left: their events flow as before, and the client asks again.
void Shard::fail(Session& session, const Error& error) {
  const auto catch_up = std::move(session.catch_up);
  for (std::size_t i = catch_up->at; i < catch_up->channels.size(); ++i) {
    Subscription* subscription = hub_.find(session, catch_up->channels[i].key);
    if (subscription == nullptr || !subscription->deciding) continue;
    subscription->deciding = false;
    const Hold held = *subscription->hold;
    if (!subscription->member) hub_.unsubscribe(*subscription);
    else if (!hub_.release_all(*subscription)) say(session, notices::resync(catch_up->channels[i].cid, "gap", held.epoch, held.last_seq));
  }
  say(session, notices::error(error, catch_up->ref));
}

void Shard::finish(Session& session) {
  const auto catch_up = std::move(session.catch_up);
  const bool is_watch = catch_up->kind == CatchUp::Kind::watch;
  say(session, notices::done(is_watch ? "watch.done" : "resume.done", catch_up->ref, catch_up->standings, catch_up->not_found));
  go_on(session);
}

}  // namespace chat::realtime
