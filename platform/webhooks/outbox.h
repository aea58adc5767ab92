#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/storage/transaction.h"

/// What the customers' own servers are told, for certain: written in the transaction of the change, delivered by a worker.
namespace chat::webhooks {

/// Tells the application's backends of something that concerns no channel and no user: billing's alerts and statements, the end of an
/// endpoint. In the caller's transaction, for its application: what is rolled back is never told, what is committed is delivered to
/// every webhook endpoint that wants `type`, and to the backend's sockets after the commit.
/// Shape:   `type` as "billing.alert"; it stands in openapi.yaml's x-events with `reach: application`. `data`: a JSON object
/// Cost:    one statement, which writes nothing where no endpoint wants it
void enqueue(storage::Transaction& tx, bus::Bus& bus, std::string_view type, std::string data, Timestamp now);

/// One row, with the data, if an endpoint wants the event. Whether one does.
bool keep_event(storage::Transaction& tx, const bus::Event& event);

/// An event on its way to an endpoint. Without `event.data` it is stored elsewhere: with its message, or under its channel and seq.
struct Kept {
  bus::Event event;
  std::optional<MessageId> message;
  bool is_gone = false;                        // what it told of is no longer stored
};
/// Fills cid, epoch and data of those that are references, as they are now. Handed in: this folder knows no messages.
using Load = std::function<void(storage::Transaction&, std::vector<Kept>&)>;

}  // namespace chat::webhooks
