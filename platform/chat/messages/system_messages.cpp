#include "platform/chat/messages/messages.h"
#include "platform/chat/messages/messages_events.h"
#include "platform/chat/messages/system_messages.sql.h"

namespace chat::messages {

Message post_system_message(storage::Transaction& tx, bus::Bus& bus, const channels::Channel& channel, const SystemMessage& said,
                            Timestamp now) {
  if (channel.last_message_id) raise_uuid7_floor(channel.last_message_id->uuid);   // ids grow with seq
  Message message;
  message.id = MessageId::make(now);
  message.cid = channel.cid();
  message.type = "system";
  message.user_id = said.user_id;
  message.text = said.text;
  message.custom = said.custom;
  message.created_at = now;
  auto rows = tx.query(sql::insert_system_message, tx.app(), channel.id, message.id, said.author, said.text, said.custom, now, day_of(now));
  message.seq = rows[0].integer(0);
  bus::Event event;
  event.id = EventId{message.id.uuid};
  event.app = tx.app();
  event.type = kMessageNew;
  event.channel = channel.id;
  event.cid = message.cid;
  event.epoch = rows[0].text(1);
  event.seq = message.seq;
  event.created_at = now;
  event.data = message_data(message);
  bus::emit(tx, bus, std::move(event));
  return message;
}

}  // namespace chat::messages
