#pragma once
#include <memory>
#include <string>
#include <vector>

#include "platform/chat/notifications/templates.h"
#include "platform/push/provider.h"
#include "platform/storage/rows.h"

/// One notification for one device, as it is worked on. Private to the folder.
namespace chat::notifications {

inline constexpr std::size_t kMaxTitleChars = 100, kMaxBodyChars = 500;

struct Delivery {
  UserId user;
  std::string device_id;
  ChannelId channel;
  MessageId message;                           // of an invitation: the channel's id stands here
  std::string event;                           // message.new | mention | reaction.new | reminder.due | invite.created
  UserId actor;
  std::optional<std::string> detail;           // the reaction
  int attempts = 0;                            // with this one
  Timestamp expires_at, created_at;
  std::string provider, provider_name, token;  // empty: the device is gone
  std::string user_id;
  std::string channel_type, channel_id, channel_name, sender_id, sender_name, text;
  std::optional<MessageId> parent;
  std::string language;
  bool is_due = false;
  std::int64_t badge = 0;
  std::shared_ptr<push::Provider> wire;        // null: the application has none of this name
  push::Notification notification;

  [[nodiscard]] std::string cid() const { return channel_type + ":" + channel_id; }
};
Delivery read_delivery(const storage::Row& row);

/// What a later one takes the place of: the channel's or thread's last message, its last mention, a message's reactions.
/// Shape:   at most 64 bytes, as Apple wants
std::string collapse_key(const Delivery& delivery);

push::Notification notice_of(const Delivery& delivery, const std::vector<Template>& templates, const std::string& app_name);

}  // namespace chat::notifications
