#pragma once
#include <string_view>

/// Told to the user's own devices alone, not numbered.
namespace chat::drafts {

inline constexpr std::string_view kDraftUpdated = "draft.updated";   // {"draft":{…}}
inline constexpr std::string_view kDraftDeleted = "draft.deleted";   // {"cid","parent_id"}

}  // namespace chat::drafts
