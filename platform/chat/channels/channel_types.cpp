#include "platform/chat/channels/channel_types.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/chat/channels/channel_types.sql.h"

namespace chat::channels {
namespace {

constexpr int kMaxTypes = 100;
constexpr int kMaxRoles = 25;
constexpr json::Text kName{.min_bytes = 1, .max_bytes = 64};
constexpr json::Text kListName{.min_bytes = 1, .max_bytes = 80};   // shared:NAME, too
constexpr std::string_view kUserTypes[] = {"user:regular", "user:guest", "user:anonymous"};

bool is_user_type(std::string_view role) { return std::find(std::begin(kUserTypes), std::end(kUserTypes), role) != std::end(kUserTypes); }

struct Flag {
  std::string_view name;
  bool TypeSettings::* flag;
};
constexpr Flag kFlags[] = {
    {"replies", &TypeSettings::replies},
    {"quotes", &TypeSettings::quotes},
    {"open", &TypeSettings::open},
    {"typing_events", &TypeSettings::typing_events},
    {"read_events", &TypeSettings::read_events},
    {"delivery_events", &TypeSettings::delivery_events},
    {"reactions", &TypeSettings::reactions},
    {"unique_reactions", &TypeSettings::unique_reactions},
    {"uploads", &TypeSettings::uploads},
    {"polls", &TypeSettings::polls},
    {"push", &TypeSettings::push},
    {"link_previews", &TypeSettings::link_previews},
    {"pending", &TypeSettings::pending},
    {"large", &TypeSettings::large},
};
// What a large channel has none of.
constexpr Flag kSmallOnly[] = {
    {"typing_events", &TypeSettings::typing_events},
    {"read_events", &TypeSettings::read_events},
    {"delivery_events", &TypeSettings::delivery_events},
    {"push", &TypeSettings::push},
};

ChannelType read(const storage::Row& row) {
  return {std::string(row.text(0)), parse_type_settings(std::string(row.text(1))), row.time(2), row.time(3)};
}

void read_grant(json::Fields& fields, std::string_view role, const json::Value& value, Grants& grants) {
  const std::string at = "grants/" + std::string(role);
  if (value.kind() == json::Kind::null) {
    grants.erase(std::string(role));
    return;
  }
  const bool of_user_type = is_user_type(role);
  if (!of_user_type && !is_role_name(role)) return fields.mistake_at(at, "A role is 1-32 of a-z 0-9 _ -, a letter first.");
  if (value.kind() != json::Kind::array) return fields.mistake_at(at, "Must be a list of actions, or null for the defaults.");
  Actions actions = 0;
  std::size_t i = 0;
  for (const auto& item : value.items()) {
    const auto action = item.kind() == json::Kind::text ? parse_action(item.text()) : std::nullopt;
    const auto here = at + "/" + std::to_string(i);
    if (!action) fields.mistake_at(here, "No such action.");
    else if (of_user_type != (*action == Action::create_channel))
      fields.mistake_at(here, "chat:channel:create is for user:regular, user:guest and user:anonymous, the others for roles in a channel.");
    else actions |= bit(*action);
    ++i;
  }
  grants[std::string(role)] = actions;
}

void read_grants(json::Fields& fields, Grants& grants) {
  auto given = fields.find_object("grants");
  if (!given) return;
  for (const auto& [role, value] : given->members()) read_grant(fields, role, value, grants);
  const auto roles = std::count_if(grants.begin(), grants.end(), [](const auto& grant) { return !is_user_type(grant.first); });
  if (roles > kMaxRoles) fields.mistake("grants", "25 roles at most.");
}

void write_actions(json::Writer& out, std::string_view role, Actions actions) {
  out.key(role).array();
  for (auto action : words_of(actions)) out.text(action);
  out.end();
}

void write_names(json::Writer& out, std::string_view key, const std::vector<std::string>& names) {
  out.key(key).array();
  for (const auto& name : names) out.text(name);
  out.end();
}

/// All but the grants.
void write_settings(json::Writer& out, const TypeSettings& settings) {
  out.field("max_message_bytes", settings.max_message_bytes);
  for (const auto& [name, flag] : kFlags) out.key(name).boolean(settings.*flag);
  out.field("retention_days", settings.retention_days).field("undelete_hours", settings.undelete_hours);
  out.field("slow_mode", settings.slow_mode).field("cooldown", settings.cooldown);
  write_names(out, "commands", settings.commands);
  write_names(out, "block_lists", settings.block_lists);
}

/// Every role with what it may do, defaults included.
std::string shown_settings_json(const TypeSettings& settings) {
  json::Writer out;
  out.object();
  write_settings(out, settings);
  out.key("grants").object();
  for (auto role : {Role::member, Role::moderator, Role::admin, Role::owner})
    write_actions(out, word(role), actions_of(word(role), settings.open, settings.grants));
  if (settings.open) write_actions(out, kAnyone, actions_of("", true, settings.grants));
  for (const auto& role : kUserTypes)
    write_actions(out, role, may_create(role.substr(kOfUserType.size()), settings.grants) ? bit(Action::create_channel) : 0);
  for (const auto& [role, actions] : settings.grants)
    if (!is_built_in(role) && !is_user_type(role) && (role != kAnyone || !settings.open)) write_actions(out, role, actions);
  out.end().end();
  return out.take();
}

void lock_type(storage::Transaction& tx, const std::string& type) {
  if (!tx.find(sql::lock_channel_type, tx.app(), type)) throw not_found("channel type");
}

}  // namespace

void keep_large_small(TypeSettings& settings) {
  if (!settings.large) return;
  for (const auto& [name, flag] : kSmallOnly) settings.*flag = false;
}

void read_type_settings(json::Fields& fields, TypeSettings& settings) {
  settings.max_message_bytes =
      fields.find_integer("max_message_bytes", {1, 60'000}).value_or(settings.max_message_bytes);
  for (const auto& [name, flag] : kFlags) settings.*flag = fields.find_boolean(name).value_or(settings.*flag);
  settings.retention_days = fields.find_integer("retention_days", {0, 3650}).value_or(settings.retention_days);
  settings.undelete_hours = fields.find_integer("undelete_hours", {0, 8'760}).value_or(settings.undelete_hours);
  for (const auto& [name, flag] : kSmallOnly)
    if (settings.large && fields.find_boolean(name).value_or(false)) fields.mistake(name, "A large channel has none.");
  keep_large_small(settings);
  settings.slow_mode = fields.find_integer("slow_mode", kPace).value_or(settings.slow_mode);
  settings.cooldown = fields.find_integer("cooldown", kPace).value_or(settings.cooldown);
  if (auto names = fields.find_texts("commands", 50, kName)) settings.commands = std::move(*names);
  if (auto names = fields.find_texts("block_lists", 20, kListName)) settings.block_lists = std::move(*names);
  read_grants(fields, settings.grants);
}

TypeSettings parse_type_settings(const std::string& text) {
  TypeSettings settings;
  auto document = json::Document::parse(text);
  json::Fields fields(document.root());
  read_type_settings(fields, settings);
  return settings;
}

std::string type_settings_json(const TypeSettings& settings) {
  json::Writer out;
  out.object();
  write_settings(out, settings);
  if (!settings.grants.empty()) {
    out.key("grants").object();
    for (const auto& [role, actions] : settings.grants) write_actions(out, role, actions);
    out.end();
  }
  out.end();
  return out.take();
}

std::string channel_type_json(const ChannelType& type) {
  json::Writer out;
  out.object()
      .field("type", type.type)
      .key("settings").raw(shown_settings_json(type.settings))
      .key("created_at").time(type.created_at)
      .key("updated_at").time(type.updated_at)
      .end();
  return out.take();
}

bool is_channel_type(std::string_view text) {
  auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), allowed);
}

ChannelType create_channel_type(storage::Transaction& tx, const std::string& type, const TypeSettings& settings, Timestamp now) {
  if (list_channel_types(tx).size() >= kMaxTypes)
    throw Error(Code::limit_reached, "An application may have 100 channel types.");
  if (!tx.find(sql::insert_channel_type, tx.app(), type, type_settings_json(settings), now))
    throw Error(Code::already_exists, "A channel type of this name exists.");
  return get_channel_type(tx, type);
}

ChannelType get_channel_type(storage::Transaction& tx, const std::string& type) {
  auto rows = tx.find(sql::get_channel_type, tx.app(), type);
  if (!rows) throw not_found("channel type");
  return read((*rows)[0]);
}

std::vector<ChannelType> list_channel_types(storage::Transaction& tx) {
  std::vector<ChannelType> types;
  auto rows = tx.query(sql::list_channel_types, tx.app());
  for (auto row : rows) types.push_back(read(row));
  return types;
}

ChannelType update_channel_type(storage::Transaction& tx, const std::string& type, const TypeSettings& settings, Timestamp now) {
  lock_type(tx, type);
  tx.run(sql::update_channel_type, tx.app(), type, type_settings_json(settings), now);
  return get_channel_type(tx, type);
}

void delete_channel_type(storage::Transaction& tx, const std::string& type) {
  lock_type(tx, type);
  tx.run(sql::forget_purged_channels, tx.app(), type);
  if (tx.find(sql::type_in_use, tx.app(), type))
    throw Error(Code::conflict, "Channels of this type exist; delete them first.");
  tx.run(sql::delete_channel_type, tx.app(), type);
}

}  // namespace chat::channels
