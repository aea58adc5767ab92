#include "platform/base/json.h"
#include "platform/chat/messages/read_row.h"

namespace chat::messages {
namespace {

std::optional<MessageId> read_id(const storage::Row& row, int column) {
  auto uuid = row.optional_uuid(column);
  return uuid ? std::optional<MessageId>(MessageId{*uuid}) : std::nullopt;
}

void write_quoted(json::Writer& out, const Message& quoted) {
  out.key("quoted_message").object().field("id", quoted.id.wire()).optional_field("user_id", quoted.user_id)
      .field("text", quoted.text).optional_time("deleted_at", quoted.deleted_at).end();
}

void write_members(json::Writer& out, const std::string& object) {
  auto document = json::Document::parse(object);
  for (const auto& [name, value] : document.root().members()) out.key(name).raw(value.raw());
}

void write_message(json::Writer& out, const Message& message, const Message* quoted) {
  out.object().field("id", message.id.wire()).field("cid", message.cid).field("seq", message.seq);
  if (message.message_seq) out.field("message_seq", *message.message_seq);
  out.field("type", message.type).optional_field("user_id", message.user_id).field("text", message.text)
      .key("attachments").raw(message.attachments ? *message.attachments : "[]")
      .key("mentions").raw(message.mentions ? *message.mentions : "[]")
      .key("custom").raw(message.custom ? *message.custom : "{}");
  if (message.parent_id) {
    out.field("parent_id", message.parent_id->wire()).key("show_in_channel").boolean(message.show_in_channel);
  }
  if (message.quoted_id) out.field("quoted_message_id", message.quoted_id->wire());
  if (quoted) write_quoted(out, *quoted);
  out.field("reply_count", message.reply_count);
  if (message.extras) write_members(out, *message.extras);
  if (message.pin) out.key("pin").raw(*message.pin);
  // {}: there are some that only their owner sees.
  if (message.reactions && *message.reactions != "{}") out.key("reaction_groups").raw(*message.reactions);
  if (message.own_reactions) out.key("own_reactions").raw(*message.own_reactions);
  if (message.silent) out.key("silent").boolean(true);
  out.optional_field("nonce", message.nonce).key("created_at").time(message.created_at)
      .optional_time("updated_at", message.updated_at).optional_time("deleted_at", message.deleted_at).end();
}

}  // namespace

Message read_message(const storage::Row& row, int at) {
  Message message;
  message.id = MessageId{row.uuid(at)};
  message.cid = row.text(at + 1);
  message.seq = row.integer(at + 2);
  message.message_seq = row.optional_integer(at + 3);
  message.type = row.text(at + 4);
  message.user_id = row.optional_text(at + 5);
  message.text = row.text(at + 6);
  message.attachments = row.optional_text(at + 7);
  message.mentions = row.optional_text(at + 8);
  message.custom = row.optional_text(at + 9);
  message.parent_id = read_id(row, at + 10);
  message.show_in_channel = row.boolean(at + 11);
  message.quoted_id = read_id(row, at + 12);
  message.reply_count = row.integer(at + 13);
  message.silent = row.boolean(at + 14);
  message.nonce = row.optional_text(at + 15);
  message.created_at = row.time(at + 16);
  message.updated_at = row.optional_time(at + 17);
  message.deleted_at = row.optional_time(at + 18);
  message.erased = row.boolean(at + 19);
  message.reactions = row.optional_text(at + 20);
  message.pin = row.optional_text(at + 21);
  message.extras = row.optional_text(at + 22);
  return message;
}

std::string message_json(const Message& message, const Message* quoted) {
  json::Writer out;
  write_message(out, message, quoted);
  return out.take();
}

std::string message_data(const Message& message, const Message* quoted) {
  json::Writer out;
  out.object().key("message");
  write_message(out, message, quoted);
  out.end();
  return out.take();
}

std::string deleted_data(const Message& message) {
  json::Writer out;
  out.object().key("message");
  write_message(out, message, nullptr);
  out.key("hard").boolean(message.erased).end();   // last: realtime looks for it there
  return out.take();
}

}  // namespace chat::messages
