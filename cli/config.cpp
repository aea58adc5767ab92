#include "platform/base/config.h"

#include <memory>

#include "cli/nouns.h"
#include "cli/session.h"
#include "platform/base/json.h"
#include "platform/server/settings.h"

namespace chat::cli {
namespace {

const Sheet kRow{.columns = {{"KEY", "key"}, {"VALUE", "value"}, {"ORIGIN", "origin"}}, .name = "key"};

struct Given {
  std::string file;
  bool no_environment = false;
};

config::Settings load_file(Session& session, const Given& given) {
  const auto environment =
      given.no_environment ? std::map<std::string, std::string>() : session.world().environment;
  try {
    auto settings = config::load(server::settings_schema(), given.file, environment, {});
    if (auto mistakes = server::check_together(settings); !mistakes.empty())
      throw config::Invalid(std::move(mistakes));
    return settings;
  } catch (const config::Invalid& invalid) {
    Failure failure(Exit::failure, given.file + " has " + std::to_string(invalid.mistakes().size()) +
                                       (invalid.mistakes().size() == 1 ? " mistake" : " mistakes"));
    for (const auto& mistake : invalid.mistakes()) {
      const bool keyed = !mistake.key.empty() && mistake.text.find(mistake.key) == std::string::npos;
      failure.with_detail(mistake.where + ": " + (keyed ? mistake.key + ": " : "") + mistake.text);
    }
    throw failure;
  }
}

void check(Session& session, const Given& given) {
  const auto settings = load_file(session, given);
  for (const auto& warning : settings.warnings()) session.warn(warning);
  session.note(given.file + " is good");
}

std::string value_of(const config::Settings& settings, const config::Entry& entry) {
  if (entry.secret) return settings.text(entry.key).empty() ? "" : "********";
  switch (entry.type) {
    case config::Type::integer:
      return std::to_string(settings.integer(entry.key));
    case config::Type::boolean:
      return settings.boolean(entry.key) ? "true" : "false";
    case config::Type::duration:
      return std::to_string(settings.duration(entry.key).count()) + "ms";
    case config::Type::bytes:
      return std::to_string(settings.bytes(entry.key));
    case config::Type::list: {
      std::string out;
      for (const auto& item : settings.list(entry.key)) out += (out.empty() ? "" : ",") + item;
      return out;
    }
    case config::Type::text:
    case config::Type::word:
      break;
  }
  return settings.text(entry.key);
}

void print(Session& session, const Given& given) {
  const auto settings = load_file(session, given);
  if (session.format() == Format::table) return session.print_text(settings.print());
  json::Writer out;
  out.array();
  for (const auto& entry : settings.schema())
    out.object()
        .field("key", entry.key)
        .field("value", value_of(settings, entry))
        .field("origin", settings.origin(entry.key))
        .end();
  out.end();
  session.print(out.take(), kRow);
}

}  // namespace

void add_config(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("config", "chatd's configuration file, without starting chatd");
  const auto with_file = [&](Verb verb) {
    return verb.argument("FILE", given->file, "chatd's YAML file", Fill::file)
        .flag("--no-environment", given->no_environment, "Leave out this shell's CHAT_ variables");
  };
  with_file(noun.verb("check", "Name every mistake with its file, line and key"))
      .detail("CHAT_ variables of this shell count, as they would for a chatd started here.")
      .example("config check /etc/chatd/chatd.yaml --no-environment")
      .run([given](Session& session) { check(session, *given); });
  with_file(noun.verb("print", "Print every key with its value and where that comes from; secrets masked"))
      .example("config print /etc/chatd/chatd.yaml -o csv")
      .run([given](Session& session) { print(session, *given); });
}

}  // namespace chat::cli
