#include <memory>

#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const std::vector<Column> kColumns = {
    {"TEAM", "team_id"}, {"NAME", "name"}, {"CREATED", "created_at", Look::time}};
const Sheet kRow{.columns = kColumns, .name = "team_id"};
const Sheet kDetail{.columns = kColumns, .name = "team_id", .rows = "team", .upright = true};

struct Given {
  std::string team, name;
};

std::string team_path(const std::string& team) { return "/v1/teams/" + text::percent_encode(team); }

void create(Session& session, const Given& given) {
  json::Writer body;
  body.object().field("team_id", given.team);
  if (!given.name.empty()) body.field("name", given.name);
  body.end();
  const auto answer = post(session.public_api(), "/v1/teams", body.take());
  session.done(answer, kDetail, "team " + given.team + " created");
}

void remove(Session& session, const Given& given) {
  session.confirm("Delete team " + given.team + " of " + session.app() + "?");
  del(session.public_api(), team_path(given.team));
  session.note("team " + given.team + " deleted");
}

}  // namespace

void add_teams(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("team", "The teams that an application keeps apart");
  noun.alias("teams");
  noun.verb("list", "List teams").alias("ls").example("team list --app acme").run([](Session& session) {
    session.print_list(list_all(session.public_api(), "/v1/teams", "teams"), kRow, "no teams");
  });
  noun.verb("show", "Show one team")
      .argument("TEAM", given->team, "team_id", Fill::team)
      .example("team show red --app acme")
      .run([given](Session& session) {
        session.print(get(session.public_api(), team_path(given->team)), kDetail);
      });
  noun.verb("create", "Create a team")
      .argument("TEAM", given->team, "What to call it")
      .option("--name", "NAME", given->name, "What users see")
      .example("team create blue --app acme --name \"Blue Ltd\"")
      .run([given](Session& session) { create(session, *given); });
  noun.verb("delete", "Delete a team")
      .argument("TEAM", given->team, "team_id", Fill::team)
      .example("team delete red --app acme --yes")
      .run([given](Session& session) { remove(session, *given); });
}

}  // namespace chat::cli
