#pragma once
#include <optional>
#include <string>

#include "platform/chat/messages/lanes.h"

/// A message that may be sent but for an approval. `server` hands it to the feature that keeps such.
namespace chat::messages {

struct HeldSend {
  AppId app;
  std::string channel_type, channel_id, user_id;
  std::string message;                         // JSON, as POST …/messages takes it, without nonce; and the marks forwarded and command
  std::optional<std::string> nonce, nonce_key;
  std::string fingerprint;                     // with a nonce_key
  std::string findings = {};                   // of rules, JSON array: for those who decide; empty: none
};
HeldSend held_send(const Send& send);

struct HeldAnswer {
  std::string pending;                         // JSON: what the sender is shown
  bool replayed = false;                       // an earlier send had the same nonce
};

}  // namespace chat::messages
