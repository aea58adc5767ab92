#include "platform/chat/messages/ephemeral.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/messages/ephemeral.sql.h"
#include "platform/chat/messages/messages_events.h"
#include "platform/chat/users/users.h"

namespace chat::messages {
namespace {

void check_recipients(storage::Transaction& tx, const channels::Opened& opened, const std::vector<std::string>& recipients) {
  text::ArrayLiteral names;
  for (const auto& recipient : recipients) names.add(recipient);
  std::vector<std::string> found;
  auto rows = tx.query(sql::find_recipients, tx.app(), opened.channel.id, names.take(), opened.settings.open);
  for (auto row : rows) found.emplace_back(row.text(0));
  for (std::size_t i = 0; i < recipients.size(); ++i)
    if (std::find(found.begin(), found.end(), recipients[i]) == found.end())
      throw Error(Code::not_found, "No such user in this channel: " + recipients[i] + ".", {{"#/user_ids/" + std::to_string(i), "Not there."}});
}

std::string ephemeral_json(const channels::Opened& opened, const EphemeralDraft& draft, Timestamp now) {
  json::Writer out;
  out.object().field("id", MessageId::make(now).wire()).field("cid", opened.channel.cid()).field("type", "ephemeral");
  if (!draft.author.empty()) out.field("user_id", draft.author);
  out.field("text", draft.text).key("attachments").raw(draft.attachments.value_or("[]"))
      .key("mentions").raw(draft.mentions.value_or("[]")).key("custom").raw(draft.custom.value_or("{}"));
  if (draft.parent_id) out.field("parent_id", draft.parent_id->wire());
  out.key("created_at").time(now).end();
  return out.take();
}

}  // namespace

std::string tell_ephemeral(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const EphemeralDraft& draft, Timestamp now) {
  static auto& told = metrics::counter("chat_ephemeral_messages_told_total", "Ephemeral messages, by recipient.");
  if (!draft.author.empty() && users::find_users(tx, {draft.author}).empty())
    throw Error(Code::not_found, "No such user: " + draft.author + ".", {{"#/user_id", "No such user."}});
  if (draft.parent_id) get_message(tx, opened.channel, *draft.parent_id);
  check_recipients(tx, opened, draft.recipients);
  const auto message = ephemeral_json(opened, draft, now);
  for (const auto& recipient : draft.recipients) {
    bus::Event event;
    event.id = EventId::make(now);
    event.app = tx.app();
    event.type = kMessageEphemeral;
    event.reach = bus::Reach::devices;
    event.channel = opened.channel.id;
    event.cid = opened.channel.cid();
    event.user_id = recipient;
    event.created_at = now;
    json::Writer data;
    data.object().key("message").raw(message).end();
    event.data = data.take();
    bus::emit(tx, bus, std::move(event));
  }
  tx.after_commit([count = draft.recipients.size()] { told.add(static_cast<double>(count)); });
  return message;
}

}  // namespace chat::messages
