#pragma once
#include "platform/chat/messages/attaching.h"
#include "platform/chat/messages/lanes.h"

/// The form of a message that is to be sent: what POST …/messages takes, without whom it is from. Private to the folder.
namespace chat::messages {

/// The message that is to be forwarded; its content is read when its turn comes.
struct Source {
  std::string channel_type, channel_id;
  MessageId message;

  [[nodiscard]] std::string cid() const { return channel_type + ":" + channel_id; }
};

/// Fills in content, references and mentions. Errors: gathered in `body`
std::optional<Source> read_message_fields(json::Fields& body, bool by_server, Send& send);

/// One more of the members that few messages have.
void add_extra(Message& message, std::string_view name, const std::string& json);

/// Errors:  invalid_field: the poll's end is not in the future
void check_poll(const Send& send, Timestamp now);

/// Lets the feature that keeps files judge and fill in what is attached. Errors: as Attach
void attach(storage::Transaction& tx, const Attach& judge, Send& send);

/// Of what the customer said, so that the same nonce with other content is noticed.
std::string fingerprint_of(const Message& message);

}  // namespace chat::messages
