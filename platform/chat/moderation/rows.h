#pragma once
#include "platform/chat/moderation/moderation.h"

/// Rows of this folder's statements. Private to the folder.
namespace chat::moderation {

Item read_item(const storage::Row& row);       // list_items, get_item
Flag read_flag(const storage::Row& row);       // list_flags, find_flag, get_flag
Line read_line(const storage::Row& row);       // list_log, get_line, log_of_item, list_notices
Appeal read_appeal(const storage::Row& row);   // list_appeals, get_appeal

/// The line as it stands. Errors: not_found (missing, or out of the reviewer's sight)
Line get_line(storage::Transaction& tx, const Reviewer& reviewer, DecisionId id);
void insert_line(storage::Transaction& tx, const Line& line, const Reviewer& reviewer, const std::optional<Timestamp>& waits_since);

}  // namespace chat::moderation
