#include "platform/realtime/hub.h"

#include <algorithm>

#include "platform/realtime/notices.h"

namespace chat::realtime {
namespace {

const std::vector<Session*> kNoSessions;

AppId app_of(const std::string& key) {
  AppId app;
  std::copy_n(key.begin(), app.uuid.bytes.size(), app.uuid.bytes.begin());
  return app;
}

void take_out(std::vector<Session*>& from, std::uint32_t place, std::uint32_t Session::* index) {
  from[place] = from.back();
  from[place]->*index = place;
  from.pop_back();
}

std::size_t header_bytes(const std::string& frame) {
  const auto length = static_cast<unsigned char>(frame[1]);
  return length < 126 ? 2 : length == 126 ? 4 : 10;
}

bool has(const Roster& roster, const std::string& user_id) {
  return std::binary_search(roster.members.begin(), roster.members.end(), user_id);
}

}  // namespace

Bytes with_app(const Bytes& frame, const AppId& app) {
  std::string payload = frame->substr(header_bytes(*frame));
  const std::size_t behind_type = payload.find(',');    // a type has no comma
  payload.insert(behind_type, ",\"app\":\"" + app.wire() + "\"");
  return share_frame(Opcode::text, payload);
}

void Hub::add(Session& session) {
  Application& application = applications_[session.identity.app];
  session.app_place = static_cast<std::uint32_t>(application.sessions.size());
  application.sessions.push_back(&session);
  if (session.is_server()) {
    session.server_place = static_cast<std::uint32_t>(application.servers.size());
    application.servers.push_back(&session);
  } else {
    users_[scoped(session.identity.app, session.identity.user_id)].push_back(&session);
  }
}

void Hub::remove(Session& session) {
  while (!session.subscriptions.empty()) unsubscribe(*session.subscriptions.back());
  follow(session, {});
  const auto found = applications_.find(session.identity.app);
  take_out(found->second.sessions, session.app_place, &Session::app_place);
  if (session.is_server()) take_out(found->second.servers, session.server_place, &Session::server_place);
  if (found->second.sessions.empty()) applications_.erase(found);
  if (session.is_server()) return;
  const auto user = users_.find(scoped(session.identity.app, session.identity.user_id));
  std::erase(user->second, &session);
  if (user->second.empty()) users_.erase(user);
}

Subscription* Hub::find(const Session& session, const std::string& key) const {
  if (session.subscriptions.empty()) return nullptr;
  const auto room = rooms_.find(key);
  if (room == rooms_.end()) return nullptr;
  for (const auto& subscription : session.subscriptions) {
    if (subscription->room == room->second.get()) return subscription.get();
  }
  return nullptr;
}

Subscription& Hub::subscribe(Session& session, const std::string& key) {
  if (Subscription* there = find(session, key)) return *there;
  auto& room = rooms_[key];
  if (!room) {
    room = std::make_unique<Room>();
    room->key = key;
  }
  auto owned = std::make_unique<Subscription>();
  owned->session = &session;
  owned->room = room.get();
  owned->place = static_cast<std::uint32_t>(room->listeners.size());
  room->listeners.push_back(owned.get());
  session.subscriptions.push_back(std::move(owned));
  return *session.subscriptions.back();
}

void Hub::unsubscribe(Subscription& subscription) {
  Session& session = *subscription.session;
  drop_hold(subscription);
  set_watching(subscription, false);
  auto& listeners = subscription.room->listeners;
  listeners[subscription.place] = listeners.back();
  listeners[subscription.place]->place = subscription.place;
  listeners.pop_back();
  if (listeners.empty()) rooms_.erase(rooms_.find(subscription.room->key));
  auto& own = session.subscriptions;
  const auto place = std::find_if(own.begin(), own.end(), [&](const auto& one) { return one.get() == &subscription; });
  std::swap(*place, own.back());
  own.pop_back();
}

void Hub::set_watching(Subscription& subscription, bool watching) {
  if (subscription.watching == watching) return;
  subscription.watching = watching;
  Session& session = *subscription.session;
  if (watching) ++session.watched;
  else --session.watched;
  if (on_watch_) on_watch_(session, subscription.room->key, watching);
}

void Hub::drop_if_idle(Subscription& subscription) {
  const bool spoken_for = subscription.member || subscription.watching || subscription.resumed || subscription.deciding;
  if (!spoken_for) unsubscribe(subscription);
}

void Hub::join(AppId app, const std::string& key, const std::string& user_id) {
  for (Session* session : sessions_of_user(app, user_id)) subscribe(*session, key).member = true;
}

Hub::Copies Hub::deliver(const Delivery& delivery) {
  Copies copies;
  for (const auto& user_id : delivery.joined) join(delivery.app, delivery.key, user_id);
  const LocalFrame frame(delivery.frame);
  if (const auto room = rooms_.find(delivery.key); room != rooms_.end()) {
    for (Subscription* listener : room->second->listeners) {
      if (!listener->session->is_server()) offer(*listener, delivery, frame, copies);
    }
  }
  offer_directly(delivery, delivery.left, frame, copies);
  offer_directly(delivery, delivery.told, frame, copies);
  offer_to_servers(delivery, copies);
  end_membership(delivery);
  return copies;
}

void Hub::offer(Subscription& subscription, const Delivery& delivery, const LocalFrame& frame, Copies& copies) {
  Session& session = *subscription.session;
  if (delivery.seq != 0) {
    if (delivery.seq <= subscription.through) return;
    if (subscription.hold || session.will_resume) return keep(subscription, delivery, frame);
  } else if (!delivery.except.empty() && std::ranges::binary_search(delivery.except, session.identity.user_id)) {
    return;
  }
  send_(session, frame, delivery.seq == 0 ? Kind::ephemeral : Kind::live);
  ++copies.count;
  copies.bytes += static_cast<std::int64_t>(frame.size());
}

void Hub::keep(Subscription& subscription, const Delivery& delivery, const LocalFrame& frame) {
  hold(subscription);
  Hold& held = *subscription.hold;
  held.epoch = delivery.epoch;
  held.last_seq = delivery.seq;
  if (held.overflowed) return;
  if (subscription.session->held_bytes + frame.size() > max_held_bytes_) {
    drop_hold(subscription);
    subscription.hold = std::make_unique<Hold>();
    subscription.hold->overflowed = true;
    subscription.hold->epoch = delivery.epoch;
    subscription.hold->last_seq = delivery.seq;
    return;
  }
  subscription.session->held_bytes += frame.size();
  held.frames.emplace_back(delivery.seq, frame);
}

// Those whom the event names and who have no subscription any more, or never had one here.
void Hub::offer_directly(const Delivery& delivery, const std::vector<std::string>& users, const LocalFrame& frame,
                         Copies& copies) {
  for (const auto& user_id : users) {
    for (Session* session : sessions_of_user(delivery.app, user_id)) {
      if (find(*session, delivery.key) != nullptr) continue;
      send_(*session, frame, Kind::live);
      ++copies.count;
      copies.bytes += static_cast<std::int64_t>(frame.size());
    }
  }
}

void Hub::offer_to_servers(const Delivery& delivery, Copies& copies) {
  const auto application = applications_.find(delivery.app);
  if (application == applications_.end() || application->second.servers.empty()) return;
  const LocalFrame frame(with_app(delivery.frame, delivery.app));
  for (Session* session : application->second.servers) {
    Subscription* resuming = find(*session, delivery.key);
    if (resuming == nullptr && session->will_resume && delivery.seq != 0) resuming = &subscribe(*session, delivery.key);
    if (resuming != nullptr) {
      const bool is_past = delivery.seq > resuming->through && !resuming->hold && !session->will_resume;
      offer(*resuming, delivery, frame, copies);
      if (is_past) unsubscribe(*resuming);     // caught up: a server hears everything without a subscription
      continue;
    }
    send_(*session, frame, delivery.seq == 0 ? Kind::ephemeral : Kind::live);
    ++copies.count;
    copies.bytes += static_cast<std::int64_t>(frame.size());
  }
}

// Leaving ends hearing altogether, a watch included: whether an open channel may be watched again is the database's to say.
void Hub::end_membership(const Delivery& delivery) {
  for (const auto& user_id : delivery.left) {
    for (Session* session : sessions_of_user(delivery.app, user_id)) {
      if (Subscription* subscription = find(*session, delivery.key)) unsubscribe(*subscription);
    }
  }
}

Hub::Copies Hub::deliver_to_user(AppId app, const std::string& user_id, const Bytes& frame) {
  const auto& sessions = sessions_of_user(app, user_id);
  if (sessions.empty()) return {};
  const LocalFrame local(frame);
  for (Session* session : sessions) send_(*session, local, Kind::live);
  const auto count = static_cast<std::int64_t>(sessions.size());
  return {count, count * static_cast<std::int64_t>(local.size())};
}

Hub::Copies Hub::deliver_to_servers(AppId app, const Bytes& frame) {
  const auto application = applications_.find(app);
  if (application == applications_.end() || application->second.servers.empty()) return {};
  const LocalFrame local(with_app(frame, app));
  for (Session* session : application->second.servers) send_(*session, local, Kind::live);
  const auto count = static_cast<std::int64_t>(application->second.servers.size());
  return {count, count * static_cast<std::int64_t>(local.size())};
}

void Hub::assemble(const Roster& roster) {
  if (const auto room = rooms_.find(roster.key); room != rooms_.end()) {
    const auto listeners = room->second->listeners;
    const LocalFrame gone(encode_frame(Opcode::text, notices::resync(roster.cid, "not_found", {}, 0)));
    for (Subscription* listener : listeners) {
      if (listener->session->is_server()) continue;
      listener->member = has(roster, listener->session->identity.user_id);
      const bool looks_on = listener->watching || listener->resumed;
      if (listener->member || (looks_on && roster.open) || listener->deciding) continue;
      send_(*listener->session, gone, Kind::live);
      unsubscribe(*listener);
    }
  }
  const auto application = applications_.find(roster.app);
  if (application == applications_.end()) return;
  if (application->second.sessions.size() > roster.members.size()) {
    for (const auto& user_id : roster.members) join(roster.app, roster.key, user_id);
    return;
  }
  for (Session* session : application->second.sessions) {
    if (!session->is_server() && has(roster, session->identity.user_id)) subscribe(*session, roster.key).member = true;
  }
}

void Hub::resync(const Resync& resync) {
  const Bytes notice = share_frame(Opcode::text, notices::resync(resync.cid, resync.reason, resync.epoch, resync.last_seq));
  const AppId app = app_of(resync.key);
  if (const auto room = rooms_.find(resync.key); room != rooms_.end()) {
    const LocalFrame frame(notice);
    for (Subscription* listener : room->second->listeners) tell_resync(*listener, resync, frame);
  }
  deliver_to_servers(app, notice);
}

void Hub::tell_resync(Subscription& subscription, const Resync& resync, const LocalFrame& frame) {
  if (subscription.hold) {           // its own resync comes when it has caught up
    drop_hold(subscription);
    hold(subscription);
    subscription.hold->overflowed = true;
    subscription.hold->epoch = resync.epoch;
    subscription.hold->last_seq = resync.last_seq;
  } else if (!subscription.session->is_server()) {
    send_(*subscription.session, frame, Kind::live);
  }
  subscription.through = resync.last_seq;
}

void Hub::forget(const std::string& key) {
  const auto room = rooms_.find(key);
  if (room == rooms_.end()) return;
  const auto listeners = room->second->listeners;
  for (Subscription* listener : listeners) {
    listener->member = false;
    if (!listener->hold) drop_if_idle(*listener);
  }
}

void Hub::end_watches(const std::string& key, const std::string& cid) {
  const auto room = rooms_.find(key);
  if (room == rooms_.end()) return;
  const auto listeners = room->second->listeners;
  const LocalFrame gone(encode_frame(Opcode::text, notices::resync(cid, "not_found", {}, 0)));
  for (Subscription* listener : listeners) {
    if (listener->member || listener->session->is_server()) continue;
    if (listener->watching || listener->resumed) send_(*listener->session, gone, Kind::live);
    unsubscribe(*listener);
  }
}

void Hub::hold(Subscription& subscription) {
  if (!subscription.hold) subscription.hold = std::make_unique<Hold>();
}

bool Hub::release(Subscription& subscription, std::int64_t through) {
  subscription.through = through;
  if (!subscription.hold) return true;
  const std::unique_ptr<Hold> hold = std::move(subscription.hold);
  Session& session = *subscription.session;
  for (const auto& [seq, frame] : hold->frames) session.held_bytes -= frame.size();
  bool complete = !hold->overflowed;
  for (const auto& [seq, frame] : hold->frames) {
    if (seq <= subscription.through) continue;
    complete = complete && seq == subscription.through + 1;
    if (!complete) break;
    send_(session, frame, Kind::answer);
    subscription.through = seq;
  }
  if (!complete) subscription.through = std::max(subscription.through, hold->last_seq);
  return complete;
}

bool Hub::release_all(Subscription& subscription) {
  const bool has_held = subscription.hold && !subscription.hold->frames.empty();
  return release(subscription, has_held ? subscription.hold->frames.front().first - 1 : subscription.through);
}

void Hub::drop_hold(Subscription& subscription) {
  if (!subscription.hold) return;
  for (const auto& [seq, frame] : subscription.hold->frames) subscription.session->held_bytes -= frame.size();
  subscription.hold.reset();
}

std::vector<std::string> Hub::members_hearing(const std::string& key) const {
  std::vector<std::string> users;
  const auto room = rooms_.find(key);
  if (room == rooms_.end()) return users;
  for (const Subscription* one : room->second->listeners)
    if (one->member) users.push_back(one->session->identity.user_id);
  return users;
}

std::vector<Session*> Hub::sessions_of(AppId app) const {
  const auto found = applications_.find(app);
  return found == applications_.end() ? kNoSessions : found->second.sessions;
}

const std::vector<Session*>& Hub::sessions_of_user(AppId app, const std::string& user_id) const {
  const auto found = users_.find(scoped(app, user_id));
  return found == users_.end() ? kNoSessions : found->second;
}

}  // namespace chat::realtime
