#pragma once
#include <functional>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/messages/messages.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"

namespace chat::polls {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
  /// Adds what is the caller's own, of all features, to messages that it is shown.
  std::function<void(storage::Transaction&, const channels::Opened&, std::vector<messages::Message>&)> add_own;
  /// Judges an option that somebody adds.
  struct Judged {
    std::string text;                          // as it may stand
    std::string findings;                      // JSON array; empty: none
  };
  std::function<Judged(const tenants::Caller&, const channels::Opened&, const std::string&)> judge_option;
  /// Brings what was found in one before the moderators.
  std::function<void(storage::Transaction&, const channels::Channel&, MessageId, const std::string& findings)> flag;
};
void add_routes(http::Router& router, const Services& services);   // …/messages/{message_id}/poll/…

}  // namespace chat::polls
