#pragma once
#include <memory>
#include <string>

#include "cli/files/files.h"
#include "cli/session.h"

namespace chat::cli {

/// Waits for a task's end, showing how far it is. Answers the finished task.
/// Errors:  Failure failure: the task failed, with its reason
std::string follow_task(Session& session, const std::string& task_id, const std::string& doing);

/// A task's output, all parts one after the other: into a file of one's own (0600), whole or not at all, or to stdout.
class Download {
 public:
  /// Before the work begins. Empty: to stdout. Errors: Failure conflict: the file exists
  explicit Download(const std::string& file);
  void run(Session& session, const std::string& task_id);

 private:
  std::string path_;
  std::unique_ptr<PrivateFile> file_;
};

}  // namespace chat::cli
