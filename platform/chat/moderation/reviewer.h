#pragma once
#include <string>
#include <string_view>

#include "platform/chat/moderation/moderation.h"

/// Who may see and do what here. Private to the folder.
namespace chat::moderation {

/// Arrays of type/role whose members may review: by the roles of channels, and of the users' roles in a channel's team.
struct ReviewRoles {
  std::string members, teams;
};
ReviewRoles review_roles(storage::Transaction& tx);

/// A user as a reviewer, whoever asks. Errors: as reviewer_of
Reviewer reviewer_named(storage::Transaction& tx, const std::string& user_id);
/// None: there is no such user any more.
std::optional<UserId> reviewer_id(storage::Transaction& tx, const std::string& user_id);

/// The moderators of a channel and the customer's servers are told; with `user_id` that user, too.
struct Told {
  std::string_view type;
  std::string data;
  std::optional<ChannelId> channel;            // none: servers only
  std::string cid = {};
  std::optional<std::string> about = {};       // the user whom it concerns, who hears nothing of it as a moderator
};
void tell_moderators(storage::Transaction& tx, bus::Bus& bus, const Told& told, Timestamp now);
struct Recipient {
  std::string user_id;
  bool servers = true;                         // they hear it, too; false: they heard it already
};
void tell_user(storage::Transaction& tx, bus::Bus& bus, const Recipient& to, std::string_view type, std::string data, Timestamp now);

/// The channel with what the reviewer may do there; the channel's head is held until the end of the transaction.
/// Errors:  not_found (deleted, out of reach); forbidden (without `needed`; banned there)
channels::Opened open_for(storage::Transaction& tx, const Reviewer& reviewer, const std::string& cid, channels::Action needed);

std::string by_of(const Reviewer& reviewer);   // moderator | server

}  // namespace chat::moderation
