#include "platform/realtime/commands.h"

#include <algorithm>

#include "platform/base/json.h"

namespace chat::realtime {
namespace {

constexpr json::Text kRef{.min_bytes = 1, .max_bytes = 64};
constexpr json::Text kCid{.min_bytes = 3, .max_bytes = 320};       // type (64) : id (255)
constexpr json::Text kUserId{.min_bytes = 1, .max_bytes = 255};
constexpr json::Text kEpoch{.min_bytes = 1, .max_bytes = 64};
constexpr json::Text kApiKey{.min_bytes = 1, .max_bytes = 128};
constexpr json::Text kToken{.min_bytes = 1, .max_bytes = 8192};

ResumeCommand read_resume(json::Fields& fields, const Options& options) {
  ResumeCommand command;
  if (!fields.has("channels")) fields.mistake("channels", "must be an object of cid to {epoch, seq}");
  for (auto& one : read_known(fields, static_cast<std::size_t>(options.max_resume_channels), false)) {
    command.channels.push_back({std::move(one.cid), std::move(one.epoch), one.seq});
  }
  return command;
}

std::vector<std::string> read_cids(json::Fields& fields, const Options& options) {
  auto cids = fields.find_texts("cids", static_cast<std::size_t>(options.max_watched), kCid);
  if (!cids || cids->empty()) {
    fields.mistake("cids", "must name at least one channel");
    return {};
  }
  std::sort(cids->begin(), cids->end());
  cids->erase(std::unique(cids->begin(), cids->end()), cids->end());
  return *std::move(cids);
}

Typing read_typing(std::string_view type, json::Fields& fields) {
  return {fields.text("cid", kCid), fields.find_text("parent_id", {.min_bytes = 1, .max_bytes = 64}).value_or(""), type == "typing.stop"};
}

PresenceCommand read_presence(json::Fields& fields, const Options& options) {
  auto user_ids = fields.find_texts("user_ids", static_cast<std::size_t>(options.max_followed), kUserId);
  if (!user_ids) {
    fields.mistake("user_ids", "must be a list of users; an empty one: nobody");
    return {};
  }
  std::sort(user_ids->begin(), user_ids->end());
  user_ids->erase(std::unique(user_ids->begin(), user_ids->end()), user_ids->end());
  return {*std::move(user_ids)};
}

Command read(std::string_view type, json::Fields& fields, const Options& options) {
  if (type.starts_with("typing.")) return read_typing(type, fields);
  if (type == "sync") return read_sync_ask(fields, static_cast<std::size_t>(options.max_sync_channels));
  if (type == "presence") return read_presence(fields, options);
  if (type == "status") return StatusCommand{fields.word("status", {"online", "away"}) == "away"};
  if (type == "auth") return AuthCommand{fields.text("api_key", kApiKey), fields.text("token", kToken)};
  if (type == "resume") return read_resume(fields, options);
  if (type == "watch") return WatchCommand{read_cids(fields, options)};
  if (type == "unwatch") return UnwatchCommand{read_cids(fields, options)};
  return PingCommand{};
}

bool is_known(std::string_view type) {
  constexpr std::string_view kTypes[] = {"ping", "auth", "resume", "watch", "unwatch", "typing.start", "typing.stop", "sync", "presence",
                                         "status"};
  return std::ranges::find(kTypes, type) != std::end(kTypes);
}

}  // namespace

std::vector<Known> read_known(json::Fields& fields, std::size_t max_channels, bool with_read_seq) {
  std::vector<Known> known;
  const auto channels = fields.find_object("channels");
  if (!channels) return known;
  const auto members = channels->members();
  if (members.size() > max_channels) {
    fields.mistake("channels", "at most " + std::to_string(max_channels) + " channels at once");
    return known;
  }
  for (const auto& [cid, position] : members) {
    if (cid.size() < kCid.min_bytes || cid.size() > kCid.max_bytes) {
      fields.mistake("channels", "a cid has 3 to 320 bytes");
      continue;
    }
    json::Fields nested(position, fields.pointer("channels") + "/" + std::string(cid));
    known.push_back({std::string(cid), nested.text("epoch", kEpoch), nested.integer("seq", {.min = 0}), std::nullopt});
    if (with_read_seq) known.back().read_seq = nested.find_integer("read_seq", {.min = 0});
    nested.check_unknown();
    fields.absorb(nested);
  }
  return known;
}

SyncAsk read_sync_ask(json::Fields& fields, std::size_t max_channels) {
  SyncAsk ask;
  ask.known = read_known(fields, max_channels, true);
  ask.next = fields.find_text("next", {.min_bytes = 1, .max_bytes = 1024});
  ask.after = fields.find_text("after", kCid).value_or("");
  ask.until = fields.find_text("until", kCid).value_or("");
  for (const auto& one : ask.known)
    if ((!ask.after.empty() && one.cid <= ask.after) || (!ask.until.empty() && one.cid > ask.until))
      fields.mistake("channels", "all of them must lie behind `after` and not behind `until`");
  return ask;
}

std::variant<Parsed, Refused, Garbage> parse_command(std::string_view text, const Options& options) try {
  const json::Document document = json::Document::parse(text);
  const json::Value root = document.root();
  if (root.kind() != json::Kind::object) return Garbage{"a frame must be a JSON object"};
  const auto type = root.find("type");
  if (!type || type->kind() != json::Kind::text) return Garbage{"a frame must have a type"};
  if (!is_known(type->text())) return Garbage{"unknown type"};

  json::Fields fields(root);
  Parsed parsed;
  fields.has("type");
  parsed.ref = fields.find_text("ref", kRef).value_or("");
  try {
    parsed.command = read(type->text(), fields, options);
    fields.finish();
  } catch (const Error& error) {
    return Refused{parsed.ref, error};
  }
  return parsed;
} catch (const Error&) {
  return Garbage{"not JSON"};
}

}  // namespace chat::realtime
