#pragma once
#include <string>
#include <string_view>

#include "platform/base/json.h"
#include "platform/matching/folding.h"

/// A list's folding as customers and the database see it. Private to the folder.
namespace chat::blocklists {

std::string folding_json(const matching::Folding& folding);
matching::Folding parse_folding(std::string_view json);
/// Errors:  gathered in `body`
void read_folding(json::Fields& body, std::string_view kind, matching::Folding& folding);

}  // namespace chat::blocklists
