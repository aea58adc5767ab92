#include <charconv>
#include <iostream>
#include <memory>

#include "ops/benchmarks/fanout.h"
#include "ops/benchmarks/tally.h"
#include "ops/benchmarks/tenant.h"

namespace chat::bench {
namespace {

constexpr std::string_view kPush = "*3\r\n$7\r\nmessage\r\n$5\r\nbench\r\n$";
constexpr std::string_view kSubscribed = "*3\r\n$9\r\nsubscribe\r\n$5\r\nbench\r\n:1\r\n";
constexpr std::size_t kStampDigits = 20;

/// RESP2: "*3 $7 message $5 bench $N payload", over and over.
class Listener final : public Connection {
 public:
  Listener(Loop& loop, const Endpoint& endpoint, Tally& tally) : Connection(loop, endpoint), tally_(tally) {}
  void start() {
    if (!open()) throw Failure("nobody listens on Redis's port");
    write("*2\r\n$9\r\nSUBSCRIBE\r\n$5\r\nbench\r\n");
  }
  [[nodiscard]] bool is_ready() const { return ready_; }

 private:
  std::size_t take(std::string_view pending) override {
    std::size_t used = 0;
    if (!ready_) {
      if (pending.size() < kSubscribed.size()) return 0;
      ready_ = true;
      used = kSubscribed.size();
    }
    while (const std::size_t push = take_push(pending.substr(used))) used += push;
    return used;
  }

  std::size_t take_push(std::string_view pending) {
    if (pending.size() < kPush.size() + 8) return 0;
    std::size_t size = 0;
    auto [end, error] = std::from_chars(pending.data() + kPush.size(), pending.data() + pending.size(), size);
    if (error != std::errc{}) throw Failure("not a push of Redis");
    const std::size_t head = static_cast<std::size_t>(end - pending.data()) + 2;
    if (pending.size() < head + size + 2) return 0;
    tally_.count(size, [&] {
      Nanos stamp = 0;
      std::from_chars(pending.data() + head, pending.data() + head + kStampDigits, stamp);
      return stamp;
    });
    return head + size + 2;
  }

  void lost() override { throw Failure("Redis closed a subscriber"); }

  Tally& tally_;
  bool ready_ = false;
};

/// One connection that publishes, and again when Redis has answered.
class Publisher final : public Connection {
 public:
  Publisher(Loop& loop, const Endpoint& endpoint, std::size_t payload_bytes, Nanos& stop_at)
      : Connection(loop, endpoint), stop_at_(stop_at) {
    const std::string size = std::to_string(payload_bytes);
    request_ = "*3\r\n$7\r\nPUBLISH\r\n$5\r\nbench\r\n$" + size + "\r\n";
    stamp_at_ = request_.size();
    request_ += std::string(payload_bytes, '0') + "\r\n";
  }
  void publish() {
    Nanos stamp = now();
    for (std::size_t i = kStampDigits; i-- > 0; stamp /= 10) request_[stamp_at_ + i] = static_cast<char>('0' + stamp % 10);
    write(request_);
  }

 private:
  std::size_t take(std::string_view pending) override {  // ":<receivers>\r\n"
    if (pending.substr(pending.size() - 1) != "\n") return 0;
    if (now() < stop_at_) publish();
    return pending.size();
  }
  void lost() override { throw Failure("Redis closed a publisher"); }

  Nanos& stop_at_;
  std::string request_;
  std::size_t stamp_at_ = 0;
};

struct Run {
  Loop loop;
  Tally tally;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::unique_ptr<Publisher>> publishers;

  bool all_ready() const {
    for (const auto& listener : listeners)
      if (!listener->is_ready()) return false;
    return true;
  }
  void play(Nanos warmup, Nanos span) {
    for (auto& listener : listeners) listener->start();
    const Nanos give_up = now() + 30 * kSecond;
    loop.run([&](Nanos at) { return all_ready() || at > give_up ? kStop : give_up; });
    if (!all_ready()) throw Failure("not every Redis subscriber was ready within 30 s");
    tally.measure_from = now() + warmup;
    tally.stop_at = tally.measure_from + span;
    for (auto& publisher : publishers) {
      if (!publisher->open()) throw Failure("nobody listens on Redis's port");
      publisher->publish();
    }
    loop.run([&](Nanos at) { return at < tally.stop_at ? tally.stop_at : kStop; });
  }
};

}  // namespace

void run_redis_fanout(Flags& flags) {
  const Endpoint redis = Endpoint::parse(flags.text("redis"));
  const auto sockets = flags.number("sockets", 100), in_flight = flags.number("in-flight", 16);
  const auto warmup = flags.number("warmup", 2), seconds = flags.number("seconds", 10);
  const auto payload = std::max<std::int64_t>(flags.number("payload-bytes", 400), kStampDigits);
  flags.finish();
  Run run;
  for (std::int64_t i = 0; i < sockets; ++i)
    run.listeners.push_back(std::make_unique<Listener>(run.loop, redis, run.tally));
  for (std::int64_t i = 0; i < in_flight; ++i)
    run.publishers.push_back(
        std::make_unique<Publisher>(run.loop, redis, static_cast<std::size_t>(payload), run.tally.stop_at));
  run.play(warmup * kSecond, seconds * kSecond);

  json::Writer out;
  out.object().field("sockets", sockets).field("in_flight", in_flight).field("payload_bytes", payload);
  out.key("deliveries_per_second").number(static_cast<double>(run.tally.measured) / static_cast<double>(seconds));
  out.key("age");
  run.tally.age.write(out);
  out.end();
  std::cout << out.take() << "\n";
}

}  // namespace chat::bench
