#include <algorithm>

#include "platform/realtime/notices.h"
#include "platform/realtime/shard.h"

namespace chat::realtime {
namespace {

constexpr std::size_t kMaxDeferred = 16;
// After a burst of 60, two commands a second: each may cost a query.
constexpr std::chrono::milliseconds kRefill{500};
constexpr int kCommandBurst = 60;

template <class... Cases>
struct Match : Cases... { using Cases::operator()...; };
template <class... Cases>
Match(Cases...) -> Match<Cases...>;

}  // namespace

void Shard::on_text(Session& session, std::string_view text) {
  auto parsed = parse_command(text, shared_.options);
  if (const auto* garbage = std::get_if<Garbage>(&parsed)) return doom(session, Close::protocol_error, garbage->why);
  if (const auto* refused = std::get_if<Refused>(&parsed)) return say(session, notices::error(refused->error, refused->ref));
  auto& command = std::get<Parsed>(parsed);
  if (std::holds_alternative<PingCommand>(command.command)) return say(session, notices::pong(command.ref));
  if (!may_command(session, command.ref)) return;
  if (!session.asking && !session.catch_up) return run_command(session, std::move(command));
  if (session.deferred.size() < kMaxDeferred) {
    session.deferred.emplace_back(text);
    return;
  }
  say(session, notices::error(Error(Code::rate_limited, "Wait for the answers to earlier commands."), command.ref));
}

bool Shard::may_command(Session& session, const std::string& ref) {
  const auto earned = (now_ - session.refilled_at) / kRefill;
  session.refilled_at += earned * kRefill;
  session.allowance = static_cast<int>(std::min<std::int64_t>(kCommandBurst, session.allowance + earned));
  if (session.allowance > 0) {
    --session.allowance;
    return true;
  }
  say(session, notices::error(Error(Code::rate_limited, "Too many commands: two a second."), ref));
  return false;
}

void Shard::run_command(Session& session, Parsed parsed) {
  const bool is_auth = std::holds_alternative<AuthCommand>(parsed.command);
  if (session.state == Session::State::greeting && !is_auth) {
    return doom(session, Close::unauthenticated, "the first frame must be auth");
  }
  std::visit(Match{
                 [](const PingCommand&) {},
                 [&](const AuthCommand& auth) {
                   authenticate(session, {auth.api_key, auth.token, session.remote}, std::move(parsed.ref));
                 },
                 [&](const ResumeCommand& command) { resume(session, command, std::move(parsed.ref)); },
                 [&](const WatchCommand& command) { watch(session, command, std::move(parsed.ref)); },
                 [&](const UnwatchCommand& command) { unwatch(session, command, parsed.ref); },
                 [&](const Typing& command) { type(session, command, std::move(parsed.ref)); },
                 [&](SyncAsk& asked) { sync(session, std::move(asked), std::move(parsed.ref)); },
                 [&](PresenceCommand& command) { follow(session, std::move(command), std::move(parsed.ref)); },
                 [&](const StatusCommand& command) { set_status(session, command, parsed.ref); },
             },
             parsed.command);
}

// Runs what arrived while the database was being asked, until one of them asks again.
void Shard::go_on(Session& session) {
  while (!session.deferred.empty() && !session.asking && !session.catch_up && !session.doomed) {
    const std::string text = std::move(session.deferred.front());
    session.deferred.erase(session.deferred.begin());
    auto parsed = parse_command(text, shared_.options);    // was good when it was deferred
    run_command(session, std::move(std::get<Parsed>(parsed)));
  }
}

void Shard::unwatch(Session& session, const UnwatchCommand& command, const std::string& ref) {
  for (const auto& cid : command.cids) {
    Subscription* subscription = hub_.find(session, scoped(session.identity.app, cid));
    if (subscription == nullptr) continue;
    hub_.set_watching(*subscription, false);
    subscription->resumed = false;
    hub_.drop_if_idle(*subscription);
  }
  say(session, notices::done("unwatch.done", ref, {}, {}));
}

void Shard::watch(Session& session, const WatchCommand& command, std::string ref) {
  if (session.is_server()) return say(session, notices::error(forbidden("A server connection hears everything."), ref));
  if (session.watched + command.cids.size() > static_cast<std::size_t>(shared_.options.max_watched)) {
    const Error error(Code::limit_reached, "At most " + std::to_string(shared_.options.max_watched) + " watched channels.");
    return say(session, notices::error(error, ref));
  }
  auto catch_up = std::make_unique<CatchUp>();
  catch_up->kind = CatchUp::Kind::watch;
  catch_up->ref = std::move(ref);
  for (const auto& cid : command.cids) {
    const std::string key = scoped(session.identity.app, cid);
    // The subscription comes first: what is told from here on has a larger seq than the position that is answered.
    Subscription& subscription = hub_.subscribe(session, key);
    const auto view = shared_.audiences.view(session.identity.app, cid, session.identity.user_id, std::nullopt);
    if (!view) {
      wait_for_database(session, cid, {}, 0, *catch_up);
      continue;
    }
    subscription.member = true;
    hub_.set_watching(subscription, true);
    catch_up->standings.push_back({cid, view->epoch, view->last_seq, false, std::nullopt, 0});
  }
  begin(session, std::move(catch_up));
}

}  // namespace chat::realtime
