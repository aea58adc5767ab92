#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>

#include "platform/base/log.h"
#include "platform/http/gate.h"
#include "platform/realtime/measures.h"
#include "platform/realtime/notices.h"
#include "platform/realtime/shard.h"

namespace chat::realtime {
namespace {

constexpr std::chrono::seconds kExpiryNotice{30};
constexpr int kCommandBurst = 60;

// Pings of sockets that came together should not go together. Fibonacci hashing: neighbours land far apart.
std::chrono::milliseconds spread(std::uint64_t number, std::chrono::milliseconds over) {
  const std::uint64_t mixed = (number * 0x9E3779B97F4A7C15ULL) >> 32;
  return std::chrono::milliseconds(static_cast<std::int64_t>(mixed % static_cast<std::uint64_t>(over.count() + 1)));
}

Error unexpected(const std::exception& error) {
  log::error("connection.hook_threw", {{"error", error.what()}});
  return Error(Code::internal, "Something went wrong here.").with_log(error.what());
}

}  // namespace

void Shard::welcome(Newcomer newcomer) {
  auto owned = std::make_unique<Session>(shared_.options.max_frame_bytes);
  Session& session = *owned;
  session.number = next_number_++;
  session.socket = newcomer.socket;
  session.remote = std::move(newcomer.remote);
  session.will_resume = newcomer.will_resume;
  session.heard_at = now_;
  session.allowance = kCommandBurst;
  session.refilled_at = now_;
  session.next_ping = now_ + spread(session.number, shared_.options.heartbeat);
  session.deadline = now_ + shared_.options.authentication_timeout;
  sessions_.emplace(session.number, std::move(owned));
  measures().connections.add(1);

  const int on = 1;
  ::setsockopt(session.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &session;
  const bool watched = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, session.socket, &event) == 0;
  send(session, LocalFrame(std::move(newcomer.answer)), Kind::answer);
  flush(session);                                    // before anything may drop what waits
  set_timer(session);
  if (!watched) doom(session, 0, {});
  if (newcomer.identity) {
    session.identity = *newcomer.identity;
    session.counted = true;
    if (newcomer.revocations_seen == shared_.revocations.load()) admit(session, *std::move(newcomer.identity), {});
    else authenticate(session, std::move(newcomer.credentials), {});
  }
  if (!newcomer.already_read.empty() && !session.doomed) {
    take_bytes(session, newcomer.already_read.data(), newcomer.already_read.size());
  }
}

void Shard::authenticate(Session& session, Hooks::Credentials credentials, std::string ref) {
  try {
    accept(session, shared_.hooks.authenticate(credentials), ref);
  } catch (const http::NeedsDatabase&) {
    ask_identity(session, std::move(credentials), std::move(ref));
  } catch (const Error& error) {
    reject(session, error, ref);
  } catch (const std::exception& error) {
    reject(session, unexpected(error), ref);
  }
}

void Shard::ask_identity(Session& session, Hooks::Credentials credentials, std::string ref) {
  const auto seen = shared_.revocations.load();
  ask<Identity>(
      session, [this, credentials](storage::Connection& connection) { return shared_.hooks.authenticate_cold(credentials, connection); },
      [this, credentials, ref, seen](Session& there, Identity identity) {
        if (seen == shared_.revocations.load()) accept(there, std::move(identity), ref);
        else authenticate(there, credentials, ref);
      },
      [this, ref](Session& there, const Error& error) { reject(there, error, ref); });
}

void Shard::accept(Session& session, Identity identity, const std::string& ref) {
  if (session.state == Session::State::ready) return extend(session, std::move(identity), ref);
  try {
    if (!session.counted && shared_.hooks.opened) shared_.hooks.opened(identity);
  } catch (const Error& error) {
    return reject(session, error, ref);
  } catch (const std::exception& error) {
    return reject(session, unexpected(error), ref);
  }
  session.counted = true;
  admit(session, std::move(identity), ref);
}

void Shard::reject(Session& session, const Error& error, const std::string& ref) {
  log::debug("connection.refused", {{"code", row_of(error.code()).word}, {"remote", session.remote}});
  say(session, notices::error(error, ref));
  if (session.state == Session::State::ready) return;    // a better token may come before the old one expires
  measures().refused.add();
  flush(session);                                        // ending drops what waits
  doom(session, notices::close_for(error.code()));
}

// See audiences.h for why this order misses no channel.
void Shard::admit(Session& session, Identity identity, std::string_view ref) {
  session.identity = std::move(identity);
  session.state = Session::State::ready;
  session.deadline = session.will_resume ? now_ + shared_.options.authentication_timeout : Steady::max();
  set_expiry(session);
  measures().opened.add();
  shared_.presence.add(session.identity.app);
  hub_.add(session);
  const auto connection = ConnectionId::make(shared_.clock.now());
  if (!ref.empty()) say(session, notices::authenticated(session.identity, ref));
  say(session, notices::ready(connection, session.identity, shared_.options));
  if (!session.is_server()) {
    for (const auto& key : shared_.audiences.channels_of(session.identity.app, session.identity.user_id)) {
      hub_.subscribe(session, key).member = true;
    }
  }
  set_timer(session);
}

void Shard::extend(Session& session, Identity identity, std::string_view ref) {
  if (identity.app != session.identity.app || identity.user_id != session.identity.user_id) {
    return say(session, notices::error(forbidden("The new token is somebody else's."), ref));
  }
  session.identity.issued_at = identity.issued_at;
  session.identity.expires_at = identity.expires_at;
  session.identity.token_id = std::move(identity.token_id);
  session.identity.signed_with = identity.signed_with;
  set_expiry(session);
  set_timer(session);
  say(session, notices::authenticated(session.identity, ref));
}

void Shard::set_expiry(Session& session) {
  session.expiry_told = false;
  session.expires = Steady::max();
  if (session.identity.expires_at) session.expires = now_ + (*session.identity.expires_at - shared_.clock.now());
}

// What admit and opened began.
void Shard::leave(Session& session) {
  if (session.state == Session::State::ready) {
    hub_.remove(session);
    shared_.presence.remove(session.identity.app);
  }
  if (session.counted && shared_.hooks.closed) shared_.hooks.closed(session.identity);
  session.counted = false;
  set_away(session, false);                // last: a user who goes away for good was away until then
}

void Shard::set_timer(Session& session) {
  Steady due = std::min(session.deadline, session.leave_at);
  if (session.state == Session::State::ready) {
    const auto silence = shared_.options.heartbeat * 5 / 2;
    due = std::min({due, session.next_ping, session.heard_at + silence});
    if (session.expires != Steady::max()) {
      due = std::min(due, session.expiry_told ? session.expires : session.expires - kExpiryNotice);
    }
  }
  wheel_.set(session, due);
}

void Shard::on_timer(Session& session) {
  if (session.doomed) return;
  if (session.state == Session::State::closing) {
    if (now_ >= session.deadline) return doom(session, 0, {});
  } else if (now_ >= session.leave_at) {
    return doom(session, Close::draining);
  } else if (session.state == Session::State::greeting) {
    if (now_ >= session.deadline) {
      measures().refused.add();
      return doom(session, Close::unauthenticated, "no auth frame in time");
    }
  } else {
    on_timer_ready(session);
  }
  if (!session.doomed) set_timer(session);
}

void Shard::on_timer_ready(Session& session) {
  const auto silence = shared_.options.heartbeat * 5 / 2;
  if (now_ - session.heard_at >= silence && session.wants_read) return doom(session, Close::no_heartbeat);
  if (session.wants_write && now_ - session.progressed_at >= silence) {
    measures().slow_readers.add();
    return doom(session, Close::slow_reader);
  }
  if (now_ >= session.expires) return doom(session, Close::token_expired);
  if (!session.expiry_told && now_ >= session.expires - kExpiryNotice) {
    session.expiry_told = true;
    say(session, notices::token_expiring(*session.identity.expires_at));
  }
  if (now_ >= session.next_ping) {
    session.next_ping = now_ + shared_.options.heartbeat;
    if (!session.wants_write) send(session, ping_, Kind::answer);
  }
  if (now_ >= session.deadline) {                        // ?resume=1, and no resume came
    session.deadline = Steady::max();
    stop_holding_all(session);
  }
}

void Shard::close_application(AppId app, std::optional<Timestamp> issued_before, Close code) {
  for (Session* session : hub_.sessions_of(app)) {
    if (!issued_before || session->identity.issued_at < *issued_before) doom(*session, code);
  }
}

void Shard::close_user(AppId app, const std::string& user_id, std::optional<Timestamp> issued_before, Close code) {
  for (Session* session : hub_.sessions_of_user(app, user_id)) {
    if (!issued_before || session->identity.issued_at < *issued_before) doom(*session, code);
  }
}

void Shard::close_those(AppId app, const Gateway::Verdict& verdict) {
  for (Session* session : hub_.sessions_of(app)) {
    if (const auto code = verdict(session->identity)) doom(*session, *code);
  }
}

void Shard::close_addresses(AppId app, const Gateway::RefusesAddress& refuses) {
  for (Session* session : hub_.sessions_of(app)) {
    if (refuses(session->remote, session->is_server())) doom(*session, Close::user_banned, "your address");
  }
}

void Shard::drain(std::chrono::milliseconds over) {
  for (auto& [number, session] : sessions_) {
    if (session->state == Session::State::closing) continue;
    session->leave_at = now_ + spread(number, over);
    set_timer(*session);
  }
}

}  // namespace chat::realtime
