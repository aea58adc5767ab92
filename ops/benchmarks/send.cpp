#include "ops/benchmarks/send.h"

#include <deque>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <optional>

#include "ops/benchmarks/exchange.h"
#include "ops/benchmarks/samples.h"
#include "ops/benchmarks/tenant.h"

namespace chat::bench {
namespace {

constexpr Nanos kReconnectPause = kSecond / 20;
constexpr Nanos kDrain = 5 * kSecond;                     // for answers under way at the end

struct Plan {
  Nanos start = 0, warmup = 0, length = 0;
  std::int64_t windows = 1;                               // of so long each, each after a warm-up
  Nanos interval = 0;                                     // between sends on the timetable; 0: none
  bool reconnect = false;

  [[nodiscard]] Nanos end_of(std::int64_t window) const { return start + (window + 1) * (warmup + length); }
  [[nodiscard]] Nanos stop_at() const { return end_of(windows - 1); }
  /// -1: none.
  [[nodiscard]] std::int64_t window_of(Nanos at) const {
    const auto window = (at - start) / (warmup + length);
    return window < windows && at >= end_of(window) - length ? window : -1;
  }
};

struct Totals {
  std::int64_t acknowledged = 0;                          // in all
  std::int64_t measured = 0;                              // of them, while measuring
  std::int64_t lost_connections = 0;
  std::map<int, std::int64_t> refused;
  std::string first_refusal;
  Samples latency;
  Samples turns[2];                                       // of the first, third, … window, and of those between
  std::vector<Samples> windows;
};

std::string_view id_in(std::string_view body) {
  constexpr std::string_view kField = "\"id\":\"";
  const auto at = body.find(kField);
  if (at == std::string_view::npos) return {};
  const auto begin = at + kField.size();
  return body.substr(begin, body.find('"', begin) - begin);
}

class Run {
 public:
  Run(Flags& flags, const Tenant& tenant)
      : text_bytes_(static_cast<std::size_t>(flags.number("text-bytes", 100))),
        connections_(flags.number("connections", 64)),
        channels_(flags.number("channels", 32)) {
    plan_.warmup = flags.number("warmup", 2) * kSecond;
    plan_.length = flags.number("seconds", 10) * kSecond;
    plan_.windows = flags.number("windows", 1);
    if (plan_.length == 0 || plan_.windows == 0) throw Failure("nothing to measure");
    const auto rate = flags.number("rate", 0);
    plan_.interval = rate > 0 ? kSecond / rate : 0;
    plan_.reconnect = flags.is_set("reconnect");
    if (const auto path = flags.text("acked-log", ""); !path.empty()) acked_.emplace(path, std::ios::app);
    flags.finish();
    make_world(tenant);
    totals_.windows.resize(static_cast<std::size_t>(plan_.windows));
    plan_.start = now();
  }

  void play() {
    for (auto& sender : senders_)
      if (!sender->exchange.open()) throw Failure("nobody listens on the public door");
    next_due_ = plan_.start;
    loop_.run([this](Nanos at) { return turn(at); });
    if (acked_ && !acked_->flush()) throw Failure("the acked log could not be written");
  }

  void report() const {
    const double seconds = static_cast<double>(plan_.windows * plan_.length) / kSecond;
    json::Writer out;
    out.object().field("connections", connections_).field("channels", channels_);
    out.field("acknowledged", totals_.acknowledged).field("lost_connections", totals_.lost_connections);
    out.key("per_second").number(static_cast<double>(totals_.measured) / seconds);
    out.key("latency");
    totals_.latency.write(out);
    if (plan_.windows > 1) write_windows(out);
    out.key("refused").object();
    for (const auto& [status, count] : totals_.refused) out.field(std::to_string(status), count);
    out.end().field("first_refusal", totals_.first_refusal).end();
    std::cout << out.take() << "\n";
  }

 private:
  struct Sender {
    Sender(Run& run, Loop& loop, const Tenant& tenant, const std::string& user, const std::string& channel, std::size_t bytes)
        : exchange(loop, tenant.endpoint(), [this, &run](const Answer& answer) { run.answered(*this, answer); }),
          request(tenant, user, channel, bytes) {}
    Exchange exchange;
    StampedSend request;
    Nanos due = 0;                                        // when the request under way should have left
    Nanos reopen_at = 0;
  };

  void make_world(const Tenant& tenant) {
    const auto users = names("bench-", connections_);
    tenant.make_users(users);
    for (std::int64_t c = 0; c < channels_; ++c) {
      std::vector<std::string> members;
      for (std::int64_t u = c; u < connections_; u += channels_) members.push_back(users[static_cast<std::size_t>(u)]);
      if (!members.empty()) tenant.make_channel("bench-send-" + std::to_string(c), members);
    }
    for (std::int64_t u = 0; u < connections_; ++u)
      senders_.push_back(std::make_unique<Sender>(*this, loop_, tenant, users[static_cast<std::size_t>(u)],
                                                  "bench-send-" + std::to_string(u % channels_), text_bytes_));
  }

  void write_windows(json::Writer& out) const {
    out.key("turns").array();
    for (const auto& turn : totals_.turns) turn.write(out);
    out.end().key("windows").array();
    for (const auto& window : totals_.windows) window.write(out);
    out.end();
  }

  /// Says which windows are over, for whoever changes something between them.
  void tell_windows(Nanos at) {
    for (; told_ < plan_.windows && at >= plan_.end_of(told_); ++told_) std::cerr << "window " << told_ + 1 << " is over" << std::endl;
  }

  Nanos turn(Nanos at) {
    tell_windows(at);
    if (at >= plan_.stop_at()) return drain(at);
    Nanos wake = plan_.stop_at();
    if (plan_.interval > 0) {
      for (; next_due_ <= at; next_due_ += plan_.interval) due_.push_back(next_due_);
      wake = next_due_;
    }
    for (auto& sender : senders_) {
      if (sender->exchange.is_busy()) continue;
      if (!sender->exchange.is_open()) reopen(*sender, at);
      if (sender->exchange.is_open() && !ask(*sender, at)) break;
    }
    return std::min(wake, at + kReconnectPause);
  }

  Nanos drain(Nanos at) {
    for (const auto& sender : senders_)
      if (sender->exchange.is_busy() && at < plan_.stop_at() + kDrain) return plan_.stop_at() + kDrain;
    return kStop;
  }

  void reopen(Sender& sender, Nanos at) {
    if (!plan_.reconnect || at < sender.reopen_at) return;
    sender.reopen_at = at + kReconnectPause;
    sender.exchange.open();
  }

  /// False when the timetable has nothing due.
  bool ask(Sender& sender, Nanos at) {
    sender.due = at;
    if (plan_.interval > 0) {
      if (due_.empty()) return false;
      sender.due = due_.front();
      due_.pop_front();
    }
    sender.exchange.ask(sender.request.stamped(at));
    return true;
  }

  void answered(Sender& sender, const Answer& answer) {
    const Nanos at = now();
    if (answer.status == 0) {
      ++totals_.lost_connections;
      sender.reopen_at = at + kReconnectPause;
      return;
    }
    if (answer.status != 200 && answer.status != 201) {
      ++totals_.refused[answer.status];
      if (totals_.first_refusal.empty()) totals_.first_refusal = answer.body;
      return;                                             // the next turn sends again
    }
    ++totals_.acknowledged;
    if (acked_) *acked_ << id_in(answer.body) << std::endl;
    if (plan_.window_of(at) >= 0) ++totals_.measured;
    measure(plan_.window_of(sender.due), at - sender.due);
    if (plan_.interval == 0 && at < plan_.stop_at()) ask(sender, at);
  }

  void measure(std::int64_t window, Nanos latency) {
    if (window < 0) return;
    totals_.latency.add(latency);
    totals_.turns[window % 2].add(latency);
    totals_.windows[static_cast<std::size_t>(window)].add(latency);
  }

  Loop loop_;
  std::size_t text_bytes_;
  std::int64_t connections_, channels_;
  Plan plan_;
  Totals totals_;
  std::optional<std::ofstream> acked_;
  std::vector<std::unique_ptr<Sender>> senders_;
  std::deque<Nanos> due_;
  Nanos next_due_ = 0;
  std::int64_t told_ = 0;                                 // windows
};

}  // namespace

void run_send(Flags& flags) {
  const Tenant tenant(flags);
  Run run(flags, tenant);
  run.play();
  run.report();
}

}  // namespace chat::bench
