#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "platform/chat/channels/permissions.h"
#include "platform/http/router.h"
#include "platform/storage/transaction.h"

/// Why a user may do something in a channel, or may not: the rule that decides.
namespace chat::channels {

struct Explanation {
  bool allowed = false;
  std::string_view rule;                       // as the contract lists them
  std::string detail;                          // one sentence, for people
  std::optional<std::string> role, team_role;  // of the user, in the channel and in its team
};

/// The rules are asked in the order in which a call meets them; the first that refuses decides, else the one that gives.
/// Errors:  not_found (channel; user)
/// Cost:    one statement, the same that opens a channel.
Explanation explain(storage::Transaction& tx, const std::string& type, const std::string& channel_id, const std::string& user_id, Action action);

void add_explain_routes(http::Router& router);            // GET /v1/channels/{type}/{id}/explain
void add_operator_explain_routes(http::Router& router);   // GET /operator/v1/applications/{app_id}/channels/{type}/{id}/explain

}  // namespace chat::channels
