#include "platform/server/built_in_commands.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/chat/channels/bans.h"
#include "platform/chat/commands/commands.h"
#include "platform/chat/users/relations.h"

namespace chat::server {
namespace {

constexpr std::string_view kBuiltIn[] = {"ban", "unban", "mute", "unmute"};
constexpr std::size_t kMaxReasonBytes = 255;

bool names_it(storage::Transaction& tx, const std::string& channel_type, const std::string& name) {
  const auto types = channels::list_channel_types(tx);
  const auto type = std::ranges::find(types, channel_type, &channels::ChannelType::type);
  return type != types.end() && std::ranges::find(type->settings.commands, name) != type->settings.commands.end();
}

}  // namespace

std::optional<messages::KnownCommand> find_command(storage::Transaction& tx, const std::string& channel_type, const std::string& name) {
  if (const auto own = commands::find_command(tx, channel_type, name)) return messages::KnownCommand{own->visible};
  if (std::ranges::find(kBuiltIn, name) == std::end(kBuiltIn) || !names_it(tx, channel_type, name)) return std::nullopt;
  return messages::KnownCommand{.visible = false, .is_built_in = true};
}

void run_built_in(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller, const messages::BuiltInCall& call, Timestamp now) {
  const auto end = std::min(call.args.find(' '), call.args.size());
  std::string target = call.args.substr(0, end);
  const std::string rest(text::trim(std::string_view(call.args).substr(end)));
  if (target.starts_with('@')) target.erase(0, 1);
  if (!tenants::is_user_id(target)) throw invalid_field("#/text", "Name a user: /" + call.name + " @user.");
  if (rest.size() > kMaxReasonBytes) throw invalid_field("#/text", "The reason has 255 bytes at most.");
  const auto opened = channels::lock_channel(tx, caller, call.channel_type, call.channel_id, call.user_id);
  if (call.name == "ban") channels::ban_from_channel(tx, bus, opened, target, {false, rest.empty() ? std::nullopt : std::optional(rest), std::nullopt}, now);
  else if (call.name == "unban") channels::lift_from_channel(tx, bus, opened, target, now);
  else if (call.name == "mute") users::mute_user(tx, bus, caller, call.user_id, target, std::nullopt, now);
  else users::unmute_user(tx, bus, caller, call.user_id, target, now);
}

}  // namespace chat::server
