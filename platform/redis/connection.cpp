#include "platform/redis/connection.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <deque>
#include <mutex>
#include <random>
#include <thread>

#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/thread.h"

namespace chat::redis {
namespace {

namespace asio = boost::asio;
using Steady = std::chrono::steady_clock;
using Socket = asio::generic::stream_protocol::socket;

constexpr std::chrono::milliseconds kTick{100};
constexpr std::chrono::milliseconds kFirstBackoff{100};
constexpr int kMaxBackoffShift = 8;

struct Waiting {
  std::size_t left = 0;
  std::vector<Reply> replies;
  Connection::OnReplies on_replies;
  Steady::time_point since;
};

}  // namespace

/// One life of the connection: what belongs to a socket. Replaced as a whole, so that late callbacks find the old one only.
struct Life {
  explicit Life(asio::io_context& io) : socket(io), resolver(io) {}
  Socket socket;
  asio::ip::tcp::resolver resolver;
  Parser parser;
  std::array<char, 64 * 1024> bytes{};
  Steady::time_point began = Steady::now();
  std::size_t greetings_left = 0;
  bool is_up = false;
  std::string writing;
};
using Alive = std::shared_ptr<Life>;

struct Connection::State : std::enable_shared_from_this<Connection::State> {
  State(Options given, Role given_role)
      : options(std::move(given)), role(std::move(given_role)),
        connected(metrics::gauge("chat_redis_connected", "Whether this node's connection to Redis is up.", {{"connection", role.name}})),
        connects(metrics::counter("chat_redis_connects_total", "Connections to Redis that were made.", {{"connection", role.name}})),
        dropped(metrics::counter("chat_redis_dropped_total", "Commands that were not sent: Redis was away, or too much waited.",
                                 {{"connection", role.name}})) {}

  // On the thread.
  void connect();
  void connected_to(const Alive& life);
  void greet(const Alive& life);
  void read(const Alive& life);
  void on_reply(const Alive& life, Reply reply);
  void on_greeting(const Alive& life, const Reply& reply);
  void flush(const Alive& life);
  void tick();
  void ask_sign_of_life();
  void give_up(const Alive& life, std::string_view why);
  void fail_waiting();
  void run();

  const Options options;
  const Role role;
  metrics::Gauge& connected;
  metrics::Counter& connects;
  metrics::Counter& dropped;

  asio::io_context io;
  asio::steady_timer timer{io}, backoff{io};
  std::thread thread;
  std::mt19937 chance{std::random_device{}()};
  Alive life;                                        // the thread's own, as the three below
  int failures = 0;
  bool told_down = false;
  Steady::time_point asked_at{};

  std::atomic<bool> up{false}, stopping{false};
  std::atomic<std::int64_t> offset_us{0};
  std::atomic<Steady::time_point> heard{Steady::now()};
  std::mutex mutex;
  std::string pending;                               // guarded by mutex, as the two below
  std::deque<Waiting> waiting;
  bool flush_posted = false;
};

void Connection::State::run() {
  name_this_thread("redis-" + role.name);
  connect();
  tick();
  io.run();
}

void Connection::State::connect() {
  if (stopping) return;
  life = std::make_shared<Life>(io);
  const auto alive = life;
  const auto on_connect = [this, alive](const boost::system::error_code& error) {
    if (alive != life) return;
    if (error) return give_up(alive, error.message());
    connected_to(alive);
  };
  if (!options.address.path.empty())
    return alive->socket.async_connect(asio::local::stream_protocol::endpoint(options.address.path), on_connect);
  alive->resolver.async_resolve(options.address.host, std::to_string(options.address.port),
                                [this, alive, on_connect](const boost::system::error_code& error, const asio::ip::tcp::resolver::results_type& found) {
    if (alive != life) return;
    if (error || found.empty()) return give_up(alive, error.message());
    alive->socket.async_connect(found.begin()->endpoint(), on_connect);
  });
}

void Connection::State::connected_to(const Alive& alive) {
  boost::system::error_code ignored;
  if (options.address.path.empty()) alive->socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  greet(alive);
  read(alive);
}

void Connection::State::greet(const Alive& alive) {
  std::string greetings;
  const auto add = [&](std::initializer_list<std::string_view> words) {
    greetings += command(words);
    ++alive->greetings_left;
  };
  if (!options.password.empty()) add({"AUTH", options.password});
  if (options.address.database != 0) add({"SELECT", std::to_string(options.address.database)});
  add({"CLIENT", "SETNAME", "chatd-" + role.name});
  if (role.subscribe_to.empty()) add({"PING"});
  else add({"SUBSCRIBE", role.subscribe_to});
  alive->writing = std::move(greetings);
  asio::async_write(alive->socket, asio::buffer(alive->writing), [this, alive](const boost::system::error_code& error, std::size_t) {
    if (alive != life) return;
    if (error) return give_up(alive, error.message());
    alive->writing.clear();
    flush(alive);
  });
}

void Connection::State::read(const Alive& alive) {
  alive->socket.async_read_some(asio::buffer(alive->bytes), [this, alive](const boost::system::error_code& error, std::size_t size) {
    if (alive != life) return;
    if (error) return give_up(alive, error.message());
    heard = Steady::now();
    const bool good = alive->parser.feed({alive->bytes.data(), size}, [this, &alive](Reply reply) {
      if (alive == life) on_reply(alive, std::move(reply));
    });
    if (alive != life) return;
    if (!good) return give_up(alive, "not the protocol");
    read(alive);
  });
}

void Connection::State::on_reply(const Alive& alive, Reply reply) {
  if (!role.subscribe_to.empty() && reply.list.size() == 3 && reply.list[0].text == "message") return role.message(reply.list[2].text);
  if (alive->greetings_left > 0) return on_greeting(alive, reply);
  Waiting answered;
  {
    const std::lock_guard lock(mutex);
    if (waiting.empty()) return;
    auto& oldest = waiting.front();
    oldest.replies.push_back(std::move(reply));
    if (--oldest.left > 0) return;
    answered = std::move(oldest);
    waiting.pop_front();
  }
  if (answered.on_replies) answered.on_replies(std::move(answered.replies));
}

void Connection::State::on_greeting(const Alive& alive, const Reply& reply) {
  if (reply.kind == Reply::Kind::error) return give_up(alive, reply.text);
  if (--alive->greetings_left > 0) return;
  alive->is_up = true;
  failures = 0;
  told_down = false;
  {
    const std::lock_guard lock(mutex);
    up = true;
  }
  connected.set(1);
  connects.add();
  log::info("redis.connected", {{"connection", role.name}});
  if (role.subscribe_to.empty()) ask_sign_of_life();
  if (role.up) role.up();
}

bool Connection::send(std::string commands, std::size_t count, OnReplies on_replies) {
  auto& state = *state_;
  const std::lock_guard lock(state.mutex);
  if (!state.up || state.pending.size() + commands.size() > state.options.max_pending_bytes ||
      state.waiting.size() >= state.options.max_waiting) {
    state.dropped.add(static_cast<double>(count));
    return false;
  }
  if (state.pending.empty()) state.pending = std::move(commands);
  else state.pending += commands;
  state.waiting.push_back({count, {}, std::move(on_replies), Steady::now()});
  if (!std::exchange(state.flush_posted, true))
    asio::post(state.io, [there = state_.get()] {
      if (there->life) there->flush(there->life);
    });
  return true;
}

void Connection::State::flush(const Alive& alive) {
  {
    const std::lock_guard lock(mutex);
    flush_posted = false;
    if (!alive->is_up || !alive->writing.empty() || pending.empty()) return;
    alive->writing.swap(pending);
  }
  asio::async_write(alive->socket, asio::buffer(alive->writing), [this, alive](const boost::system::error_code& error, std::size_t) {
    if (alive != life) return;
    if (error) return give_up(alive, error.message());
    alive->writing.clear();
    flush(alive);
  });
}

void Connection::State::ask_sign_of_life() {
  asked_at = Steady::now();
  const auto asked = std::chrono::system_clock::now();
  const std::lock_guard lock(mutex);
  pending += role.subscribe_to.empty() ? command({"TIME"}) : command({"PING"});
  waiting.push_back({1, {}, [this, asked](const std::vector<Reply>& replies) {
    if (replies.empty() || replies[0].list.size() != 2 || !role.subscribe_to.empty()) return;
    const auto now = std::chrono::system_clock::now();
    const auto redis_us = std::atoll(replies[0].list[0].text.c_str()) * 1'000'000 + std::atoll(replies[0].list[1].text.c_str());
    const auto middle = asked + (now - asked) / 2;
    offset_us = redis_us - std::chrono::duration_cast<std::chrono::microseconds>(middle.time_since_epoch()).count();
  }, asked_at});
  if (!std::exchange(flush_posted, true)) asio::post(io, [this] { if (life) flush(life); });
}

void Connection::State::tick() {
  if (stopping) return;
  timer.expires_after(kTick);
  timer.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
  if (!life) return;
  const auto now = Steady::now();
  if (!life->is_up) {
    if (now - life->began > options.connect_timeout) give_up(life, "no answer in time");
    return;
  }
  bool late = false;
  {
    const std::lock_guard lock(mutex);
    late = !waiting.empty() && now - waiting.front().since > options.answer_timeout;
  }
  if (late) return give_up(life, "no answer in time");
  if (now - asked_at >= options.heartbeat) ask_sign_of_life();
}

void Connection::State::fail_waiting() {
  std::deque<Waiting> failed;
  {
    const std::lock_guard lock(mutex);
    up = false;
    pending.clear();
    failed.swap(waiting);
  }
  for (auto& one : failed)
    if (one.on_replies) one.on_replies({});
}

void Connection::State::give_up(const Alive& given_up, std::string_view why) {
  const Alive alive = given_up;                      // `given_up` may be `life` itself
  life.reset();
  boost::system::error_code ignored;
  alive->socket.close(ignored);
  alive->resolver.cancel();
  if (!std::exchange(told_down, true)) log::warn("redis.disconnected", {{"connection", role.name}, {"why", std::string(why)}});
  connected.set(0);
  fail_waiting();
  if (alive->is_up && role.down) role.down();
  if (stopping) return;
  const auto longest = std::min<std::chrono::milliseconds>(options.max_backoff, kFirstBackoff * (1 << std::min(failures, kMaxBackoffShift)));
  ++failures;
  backoff.expires_after(longest / 2 + std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(0, longest.count() / 2)(chance)));
  backoff.async_wait([this](const boost::system::error_code& error) {
    if (!error) connect();
  });
}

Connection::Connection(Options options, Role role) : state_(std::make_shared<State>(std::move(options), std::move(role))) {}

Connection::~Connection() { stop(); }

void Connection::start() {
  state_->thread = std::thread([state = state_] { state->run(); });
}

void Connection::stop() {
  if (!state_->thread.joinable()) return;
  state_->stopping = true;
  asio::post(state_->io, [state = state_.get()] {
    state->timer.cancel();
    state->backoff.cancel();
    if (state->life) state->give_up(state->life, "this node stops");
  });
  state_->thread.join();
}

bool Connection::is_up() const { return state_->up; }
std::chrono::microseconds Connection::clock_offset() const { return std::chrono::microseconds(state_->offset_us.load()); }
std::chrono::steady_clock::time_point Connection::heard_at() const { return state_->heard; }

}  // namespace chat::redis
