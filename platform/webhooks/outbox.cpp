#include "platform/webhooks/outbox.h"

#include "platform/webhooks/outbox.sql.h"

namespace chat::webhooks {

void enqueue(storage::Transaction& tx, bus::Bus& bus, std::string_view type, std::string data, Timestamp now) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = tx.app();
  event.type = type;
  event.reach = bus::Reach::application;
  event.created_at = now;
  event.data = std::move(data);
  bus::emit(tx, bus, std::move(event));
}

bool keep_event(storage::Transaction& tx, const bus::Event& event) {
  const auto channel = event.channel.uuid.is_nil() ? std::nullopt : std::optional<ChannelId>(event.channel);
  const auto user = event.user_id.empty() ? std::nullopt : std::optional<std::string>(event.user_id);
  return tx.run(sql::keep_event, tx.app(), event.id, event.type, channel, user, event.data, event.created_at) > 0;
}

}  // namespace chat::webhooks
