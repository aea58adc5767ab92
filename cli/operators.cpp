#include <memory>

#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const std::string kPath = "/operator/v1/operators";
const Sheet kRow{.columns = {{"NAME", "name"},
                             {"OPERATOR_ID", "operator_id"},
                             {"ROLE", "role"},
                             {"CREATED", "created_at", Look::time},
                             {"LAST_USED", "last_used_at", Look::time},
                             {"REVOKED", "revoked_at", Look::time}},
                 .name = "operator_id"};
const Sheet kNew{.columns = {{"NAME", "operator.name"},
                             {"OPERATOR_ID", "operator.operator_id"},
                             {"ROLE", "operator.role"},
                             {"TOKEN", "token"}},
                 .name = "operator.operator_id",
                 .upright = true};

struct Given {
  std::string name, role, out_file;
};

void create(Session& session, const Given& given) {
  session.check_secret_kept(given.out_file);
  json::Writer body;
  body.object().field("name", given.name).field("role", given.role).end();
  const auto answer = post(session.api(), kPath, body.take());
  session.show_secret(answer, "token", kNew, given.out_file);
  session.note("operator " + given.name + " created; its token can't be shown again");
}

/// The id of an operator that is not revoked, by id or name.
std::string find_id(Session& session, const std::string& name) {
  const auto rows = list_all(session.api(), kPath, "operators");
  const auto document = json::Document::parse(rows);
  for (const auto& row : document.root().items())
    if (!find_at(row, "revoked_at") && (text_at(row, "operator_id") == name || text_at(row, "name") == name))
      return text_at(row, "operator_id");
  throw Failure(Exit::not_found, "no operator \"" + name + "\" that is not revoked")
      .with_next("chatctl operator list");
}

void revoke(Session& session, const Given& given) {
  const auto id = find_id(session, given.name);
  session.confirm("Revoke operator " + given.name + "? Its token stops working at once.");
  del(session.api(), kPath + "/" + text::percent_encode(id));
  session.note("operator " + given.name + " revoked");
}

}  // namespace

void add_operators(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("operator", "Who runs this service: people and programs with a token each");
  noun.alias("operators");
  noun.verb("create", "Give a person or a program a token of its own; an owner's business")
      .argument("NAME", given->name, "How the audit calls it: 1-64 of A-Z a-z 0-9 _ . @ -")
      .word("--role", given->role, {"viewer", "operator", "owner"}, "What it may do (default viewer)")
      .option("--out-file", "FILE", given->out_file, "Write the token there (0600) instead of printing it",
              Fill::file)
      .detail(
          "viewer: looks at everything. operator: changes applications, keys and plans. owner: manages "
          "operators, and does what can't be undone.")
      .example("operator create ines --role operator --out-file ines.token")
      .run([given](Session& session) {
        if (given->role.empty()) given->role = "viewer";
        create(session, *given);
      });
  noun.verb("list", "List operators, revoked ones too")
      .alias("ls")
      .example("operator list")
      .run([](Session& session) { session.print(list_all(session.api(), kPath, "operators"), kRow); });
  noun.verb("revoke", "End an operator's token; an owner's business")
      .argument("NAME", given->name, "Its name or operator_id", Fill::operator_name)
      .example("operator revoke ines --yes")
      .run([given](Session& session) { revoke(session, *given); });
}

}  // namespace chat::cli
