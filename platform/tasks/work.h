#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/storage/pool.h"
#include "platform/tasks/tasks.h"

namespace chat::tasks {

/// What one slice of a task is told, and what it gives back. Everything it writes is in the slice's own transaction.
struct Slice {
  TaskId id;
  std::string input;                           // as given to start_task
  std::string state;                           // what the slice before left; "" for the first one
  Timestamp now;
};
struct Step {
  bool finished = false;
  std::optional<std::string> failed = {};      // the task can't be done: it fails at once, and says this
  std::optional<std::chrono::seconds> wait = {};   // nothing can be done before
  std::string state;                           // for the next slice
  std::int64_t items = 0;
  std::vector<std::string> lines;              // of output, a JSON text each
};
/// Some tens of milliseconds of work. Throws to be tried again later; after 5 times in a row the task has failed. What no repeating
/// mends is `failed`.
using Work = std::function<Step(storage::Transaction&, const Slice&)>;

/// What this node can do, by type.
class Kinds {
 public:
  void add(std::string type, Work work) { works_.emplace(std::move(type), std::move(work)); }
  [[nodiscard]] const Work* find(const std::string& type) const;
  [[nodiscard]] std::string types() const;     // as an array literal

 private:
  std::unordered_map<std::string, Work> works_;
};

/// The job: takes the tasks that wait, one after the other, until none does or its time is up. Safe beside itself on other nodes.
void run_tasks(storage::Connection& connection, const Kinds& kinds, const Clock& clock);
/// Forgets tasks whose output has been kept long enough, of all applications, some at a time. Returns how many.
std::int64_t sweep_tasks(storage::Transaction& tx, int limit);

}  // namespace chat::tasks
