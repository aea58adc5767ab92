#include "platform/tasks/tasks.h"

#include <charconv>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/tasks/tasks.sql.h"

namespace chat::tasks {
namespace {

Task read(const storage::Row& row) {
  return {TaskId{row.uuid(0)}, std::string(row.text(1)), std::string(row.text(2)), row.integer(3),         row.integer(4),
          row.optional_text(5), row.time(6),             row.time(7),              row.optional_time(8), row.optional_time(9)};
}

/// `asks`: a user, kOperator, or "": a server.
Task find(storage::Transaction& tx, TaskId id, const std::string& asks) {
  auto rows = tx.find(sql::get_task, tx.app(), id, asks);
  if (!rows) throw not_found("task");
  return read((*rows)[0]);
}

std::string find_part(storage::Transaction& tx, TaskId id, std::int64_t part) {
  auto rows = tx.find(sql::get_part, tx.app(), id, part);
  if (!rows) throw not_found("part");
  return std::string((*rows)[0].text(0));
}

}  // namespace

std::string task_json(const Task& task) {
  json::Writer out;
  out.object()
      .field("task_id", task.id.wire())
      .field("type", task.type)
      .field("status", task.status)
      .field("items", task.items)
      .field("parts", task.parts)
      .optional_field("error", task.error)
      .key("created_at").time(task.created_at)
      .key("updated_at").time(task.updated_at)
      .optional_time("finished_at", task.finished_at)
      .optional_time("expires_at", task.expires_at)
      .end();
  return out.take();
}

Task start_task(storage::Transaction& tx, const std::string& type, const std::string& input, const std::string& owner, Timestamp now) {
  tx.query(sql::lock_starts, tx.app());
  if (tx.query(sql::count_unfinished, tx.app())[0].integer(0) >= kMaxUnfinished)
    throw Error(Code::limit_reached, "An application may have " + std::to_string(kMaxUnfinished) + " unfinished tasks; wait for one to end.");
  Task task;
  task.id = TaskId::make(now);
  task.type = type;
  task.created_at = task.updated_at = now;
  tx.run(sql::insert_task, tx.app(), task.id, type, owner, input, now);
  return task;
}

Task get_task(storage::Transaction& tx, const tenants::Caller& caller, TaskId id) { return find(tx, id, caller.user_id()); }

std::string get_part(storage::Transaction& tx, const tenants::Caller& caller, TaskId id, std::int64_t part) {
  get_task(tx, caller, id);
  return find_part(tx, id, part);
}

Task get_task_of_type(storage::Transaction& tx, TaskId id, std::string_view type) {
  auto task = find(tx, id, kOperator);
  if (task.type != type) throw not_found("task");
  return task;
}

std::string get_part_of_type(storage::Transaction& tx, TaskId id, std::string_view type, std::int64_t part) {
  get_task_of_type(tx, id, type);
  return find_part(tx, id, part);
}

std::int64_t number_part(const http::Request& request) {
  const auto& text = request.part("part");
  std::int64_t part = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), part);
  if (error != std::errc() || end != text.data() + text.size() || part < 1) throw not_found("part");
  return part;
}

}  // namespace chat::tasks
