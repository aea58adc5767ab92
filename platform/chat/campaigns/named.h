#pragma once
#include <string>
#include <vector>

#include "platform/chat/campaigns/campaigns.h"

/// Recipients in a body: ids, or {"id","data"}. Private to the folder.
namespace chat::campaigns {

inline constexpr std::size_t kMaxDataBytes = 2 * 1024;
std::vector<NamedInput> read_named(json::Fields& body, const std::string& name);

}  // namespace chat::campaigns
