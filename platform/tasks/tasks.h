#pragma once
#include <optional>
#include <string>

#include "platform/base/id.h"
#include "platform/http/request.h"
#include "platform/storage/transaction.h"
#include "tenants/auth.h"

/// Long work of an application, begun by a call and done by a worker.
namespace chat::tasks {

struct TaskTag { static constexpr std::string_view kPrefix = "task"; };
using TaskId = Id<TaskTag>;

struct Task {
  TaskId id;
  std::string type;                            // export_user, …
  std::string status = "waiting";              // waiting | running | done | failed
  std::int64_t items = 0;                      // things done so far: of an export, lines
  std::int64_t parts = 0;                      // of output so far, from 1; the last one grows
  std::optional<std::string> error;            // of failed: why
  Timestamp created_at, updated_at;
  std::optional<Timestamp> finished_at, expires_at;   // the output is kept until then
};
std::string task_json(const Task& task);       // {"task":{…}} is what 202 answers

inline constexpr int kMaxUnfinished = 20;      // of one application

/// Owner of what an operator began: no caller of the application can be it, and none sees its tasks.
inline constexpr const char* kOperator = "/operator";

/// Begins a task, in the transaction of the call. `input` is what its Work will be told. `owner` may ask for it besides servers,
/// unless it is kOperator.
/// Errors:  limit_reached (kMaxUnfinished)
Task start_task(storage::Transaction& tx, const std::string& type, const std::string& input, const std::string& owner, Timestamp now);

/// Errors:  not_found (missing, forgotten, another user's, or an operator's)
Task get_task(storage::Transaction& tx, const tenants::Caller& caller, TaskId id);
/// One part of the output, newline-delimited JSON. Errors: not_found
std::string get_part(storage::Transaction& tx, const tenants::Caller& caller, TaskId id, std::int64_t part);
/// The same for an operator, of what operators began: of the application that the transaction acts for, and of this type only.
Task get_task_of_type(storage::Transaction& tx, TaskId id, std::string_view type);
std::string get_part_of_type(storage::Transaction& tx, TaskId id, std::string_view type, std::int64_t part);

/// The {part} of a path. Errors: not_found (a number that can't be one is a part that is not there)
std::int64_t number_part(const http::Request& request);

}  // namespace chat::tasks
