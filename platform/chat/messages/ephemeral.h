#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/chat/messages/messages.h"

/// Ephemeral messages: said in a channel to some of its users only, by the customer's server. Told once to the devices that are
/// connected, and kept nowhere: in no history, no search, no unread count, no export.
namespace chat::messages {

inline constexpr std::size_t kMaxRecipients = 50;

struct EphemeralDraft {
  std::vector<std::string> recipients;         // user ids, each once
  std::string author;                          // user id; empty: the server itself
  std::string text;
  std::optional<std::string> attachments, mentions, custom;   // JSON
  std::optional<MessageId> parent_id;          // shown in this thread
};
/// Shape:   gives the message as openapi.yaml's EphemeralMessage.
/// Errors:  not_found (author; parent; a recipient who does not exist or may not read the channel): then nobody is told
/// Event:   message.ephemeral to each recipient's devices
/// Cost:    one statement, whatever the number of recipients; an event each.
std::string tell_ephemeral(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const EphemeralDraft& draft, Timestamp now);

}  // namespace chat::messages
