#pragma once
#include <string>

#include "cli/session.h"

namespace chat::cli {

/// Waits for a task's end, showing how far it is. Answers the finished task.
/// Errors:  Failure failure: the task failed, with its reason
std::string follow_task(Session& session, const std::string& task_id, const std::string& doing);

/// The task's output, all parts one after the other: into a file of one's own (0600), whole or not at all; empty:
/// to stdout. Errors: Failure conflict: the file exists
void download_task(Session& session, const std::string& task_id, const std::string& file);

}  // namespace chat::cli
