#include "platform/server/node.h"

#include "billing/alerts/alerts.h"
#include "billing/metering.h"
#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/blocklists/blocklists.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/messages/messages_live.h"
#include "platform/chat/reads/here.h"
#include "platform/chat/reads/unread_announcer.h"
#include "platform/chat/users/users_events.h"
#include "platform/http/cors.h"
#include "platform/http/server.h"
#include "platform/redis/link.h"
#include "platform/server/campaigns.h"
#include "platform/server/client_address.h"
#include "platform/server/doors.h"
#include "platform/server/hooks.h"
#include "platform/server/jobs.h"
#include "platform/server/look_again.h"
#include "platform/server/node_metrics.h"
#include "platform/server/operations.sql.h"
#include "platform/server/options.h"
#include "platform/server/pushing.h"
#include "platform/server/routes.h"
#include "platform/server/screening.h"
#include "platform/server/screens.h"
#include "platform/server/task_kinds.h"
#include "platform/server/uploads.h"
#include "platform/server/webhooks.h"
#include "platform/storage/migrator.h"
#include "tenants/directory.h"

namespace chat::server {
namespace {

constexpr std::chrono::milliseconds kReconnectOver{10'000};
constexpr const char* kLimitsTold = "limits.told";
constexpr std::chrono::milliseconds kWaitForRedis{2'000};

void put_plan_file(storage::Connection& connection, bus::Bus& bus, const std::string& path, Timestamp now) {
  if (path.empty()) return;
  const auto plans = billing::read_plan_file(path);
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    for (const auto& plan : plans) billing::put_plan(tx, bus, plan.plan_id, plan.document, now);
  });
}

}  // namespace

struct Node::State {
  explicit State(const config::Settings& given)
      : settings(given),
        sealer(master_key_of(given)),
        cursors(crypto::hmac_sha256(master_key_of(given), "cursors")),
        pool(database_options(given), static_cast<int>(given.integer("database.workers")),
             static_cast<std::size_t>(given.integer("database.queue"))),
        lanes({.database = lane_options(given), .lanes = static_cast<int>(given.integer("database.lanes")),
               .mentions_here = [this](AppId app, ChannelId channel, const messages::Message& message) {
                 reads::mention_here(here(), app, channel, message);
               }}, *bus, clock),
        campaign_lanes({.database = lane_options(given), .lanes = 1, .first_shard = static_cast<int>(given.integer("database.lanes")) + 1,
                        .max_batch = 32},   // others' commits stand beside it: short ones
                       *bus, clock),
        depot(depot_options(given, master_key_of(given)),
              [this](AppId app, storage::Mode mode, const std::function<void(storage::Transaction&)>& body) { pool.transact(app, body, mode); }, clock),
        client(outbound_options(given)),
        webhook_client(webhook_options(given)),
        judge_client(judge_options(given)),
        senders(client, sealer, provider_urls(given), clock),
        gateway(realtime_options(given), gateway_hooks({auth, accounts, lists, unread_announcer, typists, online, watchers, *ephemeral, cursors, clock}), *bus, pool, clock),
        schedule(pool) {}

  config::Settings settings;
  const Clock& clock = system_clock();
  const Timestamp started_at = clock.now();
  crypto::Sealer sealer;
  storage::Cursors cursors;
  const std::unique_ptr<redis::Link> link = make_link(settings, clock);   // null: this node is alone
  std::unique_ptr<bus::Bus> bus = link ? redis::make_bus(*link) : bus::make_local_bus();
  std::unique_ptr<ephemeral::Store> ephemeral = link ? redis::make_store(*link) : ephemeral::make_local_store(clock);
  // Before the pool and the client: what is under way at the end comes back to it.
  previews::Fetcher fetcher{{*bus, clock, client, run()}};
  webhooks::BeforeSend before{judge_client, sealer, clock, run()};
  blocklists::Shelf lists{run(), clock};
  const messages::Screen screen = block_list_screen(lists, clock);
  std::unique_ptr<campaigns::Sender> campaign_sender;   // the same: pages that are under way come back to it
  screening::Screening screening{judge_client, sealer, clock, run(), time_out_by_ban(*bus)};
  MessageReview review{screening};
  storage::Pool pool;
  billing::PlanBook plans;
  billing::Accounts accounts{plans, clock};
  billing::Metering metering{accounts, clock};
  tenants::Directory directory{sealer, clock};
  tenants::Auth auth{directory, clock};
  messages::Lanes lanes;
  messages::Lanes campaign_lanes;              // one of their own: no interactive send stands behind a campaign's
  uploads::Depot depot;
  reads::UnreadAnnouncer unread_announcer{clock};
  outbound::Client client;                     // behind the pool: what is under way at the end still says so there
  outbound::Client webhook_client;             // one of its own: endpoints that hang hold up nothing else
  outbound::Client judge_client;               // asked while somebody waits: nothing may stand before it
  notifications::Senders senders;
  presence::Typists typists{*bus, clock};
  reactions::Counted counted{*bus, clock};
  presence::Online online{*ephemeral, *bus, clock, settings.duration("realtime.presence_ttl")};
  presence::Watchers watchers{*ephemeral, *bus, clock, settings.duration("realtime.presence_ttl")};
  realtime::Gateway gateway;
  const tasks::Kinds kinds = task_kinds(transfer_rules(settings));
  notifications::Courier courier{notifying()};
  webhooks::Courier webhook_courier{{database_options(settings), webhook_client, *bus, sealer, clock, messages::load_kept}};
  jobs::Schedule schedule;
  http::Router public_router, operator_router;
  std::unique_ptr<http::Gate> public_gate, operator_gate;
  std::unique_ptr<http::Server> public_door, operator_door;
  std::atomic<int> top_applications{50};
  std::atomic<bool> stopping{false};

  void on_control(const bus::Bus::Control& control);
  void user_moved(const bus::Bus::Control& control);
  void teams_changed(AppId app);
  void on_missed(bus::Bus::Missed missed);
  std::string status_json(std::int64_t schema);
  void ask_ready(const std::function<void(std::string)>& answer);
  void announce_unread();
  notifications::Notifying notifying();
  notifications::Notifying::Taken take_pushes(storage::Connection& connection, AppId app, std::int64_t wanted);
  std::function<bool(storage::Pool::Task)> run() { return [this](storage::Pool::Task task) { return pool.submit(std::move(task)); }; }
  messages::LaterServices later(messages::Lanes& by) {
    return {*bus, directory, accounts, by, clock, attach_uploads(), hold_pending(*bus, clock), run(), screen, review, before};
  }
  reads::Here here() {
    return {*bus, [this](AppId app, const std::vector<std::string>& user_ids) { return presence::online_among(*ephemeral, app, user_ids); }, run()};
  }
  void announce_presence();
  void share_limits();
  void wire();
};

/// Members first: who reconnects must not be taken for one who still hears.
void Node::State::user_moved(const bus::Bus::Control& control) {
  auto words = text::split(control.detail, ' ');
  const auto user = std::move(words.front());
  words.erase(words.begin());
  if (!words.empty() && words.front() == "*") gateway.regather_all(control.app);
  else gateway.regather(control.app, words);
  gateway.close_user(control.app, user, std::nullopt, realtime::Close::teams_changed);
}

/// The setting: everybody's reach is another.
void Node::State::teams_changed(AppId app) {
  gateway.regather_all(app);
  gateway.close_application(app, realtime::Close::teams_changed);
}

/// What other parts of the service learn by a word: caches to look at again, sockets to close.
void Node::State::on_control(const bus::Bus::Control& control) {
  if (control.word == "plans.changed") {
    if (!pool.submit([this](storage::Connection& connection) {
          try {
            plans.load(connection);
          } catch (const Error& error) {
            log::warn("plans.reload_failed", {{"detail", error.what()}});   // the job looks again within a minute
          }
        }))
      log::warn("plans.reload_failed", {{"detail", "the pool is full"}});
    return;
  }
  if (control.word == blocklists::kBlockListsChanged) return lists_changed(lists, gateway, control.app);
  if (control.word == users::kTeamsMoved) return user_moved(control);
  if (control.word == channels::kChannelMoved) {
    gateway.regather(control.app, {control.detail});
    return gateway.end_watches(control.app, control.detail);
  }
  if (control.word != "application.changed") return;
  directory.forget(control.app);
  before.forget(control.app);
  const auto& detail = control.detail;
  auto word_end = detail.find(' ');
  const auto word = detail.substr(0, word_end);
  const auto rest = word_end == std::string::npos ? std::string() : detail.substr(word_end + 1);
  const auto at = parse_time(rest.substr(0, rest.find(' ')));
  const auto user = rest.find(' ') == std::string::npos ? std::string() : rest.substr(rest.find(' ') + 1);
  const auto close_if = [&](auto is_dead) {
    gateway.close_those(control.app, [is_dead](const realtime::Identity& identity) {
      return is_dead(identity) ? std::optional(realtime::Close::token_revoked) : std::nullopt;
    });
  };
  if (word == "suspended") gateway.close_application(control.app, realtime::Close::application_suspended);
  else if (word == "teams") teams_changed(control.app);
  else if (word == "deleting") gateway.close_application(control.app, realtime::Close::unauthenticated);
  else if (word == "revoked" && at) gateway.close_application_tokens(control.app, *at);
  else if (word == "token_revoked") close_if([rest](const auto& identity) { return identity.token_id == rest; });
  else if (word == "secrets_ended") close_if([rest](const auto& identity) { return rest.find(identity.signed_with.text()) != std::string::npos; });
  else if (word == "user_revoked") gateway.close_user(control.app, user, at, realtime::Close::token_revoked);
  else if (word == "user_banned") gateway.close_user(control.app, user, std::nullopt, realtime::Close::user_banned);
  else if (word == "user_deactivated") gateway.close_user(control.app, user, std::nullopt, realtime::Close::user_deactivated);
}

/// Words or events of other nodes may have been lost. A job that fails here is no loss: applications are looked at again within a minute.
void Node::State::on_missed(bus::Bus::Missed missed) {
  if (missed.events) gateway.look_again(kReconnectOver);
  if (!pool.submit([this](storage::Connection& connection) {
        try {
          plans.load(connection);
          close_what_ended(connection, directory, gateway, clock.now(), true);
        } catch (const Error& error) {
          log::warn("bus.look_again_failed", {{"detail", error.what()}});
        }
      }))
    log::warn("bus.look_again_failed", {{"detail", "the pool is full"}});
}

/// Asked in a transaction, so the database answers; while it is away the question itself is answered `unavailable`.
std::string Node::State::status_json(std::int64_t schema) {
  json::Writer out;
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(clock.now() - started_at).count();
  const auto binary = static_cast<std::int64_t>(storage::migrations().back().number);
  out.object().field("version", CHAT_VERSION).field("uptime_s", uptime).key("now").time(clock.now());
  out.key("schema").object().field("database", schema).field("binary", binary).end();
  out.field("database", "ok").field("connections", gateway.counts().connections);
  out.field("redis", !link ? "off" : link->is_up() ? "connected" : "disconnected");
  out.key("config_warnings").array();
  for (const auto& warning : settings.warnings()) out.text(warning);
  out.end().key("engine").object().field("public", settings.text("public.engine")).field("operator", settings.text("operator.engine")).end().end();
  return out.take();
}

/// On a worker, so that no engine thread waits: a node whose workers are all busy is not ready either.
void Node::State::ask_ready(const std::function<void(std::string)>& answer) {
  if (stopping) return answer("This node is stopping.");
  const bool taken = pool.submit([answer](storage::Connection& connection) {
    std::string why;
    try {
      connection.transact(AppId{}, storage::Mode::read, [](storage::Transaction& tx) { tx.query(sql::schema_number); });
    } catch (const Error&) {
      why = "The database does not answer.";
    }
    answer(why);
  });
  if (!taken) answer("Too much waits for the database.");
}

void Node::State::announce_unread() {
  using Users = reads::UnreadAnnouncer::Users;
  unread_announcer.connect({[this](AppId app, const std::string& cid, const Users& users) { gateway.ask_members(app, cid, users); },
                            [this](AppId app, const std::vector<std::string>& wanted, const Users& users) { gateway.ask_connected(app, wanted, users); },
                            [this](bus::Event event) { gateway.tell_here(std::move(event)); }});
  bus->subscribe([this](bus::Bus::Events events) { unread_announcer.on_events(events); },
                 [this](const bus::Bus::Control& control) { unread_announcer.on_control(control); });
  schedule.add("announce_unread", reads::UnreadAnnouncer::kTurn, [this](storage::Connection& connection) { unread_announcer.turn(connection); });
}

notifications::Notifying Node::State::notifying() {
  return {senders, clock, settings.duration("push.delay"),
          [this](AppId app, const std::vector<std::string>& user_ids) { return presence::connected_among(*ephemeral, app, user_ids); },
          run(), std::chrono::milliseconds(200),
          [this](storage::Connection& connection, AppId app, std::int64_t wanted) { return take_pushes(connection, app, wanted); },
          [this](AppId app, std::int64_t taken, std::int64_t sent) {
            if (const auto account = accounts.known(app)) {
              account->spent(billing::Meter::push, sent, clock.now());
              account->release(billing::Meter::push, taken - sent);
            }
          },
          [this](storage::Transaction& tx, bus::Event event) { tell_push(tx, *bus, directory, std::move(event)); }};
}

notifications::Notifying::Taken Node::State::take_pushes(storage::Connection& connection, AppId app, std::int64_t wanted) {
  auto application = directory.find(app);
  if (!application) application = directory.load(connection, app);
  if (!application) return {0, true};
  const auto account = accounts.load(connection, application);
  if (!account->limits()->has(billing::Feature::push)) return {0, true};
  const auto now = clock.now();
  const auto hold = billing::hold_usage(connection, *account, billing::Meter::push, wanted, now + notifications::Courier::kLease, now);
  const auto count = account->reserve_some(billing::Meter::push, hold.count, now);
  return {count, hold.is_used_up || count < hold.count, hold.id};
}

void Node::State::announce_presence() {
  using Users = presence::Online::Users;
  online.connect({[this](AppId app, const std::string& user_id, const Users& users) { gateway.ask_followers(app, user_id, users); },
                  [this](std::shared_ptr<const realtime::PresenceNews> news) { gateway.tell_followers(std::move(news)); }});
  bus->subscribe(
      [this](bus::Bus::Events events) {
        online.on_events(events);
        watchers.on_events(events);
      },
      [this](const bus::Bus::Control& control) { online.on_control(control); });
  schedule.add("announce_presence", presence::Online::kTurn, [this](storage::Connection& connection) { online.turn(connection); });
  schedule.add("tell_watchers", presence::Watchers::kTurn, [this](storage::Connection& connection) { watchers.turn(connection); });
}

/// Limits are the service's: every second the nodes tell each other what they gave.
void Node::State::share_limits() {
  accounts.share();
  bus->subscribe([](bus::Bus::Events) {}, [this](const bus::Bus::Control& control) {
    if (control.word == kLimitsTold) accounts.hear(control.app, control.detail);
  }, [this](bus::Bus::Missed) { accounts.look_again(); });
  schedule.add("share_limits", std::chrono::seconds(1), [this](storage::Connection&) {
    for (auto& words : accounts.take_words()) bus->tell_others({kLimitsTold, words.app, std::move(words.detail)});
  });
}

void Node::State::wire() {
  bus->keep_with([this](storage::Transaction& tx, const bus::Event& event) { keep_event(tx, webhook_courier, event); });
  if (has_role(settings, "worker"))
    bus->subscribe([this](bus::Bus::Events events) { wake_for(webhook_courier, directory, events); }, [](const bus::Bus::Control&) {});
  const Parts parts{*bus, *ephemeral, sealer, cursors, clock, plans, accounts, lanes,
                    [this](std::int64_t schema) { return status_json(schema); }, [this](const auto& answer) { ask_ready(answer); }, run(),
                    senders, {typists, *ephemeral, cursors}, counted, depot, directory, settings.duration("applications.deletion_wait"),
                    transfer_rules(settings), webhook_client, before, lists, screen, screening, review};
  if (has_role(settings, "api")) add_public_routes(public_router, parts);
  add_operator_routes(operator_router, parts);
  public_gate = std::make_unique<http::Gate>(public_router, pool, clock, "public", public_hooks(auth, accounts, lists, clock));
  operator_gate = std::make_unique<http::Gate>(operator_router, pool, clock, "operator", operator_hooks(settings.text("operator.token"), clock));
  auto serve = [this](http::Gate& gate, const char* proxies) {
    return behind_proxies(networks_of(settings.list(proxies)), [&gate](http::Request request, http::Responder respond) {
      gate.handle(std::move(request), std::move(respond));
    });
  };
  schedule.add("count_reactions", reactions::Counted::kTurn, [this](storage::Connection& connection) { counted.turn(connection); });
  bus->subscribe([this](bus::Bus::Events events) { counted.on_events(events); },
                 [this](const bus::Bus::Control& control) { typists.on_control(control); });
  schedule.add("stop_typing", presence::Typists::kTurn, [this](storage::Connection&) { typists.turn(); });
  if (link) share_limits();
  close_refused(lists, gateway, clock);
  schedule.add("look_at_block_lists", blocklists::Shelf::kTurn, [this](storage::Connection& connection) { lists.look_again(connection); });
  if (link) share_screening(schedule, *bus, screening, directory);
  add_screening_jobs(schedule, screening);
  http::OnUpgrade on_upgrade;
  if (has_role(settings, "realtime")) {
    on_upgrade = [this, proxies = networks_of(settings.list("public.trusted_proxies"))](http::Upgrade& upgrade) {
      if (!proxies.empty()) upgrade.request.remote = client_address(upgrade.request, proxies);
      return gateway.take(upgrade);
    };
    announce_unread();
    announce_presence();
    schedule.add("close_what_ended", std::chrono::minutes(1), [this](storage::Connection& connection) {
      close_what_ended(connection, directory, gateway, clock.now(), false);
    });
  }
  auto public_options = door_options(settings, "public");
  if (depot.is_open()) public_options.on_large_body = [this](const http::Request& head) { return depot.take(head); };
  const http::Cors cors(settings.list("public.allowed_origins"));
  public_door = http::make_server(public_options, cors.around(serve(*public_gate, "public.trusted_proxies")), on_upgrade);
  operator_door = http::make_server(door_options(settings, "operator"), serve(*operator_gate, "operator.trusted_proxies"));
  bus->subscribe([](bus::Bus::Events) {}, [this](const bus::Bus::Control& control) { on_control(control); },
                 [this](bus::Bus::Missed missed) { on_missed(missed); });
}

Node::Node(const config::Settings& settings) : state_(std::make_unique<State>(settings)) {
  state_->top_applications = static_cast<int>(settings.integer("metrics.top_applications"));
  state_->wire();
}

Node::~Node() {
  state_->lists.stop();                    // it asks the pool, which goes before it
  if (state_->link) state_->link->stop();   // calls back into what goes away
  metrics::forget_collected();
}

void Node::start() {
  auto& state = *state_;
  storage::Connection connection(database_options(state.settings));
  try {
    storage::check_schema(connection);
    create_partitions(connection, state.clock.now());
    put_plan_file(connection, *state.bus, state.settings.text("plans.file"), state.clock.now());
    state.plans.load(connection);
  } catch (const Error& error) {
    if (error.code() == Code::unavailable)
      throw StartFailure(kExitDatabase, "The database can't be reached: " + (error.log_detail().empty() ? error.what() : error.log_detail()));
    if (error.code() == Code::conflict) throw StartFailure(kExitSchema, error.what());
    std::string sentence = error.what();
    for (const auto& mistake : error.fields()) sentence += "\n" + mistake.pointer + ": " + mistake.detail;
    throw StartFailure(error.code() == Code::internal ? 1 : kExitConfiguration,
                       error.log_detail().empty() ? sentence : sentence + " " + error.log_detail());
  }
  collect_node_metrics(state.accounts, state.top_applications);
  note_reload(true, state.clock.now());
  state.metering.on_crossing([&state](storage::Connection& teller, const billing::Crossing& crossing) {
    alerts::tell(teller, *state.bus, crossing, state.clock.now());
  });
  add_jobs(state.schedule, has_role(state.settings, "worker"), state.metering, state.plans, *state.bus, state.clock,
           state.settings.duration("usage.flush_interval"));
  if (has_role(state.settings, "worker"))
    add_send_job(state.schedule, {*state.bus, state.clock, state.later(state.lanes), state.run()});
  if (has_role(state.settings, "worker")) {
    state.campaign_sender = std::make_unique<campaigns::Sender>(campaign_sending(state.later(state.campaign_lanes), state.lanes, state.schedule, state.stopping));
    add_campaign_jobs(state.schedule, *state.campaign_sender, state.clock);
  }
  add_application_jobs(state.schedule, has_role(state.settings, "worker"), state.directory, state.clock);
  if (has_role(state.settings, "worker")) add_import_jobs(state.schedule, {*state.bus, state.sealer, state.clock, [&state] { return state.stopping.load(); }});
  if (has_role(state.settings, "worker") && state.settings.text("billing.finalize") == "automatic")
    add_statement_job(state.schedule, *state.bus, state.clock, state.settings.duration("billing.finalize_after"));
  if (has_role(state.settings, "worker")) add_upload_jobs(state.schedule, state.depot, state.clock);
  if (has_role(state.settings, "worker")) add_preview_jobs(state.schedule, state.fetcher);
  if (has_role(state.settings, "worker")) add_task_jobs(state.schedule, state.kinds, state.clock);
  if (has_role(state.settings, "worker")) add_push_jobs(state.schedule, state.notifying(), state.courier);
  if (has_role(state.settings, "worker")) add_webhook_jobs(state.schedule);
  if (state.link) {
    state.link->start();
    const auto deadline = std::chrono::steady_clock::now() + kWaitForRedis;
    while (!state.link->is_up() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (!state.link->is_up()) log::warn("redis.away", {{"detail", "This node serves alone until Redis answers."}});
  }
  try {
    state.public_door->start();
    state.operator_door->start();
  } catch (const Error& error) {
    throw StartFailure(kExitPort, error.what());
  }
  state.schedule.start();
  if (has_role(state.settings, "worker")) state.webhook_courier.start();
  log::info("node.started", {{"version", CHAT_VERSION}, {"public_port", public_port()}, {"operator_port", operator_port()}});
}

void Node::stop() {
  auto& state = *state_;
  const auto deadline = state.settings.duration("shutdown.deadline");
  state.stopping = true;
  log::info("node.stopping");
  state.gateway.drain(std::min(deadline / 2, std::chrono::milliseconds(2000)));
  state.public_door->stop(deadline / 2);
  state.lanes.stop();
  state.webhook_courier.stop();
  state.campaign_lanes.stop();
  state.depot.stop();
  try {
    state.schedule.run_now(kCountModerationCalls, deadline / 4);
    state.schedule.run_now("flush_usage", deadline / 2);
  } catch (const Error& error) {
    log::warn("usage.flush_failed", {{"detail", error.what()}});
  }
  state.schedule.stop();
  state.operator_door->stop(std::chrono::milliseconds(500));
  state.pool.stop();
  if (state.link) state.link->stop();
  log::info("node.stopped");
}

void Node::reload(const config::Settings& settings) {
  auto& state = *state_;
  const auto difference = settings.difference(state.settings);
  log::set_level(log::parse_level(settings.text("log.level")));
  state.top_applications = static_cast<int>(settings.integer("metrics.top_applications"));
  const auto path = settings.text("plans.file");
  if (!state.pool.submit([&state, path](storage::Connection& connection) {
        try {
          put_plan_file(connection, *state.bus, path, state.clock.now());
          state.plans.load(connection);
        } catch (const Error& error) {
          log::error("plans.reload_failed", {{"detail", error.what()}});
        }
      }))
    log::error("plans.reload_failed", {{"detail", "the pool is full"}});
  for (const auto& key : difference.restart) log::warn("config.needs_restart", {{"key", key}});
  log::info("config.reloaded", {{"changed", difference.reloadable.size()}});
  note_reload(true, state.clock.now());
}

std::uint16_t Node::public_port() const { return state_->public_door->port(); }
std::uint16_t Node::operator_port() const { return state_->operator_door->port(); }
void Node::run_job(const std::string& name) { state_->schedule.run_now(name); }

}  // namespace chat::server
