#include "platform/chat/messages/held.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/messages/held.sql.h"

namespace chat::messages {
namespace {

/// Back from how a message shows its poll to how it is asked for.
void write_poll(json::Writer& out, const json::Value& poll) {
  out.key("poll").object();
  for (const auto& [name, value] : poll.members()) {
    if (name == "options") {
      out.key(name).array();
      for (const auto& option : value.items()) out.text(option.find("text")->text());
      out.end();
    } else if (name == "question" || name == "anonymous" || name == "max_votes" || name == "allow_suggestions" || name == "closes_at") {
      out.key(name).raw(value.raw());
    }
  }
  out.end();
}

void write_extras(json::Writer& out, const std::string& extras) {
  const auto document = json::Document::parse(extras);
  for (const auto& [name, value] : document.root().members()) {
    if (name == "poll") write_poll(out, value);
    else if (name.starts_with("mention_") || name == "forwarded" || name == "command") out.key(name).raw(value.raw());
  }
}

}  // namespace

HeldSend held_send(const Send& send) {
  const Message& message = send.message;
  json::Writer out;
  out.object();
  if (!message.text.empty()) out.field("text", message.text);
  if (message.attachments) out.key("attachments").raw(*message.attachments);
  if (message.mentions) out.key("mentions").raw(*message.mentions);
  if (message.custom) out.key("custom").raw(*message.custom);
  if (message.parent_id) out.field("parent_id", message.parent_id->wire());
  if (message.show_in_channel) out.key("show_in_channel").boolean(true);
  if (message.quoted_id) out.field("quoted_message_id", message.quoted_id->wire());
  if (message.silent) out.key("silent").boolean(true);
  if (message.type != "regular") out.field("type", message.type);
  if (message.extras) write_extras(out, *message.extras);
  out.end();
  return {send.application->id, send.channel_type, send.channel_id, *message.user_id, out.take(), message.nonce, send.nonce_key, send.fingerprint,
          send.findings};
}

void check_not_held(storage::Transaction& tx, const channels::Opened& opened, Timestamp now) {
  if (!opened.acting_id || opened.may(channels::Action::approve_message)) return;
  if (opened.settings.pending || tx.query(sql::is_on_probation, tx.app(), opened.channel.id, *opened.acting_id, now)[0].boolean(0))
    throw forbidden("What you write here waits for approval; a change can't.");
}

}  // namespace chat::messages
