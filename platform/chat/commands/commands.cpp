#include "platform/chat/commands/commands.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/commands/commands.sql.h"

namespace chat::commands {
namespace {

Command read_row(const storage::Row& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)), row.boolean(3), row.time(4), row.time(5)};
}

}  // namespace

std::string command_json(const Command& command) {
  json::Writer out;
  out.object().field("name", command.name).field("description", command.description).field("args", command.args)
      .key("visible").boolean(command.visible).key("created_at").time(command.created_at).key("updated_at").time(command.updated_at).end();
  return out.take();
}

bool is_command_name(std::string_view text) {
  auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= 32 && text[0] >= 'a' && text[0] <= 'z' && std::all_of(text.begin(), text.end(), allowed);
}

Put put_command(storage::Transaction& tx, const Command& command, Timestamp now) {
  tx.query(sql::lock_commands, tx.app());
  if (tx.query(sql::count_other_commands, tx.app(), command.name)[0].integer(0) >= kMaxCommands)
    throw Error(Code::limit_reached, "An application may have 100 commands; delete one first.");
  auto rows = tx.query(sql::put_command, tx.app(), command.name, command.description, command.args, command.visible, now);
  return {rows[0].boolean(6), read_row(rows[0])};
}

void delete_command(storage::Transaction& tx, const std::string& name) {
  if (tx.run(sql::delete_command, tx.app(), name) == 0) throw not_found("command");
}

std::vector<Command> list_commands(storage::Transaction& tx) {
  std::vector<Command> commands;
  auto rows = tx.query(sql::list_commands, tx.app());
  for (auto row : rows) commands.push_back(read_row(row));
  return commands;
}

std::optional<Command> find_command(storage::Transaction& tx, const std::string& channel_type, const std::string& name) {
  auto rows = tx.find(sql::find_command, tx.app(), channel_type, name);
  return rows ? std::optional<Command>(read_row((*rows)[0])) : std::nullopt;
}

}  // namespace chat::commands
