#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <unordered_map>

#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/redis/link.h"
#include "platform/redis/recent.h"

namespace chat::redis {
namespace {

using Steady = std::chrono::steady_clock;

// Before the moment from which something may be lost: what was on its way then.
constexpr std::chrono::milliseconds kMargin{500};
constexpr std::chrono::milliseconds kUrgent{100};
constexpr std::size_t kRepeatedAtOnce = 64;          // events in a packet

class RedisBus final : public bus::Bus, public std::enable_shared_from_this<RedisBus> {
 public:
  explicit RedisBus(Link& link) : link_(link), local_(bus::make_local_bus()) {}
  void join();

  void publish(Events events) override;
  void control(Control control) override;
  void tell_others(Control control) override;
  void subscribe(OnEvents on_events, OnControl on_control, OnMissed on_missed) override;

 private:
  struct Repeat {
    bus::SharedEvents events;
    std::size_t next = 0;
    std::string to;                                  // empty: everybody
  };
  struct Asked {
    std::optional<std::int64_t> expected;            // nothing: Redis has not answered
    std::int64_t known = 0;
  };
  void tell_urgently(Control control);
  void send_control(const std::string& packet);
  void owe_events(Steady::time_point since);
  void owe_control();
  void pay();
  void repeat(Steady::time_point since, const std::string& to);
  void repeat_next(const std::shared_ptr<Repeat>& repeat, Steady::time_point since);
  void on_subscribed();
  void on_message(std::string_view message);
  void on_packet(bus::Packet packet);
  void on_known(std::uint64_t number);
  void tell_missed(Missed missed);

  Link& link_;
  const std::unique_ptr<bus::Bus> local_;
  std::vector<OnMissed> on_missed_;
  metrics::Counter& heard_ = metrics::counter("chat_bus_heard_total", "Events that other nodes told this one.");
  metrics::Counter& repeated_ = metrics::counter("chat_bus_repeated_total", "Events told again because somebody may have missed them.");
  metrics::Counter& missed_ = metrics::counter("chat_bus_missed_total", "Times that something told by other nodes may have been lost for good.");
  metrics::Counter& unreadable_ = metrics::counter("chat_bus_unreadable_total", "Packets of other nodes that are not of this version.");

  std::condition_variable known_;
  std::mutex mutex_;                                 // guards what follows
  std::uint64_t last_number_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<Asked>> asked_;
  Recent recent_;
  std::optional<Steady::time_point> owed_since_;     // events told since then may not have reached everybody
  bool owes_control_ = false;
  bool was_subscribed_ = false;
  bool must_ask_ = false;
  Steady::time_point deaf_since_ = Steady::now();    // nothing was heard from then on
};

void RedisBus::join() {
  link_.listen({[self = weak_from_this()] { if (const auto there = self.lock()) there->pay(); },
                [self = weak_from_this()] { if (const auto there = self.lock()) there->on_subscribed(); },
                [self = weak_from_this()] {
                  const auto there = self.lock();
                  if (!there) return;
                  const std::lock_guard lock(there->mutex_);
                  there->deaf_since_ = there->link_.subscriber().heard_at();
                },
                [self = weak_from_this()](std::string_view message) { if (const auto there = self.lock()) there->on_message(message); }});
}

void RedisBus::subscribe(OnEvents on_events, OnControl on_control, OnMissed on_missed) {
  local_->subscribe(std::move(on_events), std::move(on_control), {});
  if (on_missed) on_missed_.push_back(std::move(on_missed));
}

// Remembered before it is sent: a loss that is noticed at once finds it.
void RedisBus::publish(Events events) {
  local_->publish(events);
  const auto now = Steady::now();
  {
    const std::lock_guard lock(mutex_);
    recent_.add(events, now);
  }
  const bool sent = link_.publish(bus::pack(link_.node(), events), [self = shared_from_this(), now](const std::vector<Reply>& replies) {
    if (replies.empty()) self->owe_events(now);
  });
  if (!sent) owe_events(now);
}

void RedisBus::control(Control control) {
  if (control.urgent) return tell_urgently(std::move(control));
  const auto packet = bus::pack(link_.node(), 0, control);
  local_->control(std::move(control));
  send_control(packet);
}

void RedisBus::tell_others(Control control) {
  (void)link_.publish(bus::pack(link_.node(), 0, control), {});   // said again soon by whoever uses this
}

/// PUBLISH answers how many listen: so many must say that they know, this node aside.
void RedisBus::tell_urgently(Control control) {
  auto asked = std::make_shared<Asked>();
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = ++last_number_;
    asked_.emplace(number, asked);
  }
  const auto packet = bus::pack(link_.node(), number, control);
  const bool sent = link_.publish(packet, [self = shared_from_this(), asked](const std::vector<Reply>& replies) {
    if (replies.empty()) self->owe_control();
    const std::lock_guard lock(self->mutex_);
    asked->expected = replies.empty() ? 0 : replies.front().integer - 1;
    self->known_.notify_all();
  });
  local_->control(std::move(control));
  if (!sent) owe_control();
  std::unique_lock lock(mutex_);
  if (sent) known_.wait_for(lock, kUrgent, [&] { return asked->expected && asked->known >= *asked->expected; });
  asked_.erase(number);
}

void RedisBus::send_control(const std::string& packet) {
  const bool sent = link_.publish(packet, [self = shared_from_this()](const std::vector<Reply>& replies) {
    if (replies.empty()) self->owe_control();
  });
  if (!sent) owe_control();
}

void RedisBus::owe_events(Steady::time_point since) {
  const std::lock_guard lock(mutex_);
  owed_since_ = owed_since_ ? std::min(*owed_since_, since) : since;
}

void RedisBus::owe_control() {
  const std::lock_guard lock(mutex_);
  owes_control_ = true;
}

/// With a fresh connection: asks for what was not heard, and tells again what may not have been.
void RedisBus::pay() {
  std::optional<Steady::time_point> owed;
  bool control = false, ask = false;
  auto deaf_since = Steady::now();
  {
    const std::lock_guard lock(mutex_);
    owed = std::exchange(owed_since_, std::nullopt);
    control = std::exchange(owes_control_, false);
    ask = std::exchange(must_ask_, false);
    deaf_since = deaf_since_;
  }
  if (ask) {
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - deaf_since) + kMargin;
    if (!link_.publish(bus::pack(link_.node(), bus::AskRepeat{age}), {})) {
      const std::lock_guard lock(mutex_);
      must_ask_ = true;
    }
  }
  if (control) send_control(bus::pack(link_.node(), "", Missed{false}));
  if (owed) repeat(*owed - kMargin, "");
}

/// Of two nodes that lost Redis, the one that listens again last asks the other and tells it its own: both know everything then.
void RedisBus::on_subscribed() {
  bool again = false;
  {
    const std::lock_guard lock(mutex_);
    again = std::exchange(was_subscribed_, true);
    must_ask_ = true;
    if (again) owed_since_ = owed_since_ ? std::min(*owed_since_, deaf_since_) : deaf_since_;
  }
  if (again) tell_missed({false});
  if (link_.commands().is_up()) pay();
}

void RedisBus::repeat(Steady::time_point since, const std::string& to) {
  auto all = std::make_shared<Repeat>();
  all->to = to;
  {
    const std::lock_guard lock(mutex_);
    auto found = recent_.since(since);
    if (!found) {
      all = nullptr;
    } else {
      all->events = std::move(*found);
    }
  }
  if (all) return repeat_next(all, since);
  missed_.add();
  send_control(bus::pack(link_.node(), to, Missed{true}));
}

// A portion at a time, each when the one before has arrived.
void RedisBus::repeat_next(const std::shared_ptr<Repeat>& repeat, Steady::time_point since) {
  if (repeat->next >= repeat->events.size()) return;
  const auto size = std::min(kRepeatedAtOnce, repeat->events.size() - repeat->next);
  const Events portion(repeat->events.data() + repeat->next, size);
  const auto packet = repeat->to.empty() ? bus::pack(link_.node(), portion) : bus::pack(link_.node(), repeat->to, portion);
  repeat->next += size;
  repeated_.add(static_cast<double>(size));
  const bool sent = link_.publish(packet, [self = shared_from_this(), repeat, since](const std::vector<Reply>& replies) {
    if (!replies.empty()) return self->repeat_next(repeat, since);
    self->owe_events(since);
  });
  if (!sent) owe_events(since);
}

void RedisBus::on_message(std::string_view message) {
  auto packet = bus::unpack(message);
  if (!packet) {
    unreadable_.add();
    return;
  }
  if (packet->from != link_.node()) on_packet(std::move(*packet));
}

void RedisBus::on_packet(bus::Packet packet) {
  const auto tell = [this](const bus::SharedEvents& events) {
    heard_.add(static_cast<double>(events.size()));
    local_->publish(events);
  };
  if (const auto* events = std::get_if<bus::SharedEvents>(&packet.body)) return tell(*events);
  if (auto* told = std::get_if<bus::Told>(&packet.body)) {
    local_->control(std::move(told->control));
    if (told->number != 0) (void)link_.publish(bus::pack(link_.node(), bus::Known{packet.from, told->number}), {});
    return;
  }
  if (const auto* known = std::get_if<bus::Known>(&packet.body)) {
    if (known->to == link_.node()) on_known(known->number);
    return;
  }
  if (const auto* ask = std::get_if<bus::AskRepeat>(&packet.body)) return repeat(Steady::now() - ask->since, packet.from);
  if (const auto* repeated = std::get_if<bus::Repeated>(&packet.body)) {
    if (repeated->to == link_.node()) tell(repeated->events);
  } else if (const auto* missed = std::get_if<bus::LookAgain>(&packet.body)) {
    if (missed->to.empty() || missed->to == link_.node()) tell_missed(missed->missed);
  }
}

void RedisBus::on_known(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = asked_.find(number);
  if (found == asked_.end()) return;
  ++found->second->known;
  known_.notify_all();
}

void RedisBus::tell_missed(Missed missed) {
  log::warn("bus.missed", {{"events", missed.events ? 1 : 0}});
  for (const auto& tell : on_missed_) tell(missed);
}

/// What make_bus gives away; the link's callbacks hold the inside weakly.
class Handle final : public bus::Bus {
 public:
  explicit Handle(Link& link) : inside_(std::make_shared<RedisBus>(link)) { inside_->join(); }
  void publish(Events events) override { inside_->publish(events); }
  void control(Control control) override { inside_->control(std::move(control)); }
  void tell_others(Control control) override { inside_->tell_others(std::move(control)); }
  void subscribe(OnEvents on_events, OnControl on_control, OnMissed on_missed) override {
    inside_->subscribe(std::move(on_events), std::move(on_control), std::move(on_missed));
  }

 private:
  std::shared_ptr<RedisBus> inside_;
};

}  // namespace

std::unique_ptr<bus::Bus> make_bus(Link& link) { return std::make_unique<Handle>(link); }

}  // namespace chat::redis
