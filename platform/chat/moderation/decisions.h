#pragma once
#include "platform/chat/moderation/effects.h"

/// What lines of the log about an item have in common. Private to the folder.
namespace chat::moderation {

Line line_about(const Item& item, DecisionId id, const std::string& action, Timestamp now);
std::string params_json(bool whole, const std::optional<Timestamp>& expires_at, bool hard = false, bool delete_message = false,
                        const std::optional<std::string>& assign_to = {});
std::string ban_reason_json(DecisionId id, const std::string& action, const std::optional<std::string>& reason, const std::optional<std::string>& rule,
                            const std::optional<Timestamp>& expires_at);
/// Tells moderators of a decision that is in the log. Event: moderation.decided
void announce(storage::Transaction& tx, bus::Bus& bus, DecisionId id, const Item& item, Timestamp now);

struct Undoing {
  std::optional<std::string> reason = {};
  bool approve = false;                        // the item ends as approved instead of waiting anew
  bool followed = false;                       // with the decision that it followed of
};
Line undo(storage::Transaction& tx, const Hands& hands, const Reviewer& reviewer, const Line& line, const Undoing& how, Timestamp now);

}  // namespace chat::moderation
