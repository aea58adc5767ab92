#include "platform/chat/notifications/notice.h"

#include "platform/base/crypto.h"

namespace chat::notifications {
namespace {

constexpr std::size_t kMaxKeyBytes = 64;
constexpr std::size_t kKeptOfHash = 43;

std::string text_of(const storage::Row& row, int column) { return row.optional_text(column).value_or(""); }

}  // namespace

Delivery read_delivery(const storage::Row& row) {
  Delivery delivery;
  delivery.user = UserId{row.uuid(0)};
  delivery.device_id = row.text(1);
  delivery.channel = ChannelId{row.uuid(2)};
  delivery.message = MessageId{row.uuid(3)};
  delivery.event = row.text(4);
  delivery.actor = UserId{row.uuid(5)};
  delivery.detail = row.optional_text(6);
  delivery.attempts = static_cast<int>(row.integer(7));
  delivery.expires_at = row.time(8);
  delivery.created_at = row.time(9);
  delivery.provider = text_of(row, 10);
  delivery.provider_name = text_of(row, 11);
  delivery.token = text_of(row, 12);
  delivery.user_id = text_of(row, 13);
  delivery.channel_type = text_of(row, 14);
  delivery.channel_id = text_of(row, 15);
  delivery.channel_name = text_of(row, 16);
  delivery.sender_id = text_of(row, 17);
  delivery.sender_name = text_of(row, 18);
  delivery.text = text_of(row, 19);
  if (const auto attachment = row.optional_text(20); delivery.text.empty() && attachment) delivery.text = "[" + *attachment + "]";
  if (const auto parent = row.optional_uuid(21)) delivery.parent = MessageId{*parent};
  delivery.language = row.text(22);
  delivery.is_due = row.boolean(23);
  return delivery;
}

std::string collapse_key(const Delivery& delivery) {
  std::string key = delivery.cid();
  if (delivery.event == "mention") key = "@" + key;
  else if (delivery.event == "invite.created") key = delivery.event + "/" + key;
  else if (delivery.event != "message.new") key = delivery.event + "/" + delivery.message.wire();
  else if (delivery.parent) key += "/" + delivery.parent->wire();
  return key.size() <= kMaxKeyBytes ? key : crypto::base64url(crypto::sha256(key)).substr(0, kKeptOfHash);
}

push::Notification notice_of(const Delivery& delivery, const std::vector<Template>& templates, const std::string& app_name) {
  const bool is_invite = delivery.event == "invite.created";
  const Values values{{"sender.name", delivery.sender_name.empty() ? app_name : delivery.sender_name},
                      {"sender.id", delivery.sender_id},
                      {"channel.name", delivery.channel_name.empty() ? delivery.sender_name : delivery.channel_name},
                      {"channel.id", delivery.channel_id},
                      {"channel.type", delivery.channel_type},
                      {"message.text", delivery.text},
                      {"reaction.type", delivery.detail.value_or("")},
                      {"app.name", app_name}};
  push::Notification notice;
  if (const auto* chosen = choose(templates, delivery.event, delivery.language)) {
    notice.title = render(chosen->title, values, kMaxTitleChars);
    notice.body = render(chosen->body, values, kMaxBodyChars);
  }
  notice.collapse_key = collapse_key(delivery);
  notice.badge = delivery.badge;
  notice.data = {{"event", delivery.event}, {"cid", delivery.cid()}};
  if (!is_invite) notice.data.emplace_back("message_id", delivery.message.wire());
  if (!delivery.sender_name.empty()) notice.data.emplace_back("sender_id", delivery.sender_id);
  if (delivery.parent) notice.data.emplace_back("parent_id", delivery.parent->wire());
  notice.is_urgent = delivery.event != "reaction.new";
  return notice;
}

}  // namespace chat::notifications
