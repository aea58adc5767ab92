#include <mutex>
#include <shared_mutex>

#include "platform/base/metrics.h"
#include "platform/bus/feed.h"

namespace chat::bus {
namespace {

class LocalBus final : public Bus {
 public:
  void publish(std::shared_ptr<const Event> event) override {
    published_.add();
    std::shared_lock lock(mutex_);
    for (const Subscriber& one : subscribers_) one.on_event(event);
  }

  void control(Control control) override {
    std::shared_lock lock(mutex_);
    for (const Subscriber& one : subscribers_) one.on_control(control);
  }

  void subscribe(OnEvent on_event, OnControl on_control) override {
    std::unique_lock lock(mutex_);
    subscribers_.push_back({on_event ? std::move(on_event) : [](const std::shared_ptr<const Event>&) {},
                            on_control ? std::move(on_control) : [](const Control&) {}});
  }

 private:
  struct Subscriber {
    OnEvent on_event;
    OnControl on_control;
  };
  metrics::Counter& published_ = metrics::counter("chat_bus_events_total", "Events published on this node's bus.");
  std::shared_mutex mutex_;
  std::vector<Subscriber> subscribers_;   // guarded by mutex_
};

}  // namespace

std::unique_ptr<Bus> make_local_bus() { return std::make_unique<LocalBus>(); }

void emit(storage::Transaction& tx, Bus& bus, Event event) {
  tx.after_commit([&bus, event = std::make_shared<const Event>(std::move(event))] { bus.publish(event); });
}

}  // namespace chat::bus
