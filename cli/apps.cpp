#include <map>
#include <memory>

#include "cli/files/files.h"
#include "cli/files/yaml.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const Sheet kRow{.columns = {{"NAME", "name"},
                             {"APP_ID", "app_id"},
                             {"PLAN", "plan"},
                             {"STATUS", "status", Look::state},
                             {"CREATED", "created_at", Look::time}},
                 .name = "app_id"};
const Sheet kDetail{.columns = {{"NAME", "name"},
                                {"APP_ID", "app_id"},
                                {"API_KEY", "api_key"},
                                {"PLAN", "plan"},
                                {"STATUS", "status", Look::state},
                                {"REASON", "status_reason"},
                                {"SETTINGS", "settings"},
                                {"LIMITS", "limits"},
                                {"CREATED", "created_at", Look::time},
                                {"UPDATED", "updated_at", Look::time}},
                    .name = "app_id",
                    .upright = true};
const Sheet kCreated{.columns = {{"NAME", "application.name"},
                                 {"APP_ID", "application.app_id"},
                                 {"API_KEY", "api_key"},
                                 {"PLAN", "application.plan"},
                                 {"SECRET_ID", "secret.secret_id"},
                                 {"SECRET", "secret.value"}},
                     .name = "application.app_id",
                     .upright = true};

struct Given {
  std::string app, name, plan, settings, reason, status, out_file;
  std::vector<std::string> limit;
  std::int64_t count = 0;
  bool clear_limits = false;
};

std::string member(const std::string& json, const std::string& path) {
  const auto document = json::Document::parse(json);
  const auto value = find_at(document.root(), path);
  return value ? value->raw() : "null";
}

std::string name_of(const std::string& application) {
  const auto document = json::Document::parse(application);
  return text_at(document.root(), "name");
}

std::string fetch(Session& session, const std::string& app) {
  return member(get(session.api(), session.app_path(app)), "application");
}

void create(Session& session, const Given& given) {
  session.check_secret_kept(given.out_file);
  json::Writer body;
  body.object().field("name", given.name).field("plan", given.plan);
  if (!given.settings.empty())
    body.key("settings")
        .raw(yaml_to_json(read_input(session.world(), given.settings), input_name(given.settings)));
  body.end();
  const auto answer = post(session.api(), "/operator/v1/applications", body.take());
  session.show_secret(answer, "secret.value", kCreated, given.out_file);
  session.note("application " + given.name + " created; its secret can't be shown again");
}

void list(Session& session, const Given& given) {
  std::vector<std::pair<std::string, std::string>> query;
  if (!given.status.empty()) query.emplace_back("status", given.status);
  const auto rows = list_all(session.api(), "/operator/v1/applications", "applications", query,
                             static_cast<std::size_t>(given.count));
  session.print(rows, kRow);
  if (rows == "[]") session.note("no applications; chatctl app create NAME --plan free makes one");
}

using Overrides = std::map<std::string, std::map<std::string, std::string>>;

/// "messages.hard=10" into the overrides; "messages.hard=" takes it out.
void apply_limit(Overrides& overrides, const std::string& assignment) {
  const auto equals = assignment.find('=');
  const auto dot = assignment.find('.');
  const auto value = equals == std::string::npos ? "" : assignment.substr(equals + 1);
  if (equals == std::string::npos || dot == std::string::npos || dot > equals || dot == 0 ||
      value.find_first_not_of("0123456789") != std::string::npos ||
      (value.size() > 1 && value.front() == '0'))
    throw Failure(Exit::usage, "--limit " + assignment + " is not METER.FIELD=NUMBER")
        .with_next("for example --limit messages.hard=100000; messages.hard= takes the override away");
  auto& fields = overrides[assignment.substr(0, dot)];
  const auto field = assignment.substr(dot + 1, equals - dot - 1);
  if (value.empty())
    fields.erase(field);
  else
    fields[field] = value;
  if (fields.empty()) overrides.erase(assignment.substr(0, dot));
}

std::string merged_limits(Session& session, const Given& given) {
  Overrides overrides;
  if (!given.clear_limits) {
    const auto document = json::Document::parse(fetch(session, given.app));
    if (const auto limits = find_at(document.root(), "limits"))
      for (const auto& [meter, fields] : limits->members())
        for (const auto& [field, value] : fields.members())
          overrides[std::string(meter)][std::string(field)] = value.raw();
  }
  for (const auto& assignment : given.limit) apply_limit(overrides, assignment);
  json::Writer out;
  out.object();
  for (const auto& [meter, fields] : overrides) {
    out.key(meter).object();
    for (const auto& [field, value] : fields) out.key(field).raw(value);
    out.end();
  }
  out.end();
  return out.take();
}

void update(Session& session, const Given& given) {
  const bool limits = given.clear_limits || !given.limit.empty();
  if (given.name.empty() && given.plan.empty() && given.settings.empty() && !limits)
    throw Failure(Exit::usage,
                  "nothing to change: give --name, --plan, --settings, --limit or --clear-limits");
  json::Writer body;
  body.object().key("set").object();
  if (!given.name.empty()) body.field("name", given.name);
  if (!given.plan.empty()) body.field("plan", given.plan);
  if (!given.settings.empty())
    body.key("settings")
        .raw(yaml_to_json(read_input(session.world(), given.settings), input_name(given.settings)));
  if (limits) body.key("limits").raw(merged_limits(session, given));
  body.end().end();
  const auto answer = member(patch(session.api(), session.app_path(given.app), body.take()), "application");
  session.done(answer, kDetail, "application " + name_of(answer) + " updated");
}

void suspend(Session& session, const Given& given) {
  session.confirm("Suspend " + given.app +
                  "? Its calls are refused and its connections closed until it is resumed.");
  json::Writer body;
  body.object().field("reason", given.reason).end();
  const auto answer =
      member(post(session.api(), session.app_path(given.app, "/suspend"), body.take()), "application");
  session.done(answer, kDetail, "application " + name_of(answer) + " suspended");
}

void resume(Session& session, const Given& given) {
  const auto answer =
      member(post(session.api(), session.app_path(given.app, "/resume"), "{}"), "application");
  session.done(answer, kDetail, "application " + name_of(answer) + " resumed");
}

/// Deletes by the id that was looked at, so that a name given to another application meanwhile can't be hit.
void remove(Session& session, const Given& given) {
  const auto application = fetch(session, given.app);
  const auto document = json::Document::parse(application);
  const auto name = text_at(document.root(), "name");
  const auto app_id = text_at(document.root(), "app_id");
  session.confirm_name("Delete application " + name + " (" + app_id +
                           ") with all its users, channels and messages? "
                           "This can't be undone.",
                       name);
  del(session.api(), session.app_path(app_id));
  session.note("application " + name + " deleted; its data is being purged");
}

void add_changes(Noun& noun, const std::shared_ptr<Given>& given) {
  noun.verb("update", "Change name, plan, settings or limits")
      .argument("APP", given->app, "app_id or exact name", Fill::application)
      .option("--name", "NAME", given->name, "The new name")
      .option("--plan", "PLAN", given->plan, "The plan to move it to", Fill::plan)
      .option("--settings", "FILE", given->settings, "All its settings, as YAML or JSON; - is stdin",
              Fill::file)
      .many("--limit", "M.F=N", given->limit,
            "Override one limit of the plan: messages.hard=100000; M.F= undoes it")
      .flag("--clear-limits", given->clear_limits, "Drop all overrides first")
      .example("app update acme --plan growth")
      .example("app update acme --limit messages.hard=100000 --limit connections.hard=500")
      .run([given](Session& session) { update(session, *given); });
  noun.verb("suspend", "Refuse an application's calls until it is resumed")
      .argument("APP", given->app, "app_id or exact name", Fill::application)
      .required_option("--reason", "TEXT", given->reason, "Why; kept with the application")
      .example("app suspend acme --reason \"invoice 2026-044 is overdue\"")
      .run([given](Session& session) { suspend(session, *given); });
  noun.verb("resume", "Let a suspended application work again")
      .argument("APP", given->app, "app_id or exact name", Fill::application)
      .example("app resume acme")
      .run([given](Session& session) { resume(session, *given); });
  noun.verb("delete", "Delete an application and all its data")
      .argument("APP", given->app, "app_id or exact name", Fill::application)
      .detail(
          "Severe: asks for the application's name; in scripts give it with --confirm. --yes is not enough.")
      .example("app delete acme --confirm acme")
      .run([given](Session& session) { remove(session, *given); });
}

}  // namespace

void add_apps(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("app", "Applications: the customers of this service");
  noun.alias("apps");
  noun.verb("create", "Create an application on a plan; prints its API key and first secret")
      .argument("NAME", given->name, "What to call it; apps may be named so instead of by app_id")
      .required_option("--plan", "PLAN", given->plan, "The plan it is on", Fill::plan)
      .option("--settings", "FILE", given->settings, "Its settings, as YAML or JSON; - is stdin", Fill::file)
      .option("--out-file", "FILE", given->out_file, "Write the secret there (0600) instead of printing it",
              Fill::file)
      .example("app create acme --plan free")
      .example("app create acme --plan free --out-file acme.secret")
      .run([given](Session& session) { create(session, *given); });
  noun.verb("show", "Show one application")
      .optional_argument("APP", given->app, "app_id or exact name; else --app or the context's",
                         Fill::application)
      .example("app show acme -o json")
      .run([given](Session& session) { session.print(fetch(session, session.app(given->app)), kDetail); });
  noun.verb("list", "List applications")
      .alias("ls")
      .word("--status", given->status, {"active", "suspended", "deleted"}, "Only those in this state")
      .number("--limit", given->count, 1, 1'000'000, "At most so many (default: all)")
      .example("app list --status suspended")
      .run([given](Session& session) { list(session, *given); });
  add_changes(noun, given);
}

}  // namespace chat::cli
