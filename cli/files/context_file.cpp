#include "cli/files/context_file.h"

#include <array>
#include <filesystem>
#include <vector>

#include "cli/exit_code.h"
#include "cli/files/files.h"
#include "cli/files/yaml.h"
#include "cli/output/value.h"
#include "platform/base/json.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

struct FieldOf {
  const char* key;
  std::string Context::*member;
};
constexpr std::array<FieldOf, 7> kFields{{{"server", &Context::server},
                                          {"public", &Context::public_url},
                                          {"token", &Context::token},
                                          {"token_file", &Context::token_file},
                                          {"token_command", &Context::token_command},
                                          {"app", &Context::app},
                                          {"ca_file", &Context::ca_file}}};

[[noreturn]] void refuse(const std::string& path, const std::string& key, const std::string& why) {
  throw Failure(Exit::failure, path + ": " + key + ": " + why);
}

[[noreturn]] void refuse_unknown(const std::string& path, const std::string& where, std::string_view key,
                                 const std::vector<std::string>& known) {
  const auto meant = text::nearest(key, known);
  refuse(path, where + std::string(key),
         meant.empty() ? "unknown key" : "unknown key; did you mean " + meant + "?");
}

Context read_context(const std::string& path, std::string_view name, const json::Value& from) {
  const auto where = "contexts." + std::string(name) + ".";
  if (from.kind() != json::Kind::object) refuse(path, where, "must be a mapping with at least `server`");
  Context context;
  std::vector<std::string> known;
  for (const auto& field : kFields) known.emplace_back(field.key);
  for (const auto& [key, value] : from.members()) {
    bool found = false;
    for (const auto& field : kFields)
      if (key == field.key) {
        if (value.kind() != json::Kind::text) refuse(path, where + std::string(key), "must be a text");
        context.*field.member = value.text();
        found = true;
      }
    if (!found) refuse_unknown(path, where, key, known);
  }
  const int sources = !context.token.empty() + !context.token_file.empty() + !context.token_command.empty();
  if (sources > 1) refuse(path, where + "token", "give one of token, token_file, token_command");
  return context;
}

}  // namespace

std::string context_file_path(const World& world) {
  auto base = world.variable("XDG_CONFIG_HOME");
  if (base.empty() || base.front() != '/') {  // the XDG specification: a relative one counts as not set
    const auto home = world.variable("HOME");
    if (home.empty()) return "";
    base = home + "/.config";
  }
  return base + "/chatctl/config.yaml";
}

ContextFile load_contexts(World& world) {
  ContextFile file;
  file.path = context_file_path(world);
  std::error_code ignored;
  if (file.path.empty() || !std::filesystem::exists(file.path, ignored)) return file;
  file.exists = true;
  const auto document = json::Document::parse(yaml_to_json(read_input(world, file.path), file.path));
  const auto root = document.root();
  if (root.kind() == json::Kind::null) return file;
  if (root.kind() != json::Kind::object)
    refuse(file.path, "the file", "must be a mapping with `current` and `contexts`");
  for (const auto& [key, value] : root.members()) {
    if (key == "current") {
      if (value.kind() != json::Kind::text) refuse(file.path, "current", "must be the name of a context");
      file.current = value.text();
    } else if (key == "contexts") {
      if (value.kind() != json::Kind::object)
        refuse(file.path, "contexts", "must be a mapping from names to contexts");
      for (const auto& [name, context] : value.members())
        file.contexts.emplace(name, read_context(file.path, name, context));
    } else {
      refuse_unknown(file.path, "", key, {"current", "contexts"});
    }
  }
  return file;
}

void save_contexts(const ContextFile& file) {
  if (file.path.empty())
    throw Failure(Exit::failure, "no place for the contexts: neither XDG_CONFIG_HOME nor HOME is set");
  json::Writer out;
  out.object();
  if (!file.current.empty()) out.field("current", file.current);
  out.key("contexts").object();
  for (const auto& [name, context] : file.contexts) {
    out.key(name).object();
    for (const auto& field : kFields)
      if (!(context.*field.member).empty()) out.field(field.key, context.*field.member);
    out.end();
  }
  out.end().end();
  const auto document = json::Document::parse(out.take());
  const auto target = std::filesystem::weakly_canonical(file.path);  // through a symlink, not over it
  write_private_file(target.string(), yaml_text(document.root()), true);
}

}  // namespace chat::cli
