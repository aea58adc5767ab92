#include <memory>
#include <optional>

#include "cli/files/files.h"
#include "cli/files/yaml.h"
#include "cli/output/progress.h"
#include "cli/output/value.h"
#include "cli/plans.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const Sheet kVersions{.columns = {{"VERSION", "version", Look::number},
                                  {"NAME", "name"},
                                  {"CURRENCY", "currency"},
                                  {"PRICE_MONTH", "price_month", Look::number},
                                  {"PRICE_YEAR", "price_year", Look::number},
                                  {"CREATED", "created_at", Look::time}},
                      .name = "version",
                      .rows = "plans"};
const Sheet kChanges{.columns = {{"FIELD", "field"}, {"BEFORE", "before"}, {"AFTER", "after"}},
                     .name = "field",
                     .rows = "changes"};
const Sheet kHistory{.columns = {{"MOVED", "moved_at", Look::time},
                                 {"PLAN", "plan"},
                                 {"VERSION", "version", Look::number},
                                 {"YEARLY", "yearly"}},
                     .name = "moved_at",
                     .rows = "history"};
const Sheet kPlan{.columns = {{"PLAN", "plan.plan_id"}, {"VERSION", "plan.version", Look::number}, {"NAME", "plan.name"}},
                  .name = "plan.plan_id",
                  .upright = true};

struct Given {
  std::string plan, file, app, paid;
  std::int64_t from = 0, to = 0, version = 0;
  bool back = false, dry_run = false;
};

std::string plan_path(const std::string& plan, const std::string& rest = "") {
  return "/operator/v1/plans/" + text::percent_encode(plan) + rest;
}

void create(Session& session, const Given& given) {
  const auto name = input_name(given.file);
  const auto body = yaml_to_json(read_input(session.world(), given.file), name);
  const auto held = session.api().send({.path = plan_path(given.plan)});
  if (held.status == 200)
    throw Failure(Exit::conflict, "plan " + given.plan + " exists already").with_next("chatctl plan apply --help");
  const auto answer = put(session.api(), plan_path(given.plan), body);
  session.done(answer, kPlan, "plan " + given.plan + " created");
}

void diff(Session& session, const Given& given) {
  std::vector<std::pair<std::string, std::string>> query;
  if (given.from > 0) query.emplace_back("from", std::to_string(given.from));
  if (given.to > 0) query.emplace_back("to", std::to_string(given.to));
  const auto answer = get(session.api(), plan_path(given.plan, "/diff"), query);
  const auto document = json::Document::parse(answer);
  if (session.format() == Format::table)
    session.note("plan " + given.plan + ", version " + text_at(document.root(), "from") + " to " + text_at(document.root(), "to"));
  session.print(answer, kChanges);
}

void archive(Session& session, const Given& given) {
  json::Writer body;
  body.object().key("archived").boolean(!given.back).end();
  const auto answer = post(session.api(), plan_path(given.plan, "/archive"), body.take());
  session.done(answer, kPlan, "plan " + given.plan + (given.back ? " is offered again" : " archived; those on it stay"));
}

void move(Session& session, const Given& given) {
  json::Writer body;
  body.object().field("plan", given.plan);
  if (given.version > 0) body.field("version", given.version);
  if (!given.paid.empty()) body.key("yearly").boolean(given.paid == "year");
  body.end();
  const auto app = session.app();
  const auto answer = post(session.api(), session.app_path(app, "/plan"), body.take());
  const auto document = json::Document::parse(answer);
  session.done(answer, kHistory, app + " is on plan " + given.plan + ", version " + text_at(document.root(), "version"));
}

const Sheet kUpgraded{.columns = {{"APP", "app_id"}, {"NAME", "name"}, {"FROM", "from_version", Look::number}}, .name = "app_id"};

void upgrade(Session& session, const Given& given) {
  if (!given.dry_run) session.confirm("Move all applications of plan " + given.plan + " to its last version?");
  json::Writer moved;
  moved.array();
  std::uint64_t count = 0;
  std::string after, version;
  std::optional<Progress> progress;
  do {
    json::Writer body;
    body.object().key("dry_run").boolean(given.dry_run).field("limit", std::int64_t{100});
    if (!after.empty()) body.field("after", after);
    body.end();
    const auto answer = json::Document::parse(post(session.api(), plan_path(given.plan, "/upgrade"), body.take()));
    const auto page = find_at(answer.root(), "applications");
    if (!page) throw Failure(Exit::failure, "the server's answer names no applications");
    for (const auto& one : page->items()) moved.raw(one.raw());
    count += page->items().size();
    after = text_at(answer.root(), "next");
    version = text_at(answer.root(), "version");
    if (!progress && !after.empty() && !given.dry_run) progress.emplace(session, "moving", "applications");
    if (progress) progress->at(count);
  } while (!after.empty());
  progress.reset();
  moved.end();
  session.print_list(moved.take(), kUpgraded, "all are on version " + version + " of plan " + given.plan + " already");
  if (count > 0)
    session.note(std::to_string(count) + (given.dry_run ? " would come" : " came") + " to version " + version + " of plan " + given.plan);
}

}  // namespace

void add_plan_versions(Noun& noun) {
  const auto given = std::make_shared<Given>();
  noun.verb("create", "Create a plan that does not exist yet")
      .argument("PLAN", given->plan, "Its plan_id: a-z 0-9 _ -")
      .required_option("-f,--file", "FILE", given->file, "YAML or JSON of one plan; - is stdin", Fill::file)
      .example("plan create acme-gold -f gold.yaml")
      .run([given](Session& session) { create(session, *given); });
  noun.verb("versions", "List the versions of a plan, newest first")
      .argument("PLAN", given->plan, "plan_id", Fill::plan)
      .example("plan versions growth")
      .run([given](Session& session) { session.print(get(session.api(), plan_path(given->plan, "/versions")), kVersions); });
  noun.verb("diff", "Show what differs between two versions")
      .argument("PLAN", given->plan, "plan_id", Fill::plan)
      .number("--from", given->from, 1, 1'000'000, "The older version; default: the one before")
      .number("--to", given->to, 1, 1'000'000, "The newer version; default: the last")
      .example("plan diff growth --from 1")
      .run([given](Session& session) { diff(session, *given); });
  noun.verb("archive", "Take a plan off the market; applications on it stay")
      .argument("PLAN", given->plan, "plan_id", Fill::plan)
      .flag("--undo", given->back, "Offer it again")
      .example("plan archive trial-2025")
      .run([given](Session& session) { archive(session, *given); });
  noun.verb("move", "Move an application to a plan, or to another version of its plan")
      .argument("PLAN", given->plan, "plan_id", Fill::plan)
      .number("--version", given->version, 1, 1'000'000, "Default: the last")
      .word("--paid", given->paid, {"month", "year"}, "How it pays; default: as before")
      .example("plan move growth --app acme --paid year")
      .run([given](Session& session) { move(session, *given); });
  noun.verb("upgrade", "Move all applications of a plan to its last version")
      .argument("PLAN", given->plan, "plan_id", Fill::plan)
      .flag("--dry-run", given->dry_run, "Only say which would be moved")
      .detail("A hundred at a time, each hundred as a whole; what is interrupted goes on when it is called again.")
      .example("plan upgrade growth --dry-run")
      .run([given](Session& session) { upgrade(session, *given); });
  noun.verb("history", "Show which plans an application is and was on")
      .example("plan history --app acme")
      .run([](Session& session) { session.print(get(session.api(), session.app_path(session.app(), "/plan")), kHistory); });
}

}  // namespace chat::cli
