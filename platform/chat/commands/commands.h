#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/clock.h"
#include "platform/storage/transaction.h"

/// Slash commands: words that the customer's server understands when a message begins with them. Which of them hold in a channel is
/// a matter of its type (`commands`). What a message does with one: messages/command_text.h.
namespace chat::commands {

inline constexpr int kMaxCommands = 100;       // of an application
inline constexpr std::size_t kMaxDescriptionBytes = 255, kMaxArgsBytes = 255;

struct Command {
  std::string name;
  std::string description, args;               // for the user's eyes: "Posts a picture", "[what to look for]"
  bool visible = true;                         // the message that invokes it is sent; else only the server hears of it
  Timestamp created_at, updated_at;
};
std::string command_json(const Command& command);

bool is_command_name(std::string_view text);   // 1-32 of a-z 0-9 _ -, a letter first

struct Put {
  bool created = false;
  Command command;
};
/// Errors:  limit_reached
Put put_command(storage::Transaction& tx, const Command& command, Timestamp now);
/// Errors:  not_found
void delete_command(storage::Transaction& tx, const std::string& name);
std::vector<Command> list_commands(storage::Transaction& tx);   // by name

/// One that holds in channels of this type. None: the word is ordinary text there.
std::optional<Command> find_command(storage::Transaction& tx, const std::string& channel_type, const std::string& name);

}  // namespace chat::commands
