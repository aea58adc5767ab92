#include "platform/server/hooks.h"

#include "platform/base/error.h"
#include "platform/chat/channels/channels_live.h"
#include "platform/chat/messages/messages_live.h"
#include "platform/chat/sync/sync.h"
#include "platform/operators/operators.h"
#include "platform/server/screens.h"

namespace chat::server {
namespace {

using http::Access;
using http::Principal;
using http::Request;
using http::Route;
using tenants::Caller;

const Caller& caller_of(const Principal& principal) { return static_cast<const Caller&>(principal); }

void check_access(const Request& request, const Caller& caller) {
  if (request.route->access == Access::server && !caller.is_server())
    throw forbidden("This needs a server token: {\"server\": true}, signed by your backend.");
}

std::shared_ptr<const Caller> authenticate(tenants::Auth& auth, const Request& request) {
  if (request.route->access == Access::api_key) return auth.recognise(tenants::api_key_of(request));
  const auto credentials = tenants::credentials_of(request);
  return auth.authenticate(credentials.api_key, credentials.token);
}

std::shared_ptr<const Caller> authenticate_cold(tenants::Auth& auth, const Request& request, storage::Connection& connection) {
  if (request.route->access == Access::api_key) return auth.recognise_cold(tenants::api_key_of(request), connection);
  const auto credentials = tenants::credentials_of(request);
  return auth.authenticate_cold(credentials.api_key, credentials.token, connection);
}

bool is_user(const Caller& caller) { return !caller.user_id().empty() && !caller.is_server() && !caller.is_visitor(); }

std::shared_ptr<billing::Account> account_of(billing::Accounts& accounts, const Caller& caller) {
  auto account = accounts.find(caller.shared_application());
  if (!account) throw Error(Code::unavailable, "Try again.").with_retry_after(std::chrono::seconds(1));
  return account;
}

/// Who acts for the first time in a month whose active users are nearly used up is let in by the database.
bool meet(billing::Accounts& accounts, const Caller& caller, storage::Connection* connection, Timestamp now) {
  if (!is_user(caller)) return true;
  const auto account = account_of(accounts, caller);
  if (account->must_ask(caller.user_id(), now)) {
    if (!connection) return false;
    accounts.admit(*connection, *account, caller.user_id());
  }
  account->first_seen(caller.user_id(), now);
  return true;
}

billing::RouteClass class_of(const Route& route) {
  if (route.rate_class == "send") return billing::RouteClass::send;
  const bool reads = route.rate_class.empty() ? route.method == http::Method::get : route.rate_class == "read";
  return reads ? billing::RouteClass::read : billing::RouteClass::write;
}

/// Who is over the limit of calls may still look why.
bool shows_limits(const Route& route) { return route.operation == "get_limits" || route.operation == "get_usage"; }

Error no_operator() { return Error(Code::unauthenticated, "This is not the operator's token."); }

realtime::Identity identity_of(const Caller& caller) {
  return {caller.app(), caller.user_id(), caller.claims().issued_at, caller.claims().expires_at, caller.claims().token_id, caller.claims().signed_with.uuid};
}

}  // namespace

http::GateHooks public_hooks(tenants::Auth& auth, billing::Accounts& accounts, blocklists::Shelf& lists, const Clock& clock) {
  http::GateHooks hooks;
  hooks.authenticate = [&](const Request& request) {
    auto caller = authenticate(auth, request);
    if (!accounts.find(caller->shared_application())) throw http::NeedsDatabase{};
    check_address(lists, *caller, request.remote, clock.now());
    check_access(request, *caller);
    return caller;
  };
  hooks.authenticate_cold = [&](const Request& request, storage::Connection& connection) {
    auto caller = authenticate_cold(auth, request, connection);
    check_address(*lists.load(connection, caller->app()), *caller, request.remote, clock.now());
    check_access(request, *caller);
    accounts.load(connection, caller->shared_application());
    return caller;
  };
  hooks.app_of = [](const Principal& principal) { return caller_of(principal).app(); };
  hooks.name_of = [](const Principal& principal) {
    const auto& caller = caller_of(principal);
    if (caller.is_visitor()) return std::string("visitor");
    return caller.is_server() ? std::string("server") : "user:" + caller.user_id();
  };
  hooks.rate = [&](const Principal& principal, const Route& route) -> http::RateDecision {
    const auto& caller = caller_of(principal);
    const auto account = account_of(accounts, caller);
    return caller.is_visitor() ? accounts.take_visit(*account)
                               : accounts.take_request(*account, caller.user_id(), class_of(route), caller.claims().guest);
  };
  hooks.enter = [&](const Principal& principal, const Route& route) {
    const auto account = account_of(accounts, caller_of(principal));
    if (const auto feature = billing::feature_of(route.operation)) billing::check_feature(*account->limits(), *feature);
    account->begin_call(shows_limits(route), clock.now());
  };
  hooks.meet = [&](const Principal& principal, storage::Connection* connection) {
    return meet(accounts, caller_of(principal), connection, clock.now());
  };
  hooks.served = [&](const http::GateHooks::Served& served) {
    const auto* caller = dynamic_cast<const Caller*>(served.principal.get());   // of a large body it is what holds the body
    const auto account = caller ? accounts.known(caller->app()) : nullptr;
    if (!account) return;
    if (served.status >= 400) account->total_errors.fetch_add(1, std::memory_order_relaxed);
    const bool counts_for_team = !caller->user_id().empty() && caller->application().settings.teams;
    if (served.admitted)
      account->end_call(served.status < 500 && served.status != 429, counts_for_team ? caller->user_id() : "", clock.now());
  };
  return hooks;
}

http::GateHooks operator_hooks(std::string token, const Clock& clock) {
  http::GateHooks hooks;
  hooks.authenticate = [token = std::move(token)](const Request& request) -> std::shared_ptr<const Principal> {
    const auto shown = tenants::bearer_of(request);
    if (!crypto::equal(crypto::sha256(shown), crypto::sha256(token))) {
      if (operators::is_token(shown)) throw http::NeedsDatabase{};
      throw no_operator();
    }
    return std::make_shared<operators::Operator>(std::nullopt, std::string(operators::kBootstrap), operators::Role::owner);
  };
  hooks.authenticate_cold = [&clock](const Request& request, storage::Connection& connection) -> std::shared_ptr<const Principal> {
    auto caller = operators::authenticate(connection, tenants::bearer_of(request), clock.now());
    if (!caller) throw no_operator();
    operators::check_role(*request.route, *caller);
    return caller;
  };
  hooks.app_of = [](const Principal&) { return AppId{}; };
  hooks.name_of = [](const Principal& principal) {
    const auto& caller = static_cast<const operators::Operator&>(principal);
    return caller.id ? "operator:" + caller.id->wire() : std::string("operator");
  };
  hooks.rate = [](const Principal&, const Route&) { return http::RateDecision{}; };
  hooks.served = [](const http::GateHooks::Served&) {};
  return hooks;
}

namespace {

/// Who may come in, and who pays.
void hook_accounts(realtime::Hooks& hooks, const Live& live) {
  hooks.authenticate = [&auth = live.auth, &accounts = live.accounts, &lists = live.lists, &clock = live.clock](const realtime::Hooks::Credentials& credentials) {
    auto caller = auth.authenticate(credentials.api_key, credentials.token);
    const auto account = accounts.find(caller->shared_application());
    if (!account) throw http::NeedsDatabase{};
    check_address(lists, *caller, credentials.remote, clock.now());
    if (is_user(*caller) && account->must_ask(caller->user_id(), clock.now())) throw http::NeedsDatabase{};
    return identity_of(*caller);
  };
  hooks.authenticate_cold = [&auth = live.auth, &accounts = live.accounts, &lists = live.lists, &clock = live.clock](
                                const realtime::Hooks::Credentials& credentials, storage::Connection& connection) {
    auto caller = auth.authenticate_cold(credentials.api_key, credentials.token, connection);
    check_address(*lists.load(connection, caller->app()), *caller, credentials.remote, clock.now());
    const auto account = accounts.load(connection, caller->shared_application());
    if (is_user(*caller)) accounts.admit(connection, *account, caller->user_id());
    return identity_of(*caller);
  };
  hooks.opened = [&accounts = live.accounts, &unread = live.unread, &online = live.online, &clock = live.clock](const realtime::Identity& identity) {
    auto account = accounts.known(identity.app);
    INVARIANT(account, "an authenticated application has an account");
    account->open_connection(clock.now());
    if (identity.user_id.empty()) return;
    account->first_seen(identity.user_id, clock.now());
    unread.came(identity.app, identity.user_id);
    online.came(identity.app, identity.user_id);
  };
  hooks.closed = [&accounts = live.accounts, &online = live.online](const realtime::Identity& identity) {
    if (auto account = accounts.known(identity.app)) account->close_connection();
    if (!identity.user_id.empty()) online.went(identity.app, identity.user_id);
  };
  hooks.delivered = [&accounts = live.accounts, &clock = live.clock](const AppId& app, std::int64_t copies, std::int64_t) {
    if (auto account = accounts.known(app)) account->count(billing::Meter::deliveries, copies, clock.now());
  };
}

void check_plan(const billing::Accounts& accounts, AppId app, billing::Feature feature) {
  if (const auto account = accounts.known(app)) billing::check_feature(*account->limits(), feature);
}

/// Who is here and who looks on.
void hook_presence(realtime::Hooks& hooks, const Live& live) {
  hooks.away = [&online = live.online](const realtime::Identity& identity, bool away) { online.away(identity.app, identity.user_id, away); };
  hooks.watches = [&watchers = live.watchers](const realtime::Identity& identity, const std::string& cid, bool watches) {
    watchers.watches(identity.app, identity.user_id, cid, watches);
  };
  hooks.look_again = [&online = live.online](AppId app, const std::string& user_id) { online.look_again(app, user_id); };
  hooks.show_presence = [&store = live.store, &accounts = live.accounts](storage::Connection& connection, const realtime::Identity& identity,
                                                                         const std::vector<std::string>& user_ids) {
    check_plan(accounts, identity.app, billing::Feature::presence);
    realtime::Shown shown;
    connection.transact(identity.app, storage::Mode::read, [&](storage::Transaction& tx) {
      shown = presence::shown_to(tx, store, identity.user_id, user_ids);
    });
    return shown;
  };
}

/// What they ask of the product.
void hook_product(realtime::Hooks& hooks, const Live& live) {
  hooks.heard = [&unread = live.unread](const AppId& app, const std::string& cid, const std::vector<std::string>& left) {
    unread.channel_changed(app, cid, left);
  };
  hooks.typing_due = [&typists = live.typists](const realtime::Identity& identity, const realtime::Typing& typing) {
    return typists.due(identity.app, identity.user_id, typing);
  };
  hooks.type = [&typists = live.typists, &accounts = live.accounts](storage::Connection& connection, const realtime::Identity& identity,
                                                                    const realtime::Typing& typing) {
    check_plan(accounts, identity.app, billing::Feature::presence);
    connection.transact(identity.app, storage::Mode::read,
                        [&](storage::Transaction& tx) { typists.start(tx, identity.user_id, typing); });
  };
  hooks.sync = [&cursors = live.cursors](storage::Connection& connection, const realtime::Identity& identity,
                                         const realtime::SyncAsk& asked) {
    std::string data;
    connection.transact(identity.app, storage::Mode::read, [&](storage::Transaction& tx) {
      data = sync::synced_json(sync::sync(tx, identity.user_id, asked, sync::kPage, cursors));
    });
    return data;
  };
  hooks.load_audience = channels::load_audience;
  hooks.locate = channels::locate;
  hooks.load_missed = messages::load_missed;
}

}  // namespace

realtime::Hooks gateway_hooks(const Live& live) {
  realtime::Hooks hooks;
  hook_accounts(hooks, live);
  hook_presence(hooks, live);
  hook_product(hooks, live);
  return hooks;
}

}  // namespace chat::server
