#pragma once
#include <optional>
#include <string>

#include "platform/chat/channels/channels.h"

/// Finding members: by filter and sort, and by the beginnings of their names, as one types.
namespace chat::channels {

/// Filter: user_id name role joined_at deactivated; for who may ban, also banned.
/// Sort: joined_at user_id name.
const storage::Listing& member_listing(bool sees_bans);

/// `typed`: a word of the user's name, its username or id begins with it; case and width don't count. Deactivated users are not found by it.
/// Cost:    by joined_at and without `typed`, an index range; otherwise the members of the channel are looked through.
storage::Page<Member> query_members(storage::Transaction& tx, const Opened& opened, const std::optional<std::string>& typed,
                                    const storage::ListRequest& request, const storage::Cursors& cursors);

}  // namespace chat::channels
