#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "platform/push/keys.h"

namespace chat::push {

/// A browser's PushSubscription, decoded.
struct Subscription {
  std::string endpoint;
  std::string point;           // keys.p256dh, 65 bytes
  std::string auth;            // keys.auth, 16 bytes
};
/// Nothing when it is no subscription that could be encrypted for.
std::optional<Subscription> parse_subscription(std::string_view json);

/// RFC 8291 with one record of RFC 8188 (aes128gcm). Nothing when the subscription's point is none of the curve.
/// Units:   `plain` at most 3,993 bytes, so that the body stays within the 4,096 that push services take
std::optional<std::string> encrypt(const Subscription& subscription, std::string_view plain, const PrivateKey& ephemeral, std::string_view salt);
inline constexpr std::size_t kMaxPlainBytes = 3'993;

}  // namespace chat::push
