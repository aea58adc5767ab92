#include <mutex>
#include <shared_mutex>

#include "platform/base/metrics.h"
#include "platform/bus/feed.h"

namespace chat::bus {
namespace {

class LocalBus final : public Bus {
 public:
  void publish(Events events) override {
    published_.add(static_cast<double>(events.size()));
    std::shared_lock lock(mutex_);
    for (const Subscriber& one : subscribers_) one.on_events(events);
  }

  void control(Control control) override {
    std::shared_lock lock(mutex_);
    for (const Subscriber& one : subscribers_) one.on_control(control);
  }

  void tell_others(Control) override {}

  void subscribe(OnEvents on_events, OnControl on_control, OnMissed) override {   // nothing is lost here
    std::unique_lock lock(mutex_);
    subscribers_.push_back({on_events ? std::move(on_events) : [](Events) {},
                            on_control ? std::move(on_control) : [](const Control&) {}});
  }

 private:
  struct Subscriber {
    OnEvents on_events;
    OnControl on_control;
  };
  metrics::Counter& published_ = metrics::counter("chat_bus_events_total", "Events published on this node's bus.");
  std::shared_mutex mutex_;
  std::vector<Subscriber> subscribers_;   // guarded by mutex_
};

}  // namespace

std::unique_ptr<Bus> make_local_bus() { return std::make_unique<LocalBus>(); }

void emit(storage::Transaction& tx, Bus& bus, Event event) {
  if (event.seq == 0 && event.reach != Reach::devices && bus.keep()) bus.keep()(tx, event);
  tx.after_commit([&bus, event = std::make_shared<const Event>(std::move(event))] { bus.publish(event); });
}

}  // namespace chat::bus
