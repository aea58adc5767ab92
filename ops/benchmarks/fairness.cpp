#include "ops/benchmarks/fairness.h"

#include <algorithm>
#include <deque>
#include <future>
#include <iostream>
#include <map>
#include <memory>

#include "ops/benchmarks/exchange.h"
#include "ops/benchmarks/samples.h"
#include "ops/benchmarks/tenant.h"

namespace chat::bench {
namespace {

constexpr Nanos kDrain = 5 * kSecond;                     // for answers under way at the end
constexpr Nanos kNap = kSecond / 20;

/// Windows take turns: quiet, flooded, quiet, …
struct Windows {
  Nanos start = 0, measure_from = 0, stop = 0, length = 0;

  [[nodiscard]] bool is_flooded(Nanos at) const { return (at - start) / length % 2 == 1; }
  [[nodiscard]] Nanos end_of(Nanos at) const { return at + length - (at - start) % length; }
  [[nodiscard]] bool is_measured(Nanos at) const { return at >= measure_from && at < stop && (at - start) % length >= length / 5; }
};

struct Ask {
  std::string stem;                                       // of users and channels
  std::int64_t connections = 0, channels = 0, rate = 0;
  std::int64_t calm = -1;                                 // its rate in quiet windows; -1: the same
};

/// Sends of one application on a timetable.
class Crowd {
 public:
  Crowd(const Tenant& tenant, const Ask& ask) : interval_(kSecond / ask.rate), calm_(ask.calm < 0 ? interval_ : ask.calm == 0 ? 0 : kSecond / ask.calm) {
    const auto users = names(ask.stem + "-", ask.connections);
    tenant.make_users(users);
    for (std::int64_t c = 0; c < ask.channels; ++c) {
      std::vector<std::string> members;
      for (auto u = c; u < ask.connections; u += ask.channels) members.push_back(users[static_cast<std::size_t>(u)]);
      tenant.make_channel(ask.stem + "-" + std::to_string(c), members);
    }
    for (std::int64_t u = 0; u < ask.connections; ++u)
      senders_.push_back(std::make_unique<Sender>(*this, tenant, users[static_cast<std::size_t>(u)], ask.stem + "-" + std::to_string(u % ask.channels)));
  }

  void play(const Windows& windows) {
    windows_ = windows;
    next_due_ = windows.start;
    for (auto& sender : senders_)
      if (!sender->exchange.open()) throw Failure("nobody listens on the public door");
    loop_.run([this](Nanos at) { return turn(at); });
  }

  Samples alone, flooded;
  std::int64_t asked = 0;                                 // in floods, while measuring
  std::int64_t acknowledged = 0;
  std::int64_t unsent = 0;                                // due in a flood, and no connection was free before its end
  std::map<int, std::int64_t> refused;                    // 0: the connection was lost
  std::string first_refusal;                              // other than 429

 private:
  struct Sender {
    Sender(Crowd& crowd, const Tenant& tenant, const std::string& user, const std::string& channel)
        : exchange(crowd.loop_, tenant.endpoint(), [this, &crowd](const Answer& answer) { crowd.answered(*this, answer); }),
          request(tenant, user, channel, 100) {}
    Exchange exchange;
    StampedSend request;
    Nanos due = 0;
  };

  Nanos turn(Nanos at) {
    if (at >= windows_.stop) return drain(at);
    const Nanos wake = fill(at);
    for (auto& sender : senders_) {
      if (due_.empty()) break;
      if (sender->exchange.is_busy()) continue;
      if (!sender->exchange.is_open() && !sender->exchange.open()) continue;
      sender->due = due_.front();
      due_.pop_front();
      if (sender->due >= windows_.measure_from && windows_.is_flooded(sender->due)) ++asked;
      sender->exchange.ask(sender->request.stamped(at));
    }
    return std::min({wake, windows_.stop, at + kNap});
  }

  /// Puts down what is due until now. Returns when more is.
  Nanos fill(Nanos at) {
    if (calm_ != interval_ && !windows_.is_flooded(at)) {
      while (!due_.empty() && windows_.is_flooded(due_.front())) {
        ++unsent;
        due_.pop_front();
      }
      if (calm_ == 0) return next_due_ = windows_.end_of(at);
    }
    for (; next_due_ <= at; next_due_ += windows_.is_flooded(next_due_) ? interval_ : calm_) due_.push_back(next_due_);
    return next_due_;
  }

  Nanos drain(Nanos at) const {
    for (const auto& sender : senders_)
      if (sender->exchange.is_busy() && at < windows_.stop + kDrain) return windows_.stop + kDrain;
    return kStop;
  }

  void answered(Sender& sender, const Answer& answer) {
    if (answer.status == 201) {
      ++acknowledged;
      if (windows_.is_measured(sender.due)) (windows_.is_flooded(sender.due) ? flooded : alone).add(now() - sender.due);
      return;
    }
    ++refused[answer.status];
    if (answer.status != 429 && first_refusal.empty()) first_refusal = answer.body;
  }

  Nanos interval_, calm_;                                 // between two that are due, in a flood and in between; 0: nothing is
  Loop loop_;
  Windows windows_;
  std::vector<std::unique_ptr<Sender>> senders_;
  std::deque<Nanos> due_;
  Nanos next_due_ = 0;
};

void write_refused(json::Writer& out, const Crowd& crowd) {
  out.key("refused").object();
  for (const auto& [status, count] : crowd.refused) out.field(std::to_string(status), count);
  out.end().field("first_refusal", crowd.first_refusal);
}

void report(const Crowd& first, const Crowd& noisy, std::int64_t seconds) {
  json::Writer out;
  out.object().field("acknowledged", first.acknowledged);
  out.key("alone");
  first.alone.write(out);
  out.key("flooded");
  first.flooded.write(out);
  write_refused(out, first);
  out.key("flood").object().key("per_second").number(static_cast<double>(noisy.asked) / static_cast<double>(seconds));
  out.field("acknowledged", noisy.acknowledged).field("unsent", noisy.unsent);
  write_refused(out, noisy);
  out.end().end();
  std::cout << out.take() << "\n";
}

}  // namespace

void run_fairness(Flags& flags) {
  const Tenant tenant(flags), other(flags, "noisy-");
  const auto connections = flags.number("connections", 32), channels = flags.number("channels", 16);
  const auto rate = flags.number("rate", 500), flood = flags.number("flood", 2500), calm = flags.number("calm", 0);
  const auto seconds = flags.number("seconds", 8), warmup = flags.number("warmup", 2);
  Windows windows;
  windows.length = flags.number("window-ms", 500) * (kSecond / 1000);
  flags.finish();
  if (rate == 0 || flood == 0 || windows.length == 0 || channels == 0 || connections < channels) throw Failure("nothing to measure");
  Crowd first(tenant, {"fair", connections, channels, rate});
  Crowd noisy(other, {"noisy", connections, channels, flood, calm});
  windows.start = now();
  windows.measure_from = windows.start + warmup * kSecond;
  windows.stop = windows.measure_from + 2 * seconds * kSecond;
  auto flooding = std::async(std::launch::async, [&] { noisy.play(windows); });
  first.play(windows);
  flooding.get();
  report(first, noisy, seconds);
}

}  // namespace chat::bench
