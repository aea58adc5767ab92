#pragma once
#include <string>

#include "platform/storage/transaction.h"

/// For `server`, which hands it to those who judge names.
namespace chat::moderation {

/// What lists found in the name or description of a user, or of a channel (`cid`), and let stand. One that is gone is flagged by nobody.
/// Shape:   `findings` as messages/flags.h has them; at most 20 are kept
/// Event:   as flag_message
void flag_name(storage::Transaction& tx, const std::string& cid, const std::string& user_id, const std::string& findings, Timestamp now);

}  // namespace chat::moderation
