#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "platform/bus/event.h"
#include "platform/storage/transaction.h"

namespace chat::bus {

/// Carries events and control words between the nodes of one service. In-process today; a Redis one fits the same interface:
/// at most once, no order promised across channels. Nothing durable depends on it: a lost event is seen as a gap in `seq`
/// and fetched from PostgreSQL.
class Bus {
 public:
  virtual ~Bus() = default;
  using Events = std::span<const std::shared_ptr<const Event>>;
  using OnEvents = std::function<void(Events)>;
  /// A control word for every node, e.g. {"application.changed", app}.
  struct Control { std::string word; AppId app; std::string detail; };
  using OnControl = std::function<void(const Control&)>;

  /// What was committed together, in its order: told together, so that it leaves each socket in one write.
  virtual void publish(Events events) = 0;
  void publish(const std::shared_ptr<const Event>& event) { publish(Events(&event, 1)); }
  virtual void control(Control control) = 0;
  virtual void subscribe(OnEvents on_events, OnControl on_control) = 0;   // before start; callbacks must be quick and not throw
};

/// Calls the subscribers on the publisher's thread, this node's only.
std::unique_ptr<Bus> make_local_bus();

/// Registers the event for publishing after the transaction's commit. The outbox row, where an application subscribed,
/// is written by the caller's feature in the same transaction (see messages.sql).
void emit(storage::Transaction& tx, Bus& bus, Event event);

}  // namespace chat::bus
