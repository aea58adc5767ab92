#pragma once
#include <string>

#include "cli/line/command.h"

namespace chat::cli {

void add_plan_versions(Noun& noun);  // create, versions, diff, archive, move, history

class Session;
/// A day's usage as CloudEvents, one to a line.
void export_usage(Session& session, const std::string& day);

}  // namespace chat::cli
