#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "platform/bus/event.h"
#include "platform/storage/transaction.h"

namespace chat::bus {

/// Carries events and control words between the nodes of one service: in-process for one node, over Redis for several.
/// An event may be lost, and a numbered one may come twice; no order is promised across channels. Nothing durable depends on it:
/// a lost event is seen as a gap in `seq` and fetched from PostgreSQL, a twin is dropped by it.
class Bus {
 public:
  virtual ~Bus() = default;
  using Events = std::span<const std::shared_ptr<const Event>>;
  using OnEvents = std::function<void(Events)>;
  /// A control word for every node, e.g. {"application.changed", app}. Urgent: telling it returns when the other nodes know it,
  /// or after 100 ms, so that an answer to the caller is true on all of them; never from an engine's thread then.
  struct Control { std::string word; AppId app; std::string detail; bool urgent = false; };
  using OnControl = std::function<void(const Control&)>;
  /// What other nodes told may have been lost: whoever keeps something that a control word changes looks at the truth again.
  struct Missed { bool events = false; };   // events: numbered events, too, and nobody can repeat them
  using OnMissed = std::function<void(Missed)>;

  /// What was committed together, in its order: told together, so that it leaves each socket in one write.
  virtual void publish(Events events) = 0;
  void publish(const std::shared_ptr<const Event>& event) { publish(Events(&event, 1)); }
  virtual void control(Control control) = 0;
  /// To the other nodes alone; where there are none, to nobody. May be lost without a word.
  virtual void tell_others(Control control) = 0;
  /// Before start; callbacks must be quick and not throw. This node's own come on the publisher's thread.
  virtual void subscribe(OnEvents on_events, OnControl on_control, OnMissed on_missed = {}) = 0;

  /// Writes an event that is stored nowhere else into the outbox, if anybody outside subscribed to it, in the transaction of the
  /// change. Set before start; without one, nothing is kept.
  using Keep = std::function<void(storage::Transaction&, const Event&)>;
  void keep_with(Keep keep) { keep_ = std::move(keep); }
  [[nodiscard]] const Keep& keep() const { return keep_; }

 private:
  Keep keep_;
};

/// Calls the subscribers on the publisher's thread, this node's only.
std::unique_ptr<Bus> make_local_bus();

/// Registers the event for publishing after the transaction's commit. What a webhook endpoint wants of it goes into the outbox in the
/// same transaction: numbered events with the statement that stores them, the others here, but for those of a user's own screens.
void emit(storage::Transaction& tx, Bus& bus, Event event);

}  // namespace chat::bus
