#pragma once
#include <functional>
#include <optional>
#include <string>

#include "platform/base/id.h"
#include "platform/storage/transaction.h"

/// Attachments that are uploaded files. The feature that keeps them says whether a message may hold them. Private to the folder,
/// but for `server`, which hands it in.
namespace chat::messages {

struct Attaching {
  std::string attachments;                     // JSON, as its author wrote it
  std::string channel_type, channel_id;
  std::string user_id;                         // empty: a server that acts for nobody
  bool by_server = false;
  std::optional<MessageId> message;            // of a change: what it holds already it may keep
  std::string pointer;                         // of the attachments in the request
};
/// Gives the attachments as they are stored: what is known of each file takes the place of what its sender said of it.
/// Errors:  invalid_field (no such file, another's, of another channel, or not complete)
using Attach = std::function<std::string(storage::Transaction&, const Attaching&)>;

/// Whether any of them may be an uploaded file. May be wrong in saying so. Cost: a search in the text.
inline bool may_hold_uploads(const std::optional<std::string>& attachments) {
  return attachments && attachments->find("\"upload_id\"") != std::string::npos;
}

}  // namespace chat::messages
