#pragma once
#include <functional>
#include <memory>

#include "platform/base/json.h"
#include "platform/chat/messages/lanes.h"
#include "platform/chat/messages/review.h"

namespace chat::webhooks {
class BeforeSend;
}

namespace chat::messages {

using SubmitSend = std::function<void(std::unique_ptr<Send>)>;

/// What whoever is asked is told of it, as members of the object that is open.
void write_said(json::Writer& out, const Message& message);

/// Who must be asked of a message before it is stored: the review, then the customer's own server. `next` gets what nobody refuses; of what
/// somebody does, `refused` is called, and it no longer counts. Nothing waits meanwhile: no transaction, no lane, no worker.
/// Errors:  those of `next`, where nobody had to be asked; afterwards they go to `refused`.
void ask_all(Review& review, webhooks::BeforeSend& before, std::unique_ptr<Send> send, const SubmitSend& next);

}  // namespace chat::messages
