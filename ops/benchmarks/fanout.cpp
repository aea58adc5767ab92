#include "ops/benchmarks/fanout.h"

#include <iostream>
#include <memory>

#include "ops/benchmarks/tally.h"
#include "ops/benchmarks/tenant.h"

namespace chat::bench {
namespace {

constexpr Nanos kReadyWithin = 30 * kSecond;
constexpr Nanos kDrain = 10 * kSecond;
constexpr std::string_view kNewMessage = "{\"type\":\"message.new\"";

/// A WebSocket that reads: answers pings, counts message.new, ignores the rest.
class Subscriber final : public Connection {
 public:
  Subscriber(Loop& loop, const Tenant& tenant, const std::string& user, Tally& tally)
      : Connection(loop, tenant.endpoint()), tally_(tally) {
    upgrade_ = request_text("GET", "/v1/connect",
                            tenant.user_headers(user) +
                                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n",
                            "");
  }
  void start() {
    if (!open()) throw Failure("nobody listens on the public door");
    write(upgrade_);
  }
  [[nodiscard]] bool is_ready() const { return ready_; }

 private:
  std::size_t take(std::string_view pending) override {
    std::size_t used = upgraded_ ? 0 : take_upgrade(pending);
    if (!upgraded_) return used;
    while (const std::size_t frame = take_frame(pending.substr(used))) used += frame;
    return used;
  }

  std::size_t take_upgrade(std::string_view pending) {
    const auto end = pending.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    if (pending.substr(0, 12) != "HTTP/1.1 101") throw Failure("the WebSocket was refused: " + std::string(pending));
    upgraded_ = true;
    return end + 4;
  }

  /// RFC 6455 5.2, the server's side: never masked. 0: not whole yet.
  std::size_t take_frame(std::string_view pending) {
    if (pending.size() < 2) return 0;
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(pending[i]); };
    std::size_t head = 2, size = byte(1) & 0x7fU;
    if (size == 126) head = 4;
    if (size == 127) head = 10;
    if (pending.size() < head) return 0;
    if (head > 2) {
      size = 0;
      for (std::size_t i = 2; i < head; ++i) size = size << 8 | byte(i);
    }
    if (pending.size() - head < size) return 0;
    on_frame(byte(0) & 0x0fU, pending.substr(head, size));
    return head + size;
  }

  void on_frame(unsigned opcode, std::string_view payload) {
    if (opcode == 1 && payload.substr(0, kNewMessage.size()) == kNewMessage) {
      tally_.count(payload.size(), [&] { return stamp_in(payload); });
    } else if (opcode == 1 && payload.find("\"connection.ready\"") != std::string_view::npos) {
      ready_ = true;
    } else if (opcode == 9) {                             // ping → pong under a zero mask
      std::string pong{static_cast<char>(0x8a), static_cast<char>(0x80U | payload.size()), 0, 0, 0, 0};
      write(pong.append(payload));
    } else if (opcode == 8) {
      throw Failure("the server closed a subscriber");
    }
  }

  void lost() override { throw Failure("a subscriber lost its connection"); }

  Tally& tally_;
  std::string upgrade_;
  bool upgraded_ = false, ready_ = false;
};

class Run {
 public:
  Run(Flags& flags, const Tenant& tenant)
      : sockets_(flags.number("sockets", 100)), in_flight_(flags.number("in-flight", 16)) {
    warmup_ = flags.number("warmup", 2) * kSecond;
    span_ = flags.number("seconds", 10) * kSecond;
    const auto text_bytes = static_cast<std::size_t>(flags.number("text-bytes", 100));
    flags.finish();
    const auto users = names("bench-", sockets_);
    const std::string channel = "bench-fanout-" + std::to_string(sockets_);
    tenant.make_users(users);
    tenant.make_channel(channel, users);
    for (const auto& user : users) subscribers_.push_back(std::make_unique<Subscriber>(loop_, tenant, user, tally_));
    for (std::int64_t i = 0; i < in_flight_; ++i)
      senders_.push_back(std::make_unique<Sender>(*this, tenant, users[static_cast<std::size_t>(i % sockets_)], channel,
                                                  text_bytes));
  }

  void play() {
    for (auto& subscriber : subscribers_) subscriber->start();
    const Nanos give_up = now() + kReadyWithin;
    loop_.run([&](Nanos at) { return all_ready() ? kStop : at < give_up ? give_up : kStop; });
    if (!all_ready()) throw Failure("not every subscriber was ready within 30 s");
    for (auto& sender : senders_) sender->exchange.open();
    tally_.measure_from = now() + warmup_;
    tally_.stop_at = tally_.measure_from + span_;
    for (auto& sender : senders_) sender->exchange.ask(sender->request.stamped(now()));
    loop_.run([&](Nanos at) { return at < tally_.stop_at ? tally_.stop_at : kStop; });
    loop_.run([&](Nanos at) { return is_drained() || at > tally_.stop_at + kDrain ? kStop : at + kSecond / 20; });
  }

  void report() const {
    const double seconds = static_cast<double>(span_) / kSecond;
    json::Writer out;
    out.object().field("sockets", sockets_).field("in_flight", in_flight_);
    out.key("deliveries_per_second").number(static_cast<double>(tally_.measured) / seconds);
    out.key("sends_per_second").number(static_cast<double>(measured_sends_) / seconds);
    out.field("acknowledged", acknowledged_).field("delivered", tally_.received);
    out.field("missing", acknowledged_ * sockets_ - tally_.received);
    out.field("frame_bytes", tally_.received > 0 ? tally_.bytes / tally_.received : 0);
    out.key("age");
    tally_.age.write(out);
    out.field("refused", refused_).field("first_refusal", first_refusal_).end();
    std::cout << out.take() << "\n";
  }

 private:
  struct Sender {
    Sender(Run& run, const Tenant& tenant, const std::string& user, const std::string& channel, std::size_t text_bytes)
        : exchange(run.loop_, tenant.endpoint(), [this, &run](const Answer& answer) { run.answered(*this, answer); }),
          request(tenant, user, channel, text_bytes) {}
    Exchange exchange;
    StampedSend request;
  };

  [[nodiscard]] bool all_ready() const {
    for (const auto& subscriber : subscribers_)
      if (!subscriber->is_ready()) return false;
    return true;
  }

  [[nodiscard]] bool is_drained() const {
    for (const auto& sender : senders_)
      if (sender->exchange.is_busy()) return false;
    return tally_.received >= acknowledged_ * sockets_;
  }

  void answered(Sender& sender, const Answer& answer) {
    const Nanos at = now();
    if (answer.status == 0) throw Failure("a sender lost its connection");
    if (answer.status == 201) {
      ++acknowledged_;
      measured_sends_ += at >= tally_.measure_from && at < tally_.stop_at;
    } else {
      ++refused_;
      if (first_refusal_.empty()) first_refusal_ = answer.body;
    }
    if (at < tally_.stop_at) sender.exchange.ask(sender.request.stamped(at));
  }

  Loop loop_;
  Tally tally_;
  std::int64_t sockets_, in_flight_;
  Nanos warmup_ = 0, span_ = 0;
  std::int64_t acknowledged_ = 0, measured_sends_ = 0, refused_ = 0;
  std::string first_refusal_;
  std::vector<std::unique_ptr<Subscriber>> subscribers_;
  std::vector<std::unique_ptr<Sender>> senders_;
};

}  // namespace

void run_fanout(Flags& flags) {
  const Tenant tenant(flags);
  Run run(flags, tenant);
  run.play();
  run.report();
}

}  // namespace chat::bench
