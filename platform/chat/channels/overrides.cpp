#include "platform/chat/channels/overrides.h"

#include <algorithm>

#include "platform/base/error.h"

namespace chat::channels {
namespace {

constexpr std::string_view kMaxBytes = "max_message_bytes";
struct Override {
  std::string_view name;
  bool TypeSettings::* flag;
  bool gives = true;                           // the value that gives more
};
constexpr Override kOverrides[] = {
    {"typing_events", &TypeSettings::typing_events}, {"read_events", &TypeSettings::read_events},
    {"delivery_events", &TypeSettings::delivery_events}, {"reactions", &TypeSettings::reactions},
    {"replies", &TypeSettings::replies}, {"quotes", &TypeSettings::quotes}, {"uploads", &TypeSettings::uploads},
    {"polls", &TypeSettings::polls}, {"push", &TypeSettings::push}, {"link_previews", &TypeSettings::link_previews},
    {"pending", &TypeSettings::pending, false},
};

}  // namespace

std::optional<std::string> find_overrides(json::Fields& body, std::string_view name) {
  auto given = body.find_object(name);
  if (!given) return std::nullopt;
  json::Fields fields(*given, body.pointer(name));
  json::Writer out;
  out.object();
  for (const auto& [flag_name, flag, gives] : kOverrides)
    if (auto value = fields.find_boolean(flag_name)) out.key(flag_name).boolean(*value);
  if (auto bytes = fields.find_integer(kMaxBytes, {1, 60'000})) out.field(kMaxBytes, *bytes);
  out.end();
  fields.check_unknown();
  body.absorb(fields);
  return out.take();
}

bool is_override(std::string_view name) {
  return name == kMaxBytes || std::any_of(std::begin(kOverrides), std::end(kOverrides), [&](const auto& one) { return one.name == name; });
}

void apply_overrides(TypeSettings& settings, const std::string& overrides) {
  if (overrides == "{}") return;
  auto document = json::Document::parse(overrides);
  json::Fields fields(document.root());
  for (const auto& [name, flag, gives] : kOverrides) settings.*flag = fields.find_boolean(name).value_or(settings.*flag);
  settings.max_message_bytes = fields.find_integer(kMaxBytes, {1, 60'000}).value_or(settings.max_message_bytes);
  keep_large_small(settings);
}

void check_overrides(const TypeSettings& type, const std::string& overrides) {
  TypeSettings wanted = type;
  apply_overrides(wanted, overrides);
  auto refuse = [](std::string_view name) {
    return Error(Code::forbidden, "The channel's type does not allow this; only your backend may give more than the type.",
                 {{"#/set/settings/" + std::string(name), "More than the channel's type allows."}});
  };
  for (const auto& [name, flag, gives] : kOverrides)
    if (wanted.*flag == gives && type.*flag != gives) throw refuse(name);
  if (wanted.max_message_bytes > type.max_message_bytes) throw refuse(kMaxBytes);
}

}  // namespace chat::channels
