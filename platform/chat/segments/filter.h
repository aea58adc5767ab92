#pragma once
#include <string>
#include <vector>

#include "platform/chat/segments/segments.h"
#include "platform/storage/statement.h"

/// A saved filter as SQL. Private to the folder.
namespace chat::segments {

struct Composed {
  std::string where;                           // continues filtered(of), which has three parameters
  std::vector<std::string> values;
};
/// Errors:  as check_filter
Composed compose_filter(Of of, const std::string& filter, const std::string& pointer);
const storage::Statement& filtered(Of of);

}  // namespace chat::segments
