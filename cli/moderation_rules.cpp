#include "cli/moderation_rules.h"

#include <memory>

#include "cli/files/files.h"
#include "cli/files/yaml.h"
#include "cli/output/value.h"
#include "cli/session.h"

namespace chat::cli {
namespace {

const std::string kRules = "/v1/moderation/rules";
const Sheet kShown{.columns = {{"NAME", "name"},
                               {"KIND", "kind"},
                               {"ENABLED", "enabled"},
                               {"MAX", "max", Look::number},
                               {"WINDOW_S", "window_s", Look::number},
                               {"THEN", "then", Look::state}},
                   .name = "name",
                   .rows = "rules"};
const Sheet kSet{.columns = {{"VERSION", "moderation_rules.version", Look::number}, {"UPDATED", "moderation_rules.updated_at", Look::time}},
                 .name = "moderation_rules.version",
                 .upright = true};
const Sheet kFired{.columns = {{"RULE", "rule"},
                               {"KIND", "kind"},
                               {"MEASURED", "measured", Look::number},
                               {"MAX", "max", Look::number},
                               {"EXEMPT", "exempt"},
                               {"THEN", "then", Look::state}},
                   .name = "rule",
                   .rows = "fired"};

struct Given {
  std::string action, file, text, user, cid;
};

std::string member(const std::string& answer, std::string_view name) {
  const auto document = json::Document::parse(answer);
  const auto value = document.root().find(name);
  return value ? value->raw() : "";
}

/// The members of the file's document, which are the body's.
void splice(json::Writer& out, Session& session, const std::string& file) {
  const auto document = json::Document::parse(yaml_to_json(read_input(session.world(), file), input_name(file)));
  for (const auto& [name, value] : document.root().members()) out.key(name).raw(value.raw());
}

void show(Session& session) {
  session.print(member(get(session.public_api(), kRules), "moderation_rules"), kShown);
}

void set(Session& session, const Given& given) {
  if (given.file.empty()) throw Failure(Exit::usage, "say with -f which file holds the rules");
  session.confirm("Replace all rules of " + session.app() + "?");
  const auto body = yaml_to_json(read_input(session.world(), given.file), input_name(given.file));
  session.done(put(session.public_api(), kRules, body), kSet, "rules set");
}

void test(Session& session, const Given& given) {
  if (given.text.empty() || given.user.empty() || given.cid.empty()) throw Failure(Exit::usage, "say with --text, --user and --channel what to try");
  json::Writer body;
  body.object().field("text", given.text).field("user_id", given.user).field("cid", given.cid);
  if (!given.file.empty()) splice(body, session, given.file);
  body.end();
  const auto answer = post(session.public_api(), kRules + "/test", body.take());
  session.note("verdict: " + std::string(json::Document::parse(answer).root().find("verdict")->text()));
  session.print(answer, kFired);
}

}  // namespace

void add_moderation_rules(Noun& moderation) {
  const auto given = std::make_shared<Given>();
  moderation.verb("rules", "Show, replace or try the rules that judge what users write")
      .word_argument("ACTION", given->action, {"get", "set", "test"}, "What to do")
      .option("-f,--file", "FILE", given->file, "Rules as YAML or JSON, as the API takes them; - for the standard input. With test: these instead of those that hold")
      .option("--text", "TEXT", given->text, "Of test: what is said")
      .option("--user", "USER", given->user, "Of test: by whom", Fill::user)
      .option("--channel", "CID", given->cid, "Of test: where", Fill::channel)
      .example("moderation rules get --app acme")
      .example("moderation rules set -f rules.yaml --app acme --yes")
      .example("moderation rules test --text 'see https://example.com/' --user bob --channel messaging:general --app acme")
      .run([given](Session& session) {
        if (given->action == "set") set(session, *given);
        else if (given->action == "test") test(session, *given);
        else show(session);
      });
}

}  // namespace chat::cli
