#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/messages/edits.sql.h"
#include "platform/chat/messages/locked.h"
#include "platform/chat/messages/messages_events.h"

namespace chat::messages {

using channels::Action;

std::string edit_json(const Edit& edit) {
  json::Writer out;
  out.object().key("edited_at").time(edit.edited_at).optional_field("edited_by", edit.edited_by).field("text", edit.text)
      .key("attachments").raw(edit.attachments.value_or("[]")).key("mentions").raw(edit.mentions.value_or("[]"))
      .key("custom").raw(edit.custom.value_or("{}")).end();
  return out.take();
}

std::vector<Edit> list_edits(storage::Transaction& tx, const channels::Opened& opened, MessageId id) {
  const Message message = get_message(tx, opened.channel, id);
  const bool is_own = !opened.acting_user.empty() && message.user_id == opened.acting_user;
  if (!is_own) opened.require(Action::read_edits);
  if (message.deleted_at) throw not_found("message");
  std::vector<Edit> edits;
  auto rows = tx.query(sql::list_edits, tx.app(), opened.channel.id, id);
  for (auto row : rows)
    edits.push_back({row.time(0), row.optional_text(1), std::string(row.text(2)), row.optional_text(3), row.optional_text(4),
                     row.optional_text(5)});
  return edits;
}

Message undelete_message(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, MessageId id, Timestamp now) {
  const auto& channel = opened.channel;
  const auto locked = lock_message(tx, channel, id);
  const bool by_itself = !locked.deleted_at || (opened.acting_id && locked.deleted_by == opened.acting_id->uuid);
  check_may(opened, locked, by_itself ? Action::delete_own_message : Action::delete_any_message, Action::delete_any_message);
  check_not_frozen(opened);
  if (!locked.deleted_at) return get_message(tx, channel, id);
  const auto hours = opened.settings.undelete_hours;
  if (hours == 0) throw Error(Code::conflict, "What is deleted in this type of channel does not come back.");
  if (now - *locked.deleted_at > std::chrono::hours(hours))
    throw Error(Code::conflict, "It was deleted more than " + std::to_string(hours) + " hours ago.");
  tx.run(sql::undelete_message, tx.app(), channel.id, id);
  if (locked.message_seq) tx.run(sql::uncount_deletion, tx.app(), channel.id, *locked.message_seq);
  if (locked.parent && !locked.shadowed) tx.run(sql::count_reply, tx.app(), channel.id, *locked.parent);
  Message message = get_message(tx, channel, id);
  tell_about(tx, bus, channel, now, kMessageUndeleted, message, message_data(message));
  return message;
}

}  // namespace chat::messages
