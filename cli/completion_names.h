#pragma once
#include <string>
#include <utility>
#include <vector>

#include "cli/line/command.h"
#include "cli/world.h"

namespace chat::cli {

/// The names of a kind and what each is, as the contexts file or the server knows them now. They need not begin
/// with `typed`; of users the server is asked for those that do.
/// Shape:   the first 1000, or what a second was enough for.
/// Errors:  Failure: not reachable within a second, no token, no application meant
std::vector<std::pair<std::string, std::string>> names_of(Fill fill, const std::string& typed, const Globals& given,
                                                          World& world);

}  // namespace chat::cli
