#include "platform/realtime/measures.h"
#include "platform/realtime/notices.h"
#include "platform/realtime/shard.h"

namespace chat::realtime {
namespace {

bool is_servers(const Session& session) { return session.is_server(); }
Error for_users_only() { return forbidden("A server says it over REST, for a user."); }

}  // namespace

void Shard::ask_for_json(Session& session, std::string_view done, std::string ref, std::function<std::string(storage::Connection&)> work) {
  ask<std::string>(
      session, std::move(work),
      [this, done, ref](Session& there, const std::string& data) { say(there, notices::done_with(done, ref, data)); },
      [this, ref](Session& there, const Error& error) { say(there, notices::error(error, ref)); });
}

// Most of what a typing client says was said a moment ago: that asks nobody.
void Shard::type(Session& session, const Typing& command, std::string ref) {
  if (is_servers(session)) return say(session, notices::error(for_users_only(), ref));
  const auto done = [this, ref](Session& there) {
    if (!ref.empty()) say(there, notices::done_with("typing.done", ref, {}));
  };
  if (!shared_.hooks.typing_due || !shared_.hooks.typing_due(session.identity, command)) return done(session);
  ask<bool>(
      session,
      [this, identity = session.identity, command](storage::Connection& connection) {
        shared_.hooks.type(connection, identity, command);
        return true;
      },
      [done](Session& there, bool) { done(there); },
      [this, ref](Session& there, const Error& error) { say(there, notices::error(error, ref)); });
}

void Shard::sync(Session& session, SyncAsk asked, std::string ref) {
  if (is_servers(session) || !shared_.hooks.sync) return say(session, notices::error(for_users_only(), ref));
  ask_for_json(session, "sync.done", std::move(ref),
               [this, identity = session.identity, asked = std::move(asked)](storage::Connection& connection) {
                 return shared_.hooks.sync(connection, identity, asked);
               });
}

// Followed first, then asked: no change falls between. News that comes before the answer is looked at again after it.
void Shard::follow(Session& session, PresenceCommand command, std::string ref) {
  if (is_servers(session) || !shared_.hooks.show_presence) return say(session, notices::error(for_users_only(), ref));
  hub_.follow(session, command.user_ids);
  ask<Shown>(
      session,
      [this, identity = session.identity, user_ids = std::move(command.user_ids)](storage::Connection& connection) {
        return shared_.hooks.show_presence(connection, identity, user_ids);
      },
      [this, ref](Session& there, const Shown& shown) {
        const auto changed = hub_.note_told(there, shown.users);
        say(there, notices::done_with("presence.done", ref, shown.data));
        for (const auto& user_id : changed) shared_.hooks.look_again(there.identity.app, user_id);
      },
      [this, ref](Session& there, const Error& error) {
        hub_.follow(there, {});
        say(there, notices::error(error, ref));
      });
}

void Shard::set_status(Session& session, const StatusCommand& command, const std::string& ref) {
  if (is_servers(session)) return say(session, notices::error(for_users_only(), ref));
  set_away(session, command.away);
  say(session, notices::done_with("status.done", ref, command.away ? R"({"status":"away"})" : R"({"status":"online"})"));
}

void Shard::set_away(Session& session, bool away) {
  if (session.away == away) return;
  session.away = away;
  if (shared_.hooks.away) shared_.hooks.away(session.identity, away);
}

}  // namespace chat::realtime
