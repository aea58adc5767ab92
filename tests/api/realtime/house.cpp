#include "tests/api/realtime/house.h"

#include <numeric>
#include <thread>

#include "platform/base/crypto.h"
#include "platform/http/gate.h"

namespace chat::test {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

constexpr const char* kApiKey = "key_test";

}  // namespace

realtime::Options House::quick() {
  realtime::Options options;
  options.authentication_timeout = 800ms;
  return options;
}

House::House(realtime::Options options) {
  crypto::start();
  bus_ = bus::make_local_bus();
  storage::DatabaseOptions nowhere;
  nowhere.dsn = "host=/nowhere";                       // never connected: the hooks answer from memory
  pool_ = std::make_unique<storage::Pool>(nowhere, 3, 10'000);
  gateway_ = std::make_unique<realtime::Gateway>(options, hooks(), *bus_, *pool_, system_clock());
  http::ServerOptions listen;
  listen.port = 0;
  server_ = http::make_server(
      listen, [](http::Request, http::Responder respond) { respond(http::json(404, "{}")); },
      [this](http::Upgrade& upgrade) { return gateway_->take(upgrade); });
  server_->start();
}

House::~House() {
  holds_locates = false;
  server_->stop(1s);
  gateway_.reset();
  pool_->stop();
}

realtime::Hooks House::hooks() {
  realtime::Hooks hooks;
  hooks.authenticate = [this](const auto& credentials) { return identify(credentials, false); };
  hooks.authenticate_cold = [this](const auto& credentials, storage::Connection&) { return identify(credentials, true); };
  hooks.opened = [this](const realtime::Identity&) {
    if (opened - closed >= max_connections) throw Error(Code::too_many_connections, "Too many connections.");
    ++opened;
  };
  hooks.closed = [this](const realtime::Identity&) { ++closed; };
  hooks.delivered = [this](const AppId&, std::int64_t count, std::int64_t) { copies += count; };
  hooks.load_audience = [this](storage::Connection&, AppId, ChannelId id) -> std::optional<realtime::Audience> {
    ++loads;
    check_database();
    const std::lock_guard lock(mutex_);
    for (const auto& [cid, channel] : channels_) {
      if (channel.id != id) continue;
      return realtime::Audience{channel.epoch, channel.last_seq, {channel.members.begin(), channel.members.end()}, channel.open};
    }
    return std::nullopt;
  };
  hooks.locate = [this](storage::Connection&, const realtime::Identity& who, const std::vector<std::string>& cids) {
    ++locates;
    for (++holding; holds_locates;) std::this_thread::sleep_for(1ms);
    --holding;
    check_database();
    const std::lock_guard lock(mutex_);
    std::vector<realtime::Position> found;
    for (const auto& cid : cids) {
      const auto place = channels_.find(cid);
      if (place == channels_.end()) continue;
      const Channel& channel = place->second;
      const bool may_hear = who.user_id.empty() || channel.open || channel.members.contains(who.user_id);
      found.push_back({channel.id, cid, channel.epoch, channel.last_seq, std::nullopt, 7, may_hear});
    }
    return found;
  };
  hooks.load_missed = [this](storage::Connection&, AppId, ChannelId id, std::int64_t from, std::int64_t to)
      -> std::optional<std::vector<realtime::Missed>> {
    ++missed_loads;
    check_database();
    const std::lock_guard lock(mutex_);
    for (const auto& [cid, channel] : channels_) {
      if (channel.id != id) continue;
      std::vector<realtime::Missed> missed;
      for (std::int64_t seq = from + 1; seq <= to; ++seq) {
        const auto event = channel.events.find(seq);
        if (event == channel.events.end()) return std::nullopt;
        missed.push_back({seq, bus::render(event->second)});
      }
      return missed;
    }
    return std::nullopt;
  };
  return hooks;
}

void House::check_database() const {
  if (database_fails) throw Error(Code::unavailable, "The database is away.");
}

realtime::Identity House::identify(const realtime::Hooks::Credentials& credentials, bool cold) {
  if (credentials.api_key != kApiKey) throw Error(Code::unauthenticated, "Unknown key.");
  std::string user = credentials.token;
  if (user.starts_with("revoked:")) throw Error(Code::token_revoked, "Revoked.");
  if (user.starts_with("suspended:")) throw Error(Code::application_suspended, "Suspended.");
  if (user.starts_with("expired:")) throw Error(Code::token_expired, "Expired.");
  const std::lock_guard lock(mutex_);
  if (user.starts_with("cold:")) {
    user = user.substr(5);
    if (cold) warm_.insert(user);
    else if (!warm_.contains(user)) throw http::NeedsDatabase{};
  }
  if (revoked_.contains(user)) throw Error(Code::token_revoked, "Revoked.");
  realtime::Identity identity;
  identity.app = app_;
  identity.user_id = user == "server" ? "" : user;
  identity.issued_at = system_clock().now();
  if (token_life) identity.expires_at = identity.issued_at + *token_life;
  return identity;
}

WsClient House::connect(const std::string& token, WsClient::Mode mode, const std::string& target) {
  WsClient::Options options;
  options.port = port();
  options.api_key = kApiKey;
  options.token = token;
  options.mode = mode;
  options.target = target;
  return WsClient(options);
}

WsClient House::connect_deaf(const std::string& token, int receive_buffer_bytes) {
  WsClient::Options options;
  options.port = port();
  options.api_key = kApiKey;
  options.token = token;
  options.deaf = true;
  options.receive_buffer_bytes = receive_buffer_bytes;
  return WsClient(options);
}

WsClient House::ready(const std::string& token, const std::string& target) {
  WsClient client = connect(token, WsClient::Mode::header, target);
  client.wait_for("connection.ready");
  return client;
}

void House::make_channel(const std::string& cid, std::set<std::string> members, bool open) {
  const std::lock_guard lock(mutex_);
  Channel& channel = channels_[cid];
  channel = {};
  channel.id = ChannelId::make(system_clock().now());
  channel.epoch = "e" + channel.id.wire().substr(20);
  channel.members = std::move(members);
  channel.open = open;
}

std::shared_ptr<const bus::Event> House::commit_silently(const std::string& cid, const std::string& type, const Change& change) {
  const std::lock_guard lock(mutex_);
  Channel& channel = channels_.at(cid);
  bus::Event event;
  event.created_at = system_clock().now();
  event.id = EventId::make(event.created_at);
  event.app = app_;
  event.type = type;
  event.channel = channel.id;
  event.cid = cid;
  event.epoch = channel.epoch;
  event.seq = ++channel.last_seq;
  event.data = "{\"n\":" + std::to_string(event.seq) + "}";
  if (change) change(event);
  for (const auto& user : event.joined) channel.members.insert(user);
  for (const auto& user : event.left) channel.members.erase(user);
  channel.events[event.seq] = event;
  return std::make_shared<const bus::Event>(event);
}

std::int64_t House::commit(const std::string& cid, const std::string& type, const Change& change) {
  const auto event = commit_silently(cid, type, change);
  bus_->publish(event);
  return event->seq;
}

std::int64_t House::add_member(const std::string& cid, const std::string& user) {
  return commit(cid, "member.added", [&](bus::Event& event) { event.joined = {user}; });
}

std::int64_t House::remove_member(const std::string& cid, const std::string& user) {
  return commit(cid, "member.removed", [&](bus::Event& event) { event.left = {user}; });
}

void House::type_in(const std::string& cid, const std::string& user) {
  auto event = std::make_shared<bus::Event>();
  {
    const std::lock_guard lock(mutex_);
    event->channel = channels_.at(cid).id;
  }
  event->created_at = system_clock().now();
  event->id = EventId::make(event->created_at);
  event->app = app_;
  event->type = "typing.start";
  event->cid = cid;
  event->data = json{{"user", user}}.dump();
  bus_->publish(event);
}

void House::tell_user(const std::string& user, const std::string& type) {
  auto event = std::make_shared<bus::Event>();
  event->created_at = system_clock().now();
  event->id = EventId::make(event->created_at);
  event->app = app_;
  event->type = type;
  event->reach = bus::Reach::user;
  event->user_id = user;
  bus_->publish(event);
}

void House::restore(const std::string& cid, std::int64_t last_seq) {
  const std::lock_guard lock(mutex_);
  Channel& channel = channels_.at(cid);
  channel.epoch += "r";
  channel.last_seq = last_seq;
  channel.events.erase(channel.events.upper_bound(last_seq), channel.events.end());
}

void House::set_open(const std::string& cid, bool open) {
  const std::lock_guard lock(mutex_);
  channels_.at(cid).open = open;
}

void House::purge_events(const std::string& cid) {
  const std::lock_guard lock(mutex_);
  channels_.at(cid).events.clear();
}

std::string House::epoch(const std::string& cid) {
  const std::lock_guard lock(mutex_);
  return channels_.at(cid).epoch;
}

std::int64_t House::last_seq(const std::string& cid) {
  const std::lock_guard lock(mutex_);
  return channels_.at(cid).last_seq;
}

void House::revoke(const std::string& user) {
  {
    const std::lock_guard lock(mutex_);
    revoked_.insert(user);
  }
  gateway_->close_user(app_, user, std::nullopt, realtime::Close::token_revoked);
}

bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(2ms);
  }
  return true;
}

std::vector<std::int64_t> seqs(const std::vector<json>& frames, const std::string& cid) {
  std::vector<std::int64_t> found;
  for (const auto& frame : frames) {
    if (frame.value("cid", "") == cid && frame.contains("seq")) found.push_back(frame["seq"]);
  }
  return found;
}

std::vector<std::int64_t> numbers(std::int64_t from, std::int64_t to) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(std::max<std::int64_t>(0, to - from + 1)));
  std::iota(all.begin(), all.end(), from);
  return all;
}

}  // namespace chat::test
