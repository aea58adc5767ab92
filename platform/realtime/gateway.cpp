#include "platform/realtime/gateway.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "platform/base/log.h"
#include "platform/http/gate.h"
#include "platform/realtime/audiences.h"
#include "platform/realtime/handshake.h"
#include "platform/realtime/measures.h"
#include "platform/realtime/outstanding.h"
#include "platform/realtime/shard.h"

namespace chat::realtime {
namespace {

constexpr std::string_view kPath = "/v1/connect";
constexpr std::chrono::seconds kRetryAfterDrain{5};
constexpr std::chrono::seconds kGraceAfterDrain{3};       // for close frames to be answered
constexpr std::chrono::milliseconds kDrainPoll{10};

void refuse(const http::Upgrade& upgrade, const Error& error) {
  measures().refused.add();
  http::Response response = http::problem(error, upgrade.request.request_id);
  if (error.code() == Code::malformed_request) response.with("Sec-WebSocket-Version", "13");
  upgrade.refuse(std::move(response));
}

Error unexpected(const std::exception& error) {
  log::error("connection.hook_threw", {{"error", error.what()}});
  return Error(Code::internal, "Something went wrong here.").with_log(error.what());
}

}  // namespace

struct Gateway::State final : Shards {
  State(Options given, Hooks given_hooks, storage::Pool& given_pool, const Clock& given_clock)
      : options(given), hooks(std::move(given_hooks)), pool(given_pool), clock(given_clock) {
    audiences = std::make_unique<Audiences>(
        options, Audiences::Bounds{},
        Audiences::Source{[this](storage::Pool::Task task) { return submit(std::move(task)); }, hooks.load_audience,
                          hooks.load_missed, [] { return std::chrono::steady_clock::now(); }},
        *this, presence);
    for (int number = 0; number < std::max(1, options.shards); ++number) {
      shards.push_back(std::make_unique<Shard>(
          Shard::Shared{options, hooks, clock, *audiences, presence, revocations,
                        [this](storage::Pool::Task task) { return submit(std::move(task)); }, [this] { audiences->tick(); }},
          number));
    }
    for (auto& shard : shards) shard->start();
  }

  // Shards: under the audiences' lock, so that all shards get it in the same order.
  void deliver(std::shared_ptr<const Delivery> delivery) override {
    for (auto& shard : shards) shard->deliver(delivery);
  }
  void wake() override {
    for (auto& shard : shards) shard->wake_if_posted();
  }
  void assemble(std::shared_ptr<const Roster> roster) override {
    on_every_shard([roster](Shard& shard) { shard.hub().assemble(*roster); });
  }
  void resync(std::shared_ptr<const Resync> resync) override {
    on_every_shard([resync](Shard& shard) { shard.hub().resync(*resync); });
  }
  void forget(const std::string& key) override {
    on_every_shard([key](Shard& shard) { shard.hub().forget(key); });
  }
  void close_application(AppId app, Close code) override {
    on_every_shard([app, code](Shard& shard) { shard.close_application(app, std::nullopt, code); });
  }

  template <class Act>
  void on_every_shard(Act act) {
    for (auto& shard : shards) {
      shard->post([act, target = shard.get()] { act(*target); });
    }
  }

  bool submit(storage::Pool::Task task) {
    auto visit = outstanding.enter();
    if (!visit) return false;
    return pool.submit([task = std::move(task), visit = std::move(visit)](storage::Connection& connection) { task(connection); });
  }

  void on_events(bus::Bus::Events events);
  void on_wider_event(const std::shared_ptr<const bus::Event>& event);
  void settle(http::Upgrade& upgrade, Handshake handshake);
  void settle_cold(http::Upgrade& upgrade, Handshake handshake, Hooks::Credentials credentials);
  void greet(http::Upgrade& upgrade, const Handshake& handshake, Hooks::Credentials credentials,
             std::optional<Identity> identity, std::uint64_t revocations_seen);
  void stop();

  const Options options;
  const Hooks hooks;
  storage::Pool& pool;
  const Clock& clock;
  Presence presence;
  Outstanding outstanding;
  std::atomic<std::uint64_t> revocations{0};
  std::atomic<bool> draining{false};
  std::unique_ptr<Audiences> audiences;
  std::vector<std::unique_ptr<Shard>> shards;
};

void Gateway::State::on_events(bus::Bus::Events events) {
  const auto is_wider = [](const auto& event) { return event->reach != bus::Reach::channel; };
  while (!events.empty()) {
    const auto wider = static_cast<std::size_t>(std::ranges::find_if(events, is_wider) - events.begin());
    if (wider > 0) audiences->publish(events.first(wider));
    if (wider < events.size()) on_wider_event(events[wider]);
    events = events.subspan(std::min(events.size(), wider + 1));
  }
}

// To a user or to the application's servers.
void Gateway::State::on_wider_event(const std::shared_ptr<const bus::Event>& event) {
  if (!presence.any(event->app)) return;
  const Bytes frame = share_frame(Opcode::text, bus::render(*event));
  on_every_shard([event, frame](Shard& shard) {
    if (event->reach != bus::Reach::application) {
      shard.count_copies(event->app, shard.hub().deliver_to_user(event->app, event->user_id, frame));
    }
    if (event->reach == bus::Reach::devices) return;
    shard.count_copies(event->app, shard.hub().deliver_to_servers(event->app, frame));   // which adds "app"
  });
}

void Gateway::State::settle(http::Upgrade& upgrade, Handshake handshake) {
  Hooks::Credentials credentials{handshake.api_key, handshake.token, upgrade.request.remote};
  const auto seen = revocations.load();
  if (!handshake.has_credentials()) return greet(upgrade, handshake, std::move(credentials), std::nullopt, seen);
  try {
    Identity identity = hooks.authenticate(credentials);
    if (hooks.opened) hooks.opened(identity);
    greet(upgrade, handshake, std::move(credentials), std::move(identity), seen);
  } catch (const http::NeedsDatabase&) {
    settle_cold(upgrade, std::move(handshake), std::move(credentials));
  }
}

// The answer waits for a pool worker; meanwhile nobody watches the socket, and the worker has deadlines.
void Gateway::State::settle_cold(http::Upgrade& upgrade, Handshake handshake, Hooks::Credentials credentials) {
  auto kept = std::make_shared<http::Upgrade>(std::move(upgrade));
  const auto seen = revocations.load();
  const bool accepted = submit([this, kept, handshake, credentials, seen](storage::Connection& connection) {
    try {
      Identity identity = hooks.authenticate_cold(credentials, connection);
      if (hooks.opened) hooks.opened(identity);
      greet(*kept, handshake, credentials, std::move(identity), seen);
    } catch (const Error& error) {
      refuse(*kept, error);
    } catch (const std::exception& error) {
      refuse(*kept, unexpected(error));
    }
  });
  if (!accepted) refuse(*kept, Error(Code::unavailable, "The server is too busy; try again."));
}

void Gateway::State::greet(http::Upgrade& upgrade, const Handshake& handshake, Hooks::Credentials credentials,
                           std::optional<Identity> identity, std::uint64_t revocations_seen) {
  const auto fewest = std::min_element(shards.begin(), shards.end(),
                                       [](const auto& a, const auto& b) { return a->sockets() < b->sockets(); });
  (*fewest)->adopt({upgrade.socket, std::move(upgrade.already_read), switching_protocols(handshake), upgrade.request.remote,
                    handshake.will_resume, std::move(credentials), std::move(identity), revocations_seen});
}

void Gateway::State::stop() {
  draining = true;
  outstanding.close();
  for (auto& shard : shards) shard->stop();
}

Gateway::Gateway(Options options, Hooks hooks, bus::Bus& bus, storage::Pool& pool, const Clock& clock)
    : state_(std::make_shared<State>(options, std::move(hooks), pool, clock)) {
  // The bus may outlive the gateway, and an event may be on its way while it ends.
  bus.subscribe(
      [state = std::weak_ptr<State>(state_)](bus::Bus::Events events) {
        const auto there = state.lock();
        if (!there) return;
        if (const auto visit = there->outstanding.enter()) there->on_events(events);
      },
      {});
}

Gateway::~Gateway() { state_->stop(); }

bool Gateway::take(http::Upgrade& upgrade) {
  if (upgrade.request.path != kPath) return false;
  const auto visit = state_->outstanding.enter();
  try {
    if (!visit || state_->draining) {
      throw Error(Code::unavailable, "This node is stopping; reconnect.").with_retry_after(kRetryAfterDrain);
    }
    state_->settle(upgrade, read_handshake(upgrade.request));
  } catch (const Error& error) {
    refuse(upgrade, error);
  } catch (const std::exception& error) {
    refuse(upgrade, unexpected(error));
  }
  return true;
}

// The count goes up first: who was authenticated before it and arrives on its shard after the closing is asked again.
void Gateway::close_application(AppId app, Close code) {
  ++state_->revocations;
  state_->close_application(app, code);
}

void Gateway::close_user(AppId app, const std::string& user_id, std::optional<Timestamp> issued_before, Close code) {
  ++state_->revocations;
  state_->on_every_shard([=](Shard& shard) { shard.close_user(app, user_id, issued_before, code); });
}

void Gateway::close_application_tokens(AppId app, Timestamp issued_before) {
  ++state_->revocations;
  state_->on_every_shard([=](Shard& shard) { shard.close_application(app, issued_before, Close::token_revoked); });
}

void Gateway::close_those(AppId app, const Verdict& verdict) {
  ++state_->revocations;
  state_->on_every_shard([=](Shard& shard) { shard.close_those(app, verdict); });
}

void Gateway::close_addresses(AppId app, const RefusesAddress& refuses) {
  ++state_->revocations;
  state_->on_every_shard([app, refuses](Shard& shard) { shard.close_addresses(app, refuses); });
}

void Gateway::regather(AppId app, const std::vector<std::string>& cids) {
  for (const auto& cid : cids) state_->audiences->regather(app, cid);
}

void Gateway::regather_all(AppId app) { state_->audiences->regather_all(app); }

void Gateway::end_watches(AppId app, const std::string& cid) {
  state_->on_every_shard([key = scoped(app, cid), cid](Shard& shard) { shard.hub().end_watches(key, cid); });
}

void Gateway::ask_members(AppId app, const std::string& cid, const TellUsers& tell) {
  state_->on_every_shard([key = scoped(app, cid), tell](Shard& shard) {
    if (auto users = shard.hub().members_hearing(key); !users.empty()) tell(std::move(users));
  });
}

void Gateway::ask_connected(AppId app, const std::vector<std::string>& user_ids, const TellUsers& tell) {
  state_->on_every_shard([app, user_ids, tell](Shard& shard) {
    std::vector<std::string> connected;
    for (const auto& user_id : user_ids)
      if (!shard.hub().sessions_of_user(app, user_id).empty()) connected.push_back(user_id);
    if (!connected.empty()) tell(std::move(connected));
  });
}

void Gateway::ask_followers(AppId app, const std::string& user_id, const TellUsers& tell) {
  state_->on_every_shard([key = scoped(app, user_id), tell](Shard& shard) {
    if (auto users = shard.hub().followers(key); !users.empty()) tell(std::move(users));
  });
}

void Gateway::tell_followers(std::shared_ptr<const PresenceNews> news) {
  state_->on_every_shard([news](Shard& shard) { shard.count_copies(news->app, shard.hub().tell_followers(*news)); });
}

void Gateway::tell_here(bus::Event event) {
  if (const auto visit = state_->outstanding.enter()) state_->on_wider_event(std::make_shared<const bus::Event>(std::move(event)));
}

void Gateway::look_again(std::chrono::milliseconds over) {
  const auto visit = state_->outstanding.enter();
  if (!visit) return;
  state_->audiences->look_again();
  state_->on_every_shard([over](Shard& shard) { shard.drain(over); });
}

Gateway::Counts Gateway::counts() const {
  Counts counts;
  for (const auto& shard : state_->shards) {
    counts.connections += shard->sockets();
    counts.queued_bytes += shard->queued_bytes();
  }
  counts.hot_channels = state_->audiences->hot_channels();
  return counts;
}

std::map<std::string, std::int64_t> Gateway::connections_by_application() const { return state_->presence.by_application(); }
std::vector<AppId> Gateway::connected_applications() const { return state_->presence.applications(); }
bool Gateway::is_connected(AppId app) const { return state_->presence.any(app); }

void Gateway::drain(std::chrono::milliseconds over) {
  state_->draining = true;
  state_->on_every_shard([over](Shard& shard) { shard.drain(over); });
  const auto deadline = std::chrono::steady_clock::now() + over + kGraceAfterDrain;
  while (counts().connections > 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(kDrainPoll);
  state_->stop();
}

}  // namespace chat::realtime
