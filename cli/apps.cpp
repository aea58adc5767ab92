#include <map>
#include <memory>

#include "cli/apps.h"
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
struct Given {
  std::string app, name, plan, settings, status, organisation, out_file;
  std::vector<std::string> limit, unset;
  Belonging belonging;
  std::int64_t count = 0;
  bool clear_limits = false;
};

void create(Session& session, const Given& given) {
  session.check_secret_kept(given.out_file);
  json::Writer body;
  body.object().field("name", given.name).field("plan", given.plan);
  if (!given.settings.empty())
    body.key("settings")
        .raw(yaml_to_json(read_input(session.world(), given.settings), input_name(given.settings)));
  write_belonging(body, given.belonging);
  body.end();
  const auto answer = post(session.api(), "/operator/v1/applications", body.take());
  session.show_secret(answer, "secret.value", new_application_sheet(), given.out_file);
  session.note("application " + given.name + " created; its secret can't be shown again");
}

void list(Session& session, const Given& given) {
  std::vector<std::pair<std::string, std::string>> query;
  if (!given.status.empty()) query.emplace_back("status", given.status);
  if (!given.organisation.empty()) query.emplace_back("organisation", given.organisation);
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

/// `read_at`: when what they were merged with was last changed.
std::string merged_limits(Session& session, const Given& given, std::string& read_at) {
  Overrides overrides;
  if (!given.clear_limits) {
    const auto document = json::Document::parse(fetch_application(session, given.app));
    read_at = text_at(document.root(), "updated_at");
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
  if (given.name.empty() && given.plan.empty() && given.settings.empty() && !limits && given.belonging.empty() && given.unset.empty())
    throw Failure(Exit::usage,
                  "nothing to change: give --name, --plan, --settings, --limit, --organisation, --unset or another flag");
  json::Writer body;
  std::string read_at;
  body.object().key("set").object();
  if (!given.name.empty()) body.field("name", given.name);
  if (!given.plan.empty()) body.field("plan", given.plan);
  if (!given.settings.empty())
    body.key("settings")
        .raw(yaml_to_json(read_input(session.world(), given.settings), input_name(given.settings)));
  if (limits) body.key("limits").raw(merged_limits(session, given, read_at));
  write_belonging(body, given.belonging);
  body.end();
  if (!given.unset.empty()) {
    body.key("unset").array();
    for (const auto& name : given.unset) body.text(name);
    body.end();
  }
  if (!read_at.empty()) body.field("if_updated_at", read_at);
  body.end();
  const auto answer = member_of(patch(session.api(), session.app_path(given.app), body.take()), "application");
  session.done(answer, application_sheet(), "application " + name_of_application(answer) + " updated");
}

void add_update(Noun& noun, const std::shared_ptr<Given>& given) {
  auto verb = noun.verb("update", "Change name, plan, limits, all settings, or where it belongs");
  verb.argument("APP", given->app, "app_id or exact name", Fill::application)
      .option("--name", "NAME", given->name, "The new name")
      .option("--plan", "PLAN", given->plan, "The plan to move it to", Fill::plan)
      .option("--settings", "FILE", given->settings, "All its settings, as YAML or JSON; - is stdin",
              Fill::file)
      .many("--limit", "M.F=N", given->limit,
            "Override one limit of the plan: messages.hard=100000; M.F= undoes it")
      .flag("--clear-limits", given->clear_limits, "Drop all overrides first");
  add_belonging(verb, given->belonging);
  verb.many("--unset", "NAME", given->unset, "Take away: organisation, environment, region, placement, contacts")
      .example("app update acme --plan growth")
      .example("app update acme --limit messages.hard=100000 --limit connections.hard=500")
      .example("app update acme --organisation Acme --environment production --contact \"Ada <ada@acme.example> billing\"")
      .run([given](Session& session) { update(session, *given); });
}

/// "Ada <ada@acme.example> billing", or an address alone.
void write_contact(json::Writer& out, std::string_view contact) {
  const auto open = contact.find('<');
  const auto close = contact.find('>');
  out.object();
  if (open == std::string::npos || close == std::string::npos || close < open) {
    out.field("email", text::trim(contact)).end();
    return;
  }
  if (const auto name = text::trim(contact.substr(0, open)); !name.empty()) out.field("name", name);
  out.field("email", text::trim(contact.substr(open + 1, close - open - 1)));
  if (const auto role = text::trim(contact.substr(close + 1)); !role.empty()) out.field("role", role);
  out.end();
}

}  // namespace

const Sheet& application_sheet() {
  static const Sheet sheet{.columns = {{"NAME", "name"},
                                       {"APP_ID", "app_id"},
                                       {"API_KEY", "api_key"},
                                       {"PLAN", "plan"},
                                       {"STATUS", "status", Look::state},
                                       {"REASON", "status_reason"},
                                       {"DELETE_AFTER", "delete_after", Look::time},
                                       {"ORGANISATION", "organisation"},
                                       {"ENVIRONMENT", "environment"},
                                       {"REGION", "region"},
                                       {"PLACEMENT", "placement"},
                                       {"CONTACTS", "contacts"},
                                       {"SETTINGS", "settings"},
                                       {"LIMITS", "limits"},
                                       {"CREATED", "created_at", Look::time},
                                       {"UPDATED", "updated_at", Look::time}},
                           .name = "app_id",
                           .upright = true};
  return sheet;
}

const Sheet& new_application_sheet() {
  static const Sheet sheet{.columns = {{"NAME", "application.name"},
                                       {"APP_ID", "application.app_id"},
                                       {"API_KEY", "api_key"},
                                       {"PLAN", "application.plan"},
                                       {"SECRET_ID", "secret.secret_id"},
                                       {"SECRET", "secret.value"}},
                           .name = "application.app_id",
                           .upright = true};
  return sheet;
}

std::string member_of(const std::string& json, const std::string& path) {
  const auto document = json::Document::parse(json);
  const auto value = find_at(document.root(), path);
  return value ? value->raw() : "null";
}

std::string name_of_application(const std::string& application) {
  const auto document = json::Document::parse(application);
  return text_at(document.root(), "name");
}

std::string fetch_application(Session& session, const std::string& app) {
  return member_of(get(session.api(), session.app_path(app)), "application");
}

bool Belonging::empty() const {
  return organisation.empty() && environment.empty() && region.empty() && labels.empty() && contacts.empty();
}

void add_belonging(Verb& verb, Belonging& into) {
  verb.option("--organisation", "NAME", into.organisation, "The customer; its environments share it")
      .option("--environment", "WORD", into.environment, "development, production, or another word")
      .option("--region", "WORD", into.region, "Where it is served")
      .many("--label", "NAME=TEXT", into.labels, "Labels of your own for its placement; all of them")
      .many("--contact", "CONTACT", into.contacts, "Whom to write to: \"Ada <ada@acme.example> billing\"; all of them");
}

void write_belonging(json::Writer& out, const Belonging& belonging) {
  if (!belonging.organisation.empty()) out.field("organisation", belonging.organisation);
  if (!belonging.environment.empty()) out.field("environment", belonging.environment);
  if (!belonging.region.empty()) out.field("region", belonging.region);
  if (!belonging.labels.empty()) {
    out.key("placement").object();
    for (const auto& label : belonging.labels) {
      const auto equals = label.find('=');
      if (equals == std::string::npos || equals == 0)
        throw Failure(Exit::usage, "--label " + label + " is not NAME=TEXT").with_next("for example --label cluster=eu-1");
      out.field(label.substr(0, equals), label.substr(equals + 1));
    }
    out.end();
  }
  if (belonging.contacts.empty()) return;
  out.key("contacts").array();
  for (const auto& contact : belonging.contacts) write_contact(out, contact);
  out.end();
}

void add_apps(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("app", "Applications: the customers of this service");
  noun.alias("apps");
  auto create_verb = noun.verb("create", "Create an application on a plan; prints its API key and first secret");
  create_verb.argument("NAME", given->name, "What to call it; apps may be named so instead of by app_id")
      .required_option("--plan", "PLAN", given->plan, "The plan it is on", Fill::plan)
      .option("--settings", "FILE", given->settings, "Its settings, as YAML or JSON; - is stdin", Fill::file);
  add_belonging(create_verb, given->belonging);
  create_verb.option("--out-file", "FILE", given->out_file, "Write the secret there (0600) instead of printing it",
              Fill::file)
      .example("app create acme --plan free")
      .example("app create acme --plan free --organisation Acme --environment production --out-file acme.secret")
      .run([given](Session& session) { create(session, *given); });
  noun.verb("show", "Show one application")
      .optional_argument("APP", given->app, "app_id or exact name; else --app or the context's",
                         Fill::application)
      .watchable()
      .example("app show acme -o json")
      .run([given](Session& session) {
        session.print(fetch_application(session, session.app(given->app)), application_sheet());
      });
  noun.verb("list", "List applications")
      .alias("ls")
      .word("--status", given->status, {"active", "suspended", "deleting", "deleted"}, "Only those in this state")
      .option("--organisation", "NAME", given->organisation, "Only those of this customer")
      .number("--limit", given->count, 1, 1'000'000, "At most so many (default: all)")
      .watchable()
      .example("app list --status suspended")
      .example("app list --organisation Acme")
      .run([given](Session& session) { list(session, *given); });
  add_update(noun, given);
  add_application_life(noun);
  add_application_transfers(noun);
}

}  // namespace chat::cli
