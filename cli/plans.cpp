#include <algorithm>
#include <memory>

#include "cli/files/files.h"
#include "cli/files/yaml.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/plans.h"
#include "cli/remote/problem.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

using json::Kind;
using json::Value;

const Sheet kRow{.columns = {{"PLAN", "plan_id"},
                             {"NAME", "name"},
                             {"CURRENCY", "currency"},
                             {"PRICE_MONTH", "price_month", Look::number},
                             {"PRICE_YEAR", "price_year", Look::number},
                             {"UPDATED", "updated_at", Look::time}},
                 .name = "plan_id"};
const Sheet kDetail{.columns = {{"PLAN", "plan_id"},
                                {"NAME", "name"},
                                {"CURRENCY", "currency"},
                                {"PRICE_MONTH", "price_month"},
                                {"PRICE_YEAR", "price_year"},
                                {"FEATURES", "features"},
                                {"VERSION", "version", Look::number},
                                {"ARCHIVED", "archived_at", Look::time},
                                {"CREATED", "created_at", Look::time},
                                {"UPDATED", "updated_at", Look::time}},
                    .name = "plan_id",
                    .upright = true};
const Sheet kLimits{.columns = {{"METER", "meter"},
                                {"WINDOW", "window"},
                                {"INCLUDED", "included", Look::number},
                                {"HARD", "hard", Look::number},
                                {"BURST", "burst", Look::number},
                                {"ACTION", "action"},
                                {"OVERAGE_PRICE", "overage_price", Look::number}},
                    .name = "meter",
                    .rows = "limits"};
const Sheet kApplied{
    .columns = {{"PLAN", "plan_id"}, {"RESULT", "result", Look::state}, {"CHANGES", "said"}},
    .name = "plan_id"};

struct Given {
  std::string plan, file;
  bool dry_run = false;
};

std::string plan_path(const std::string& plan) { return "/operator/v1/plans/" + text::percent_encode(plan); }

void list(Session& session) {
  const auto document = json::Document::parse(get(session.api(), "/operator/v1/plans"));
  const auto plans = find_at(document.root(), "plans");
  session.print(plans ? plans->raw() : "[]", kRow);
}

void show(Session& session, const Given& given) {
  const auto document = json::Document::parse(get(session.api(), plan_path(given.plan)));
  const auto plan = find_at(document.root(), "plan").value_or(document.root());
  const bool by_limits = session.format() == Format::csv;
  session.print(plan.raw(), by_limits ? kLimits : kDetail);
  if (session.format() != Format::table) return;
  session.print_text("\n");
  session.print(plan.raw(), kLimits);
}

bool is_own_member(std::string_view name) {
  return name == "plan_id" || name == "created_at" || name == "updated_at" || name == "version" || name == "archived_at";
}

std::string body_of(const Value& plan) {
  json::Writer out;
  out.object();
  for (const auto& [name, value] : plan.members())
    if (!is_own_member(name)) out.key(name).raw(value.raw());
  out.end();
  return out.take();
}

struct Wanted {
  std::string plan_id;
  Value document;
  std::string pointer;  // where it stands in the file: "#/plans/free"
};

/// `plans:` with a plan per id, a list of plans, or one plan that names its plan_id.
std::vector<Wanted> wanted_plans(const Value& root, const std::string& file) {
  std::vector<Wanted> out;
  const auto add = [&](const Value& plan, const std::string& pointer) {
    const auto id = plan.kind() == Kind::object ? text_at(plan, "plan_id") : "";
    if (id.empty())
      throw Failure(Exit::failure, file + ": every plan needs a plan_id, or to stand under `plans:`");
    out.push_back({id, plan, pointer});
  };
  const auto plans = root.kind() == Kind::object ? root.find("plans") : std::nullopt;
  if (plans && plans->kind() == Kind::object) {
    for (const auto& [id, plan] : plans->members()) {
      if (plan.kind() != Kind::object)
        throw Failure(Exit::failure, file + ": plans." + std::string(id) + " must be a mapping");
      out.push_back({std::string(id), plan, "#/plans/" + std::string(id)});
    }
  } else if (plans && plans->kind() == Kind::array) {
    for (const auto& plan : plans->items()) add(plan, "#/plans/" + std::to_string(out.size()));
  } else {
    add(root, "#");
  }
  return out;
}

std::string apply_body(const std::vector<Wanted>& plans, bool dry_run) {
  json::Writer out;
  out.object().key("dry_run").boolean(dry_run).key("plans").object();
  for (const auto& plan : plans) out.key(plan.plan_id).raw(body_of(plan.document));
  out.end().end();
  return out.take();
}

/// Every mistake with the line that it stands in. Nothing was changed.
Failure failure_in_file(const ApiAnswer& answer, const std::vector<Wanted>& plans, const std::string& text,
                        const std::string& name) {
  Failure failure(Exit::failure, name + ": the plans have mistakes; none was changed");
  const auto problem = json::Document::parse(answer.body);
  const auto errors = find_at(problem.root(), "errors");
  if (!errors || errors->kind() != Kind::array) return failure.with_detail(text_at(problem.root(), "detail"));
  for (const auto& error : errors->items()) {
    const auto pointer = text_at(error, "pointer");
    std::string place = name;
    for (const auto& plan : plans) {
      const auto at = "#/plans/" + plan.plan_id;
      if (pointer != at && !pointer.starts_with(at + "/")) continue;
      const auto within = pointer.substr(std::min(pointer.size(), at.size() + 1));
      place += ":" + std::to_string(yaml_line(text, plan.pointer + (within.empty() ? "" : "/" + within))) + ": " +
               plan.plan_id + (within.empty() ? "" : "/" + within);
    }
    failure.with_detail((place == name ? pointer : place) + ": " + text_at(error, "detail"));
  }
  return failure;
}

/// price_month: 4900 -> 490
std::string said_of(const json::Value& changes) {
  std::string said;
  const auto value = [](const json::Value& change, const char* when) {
    const auto found = change.find(when);
    return found ? found->raw() : "none";
  };
  for (const auto& change : changes.items())
    said += (said.empty() ? "" : ", ") + text_at(change, "field") + ": " + value(change, "before") + " -> " + value(change, "after");
  return said;
}

void print_applied(Session& session, const std::string& body, bool dry_run) {
  const auto answer = json::Document::parse(body);
  json::Writer out;
  out.array();
  const auto plans = find_at(answer.root(), "plans");
  if (!plans) throw Failure(Exit::failure, "the server's answer names no plans");
  for (const auto& plan : plans->items()) {
    const auto result = text_at(plan, "result");
    const auto changes = result == "changed" ? find_at(plan, "changes") : std::nullopt;
    out.object().field("plan_id", text_at(plan, "plan_id"));
    out.field("result", dry_run && result != "unchanged" ? "would be " + result : result);
    if (changes) out.field("said", said_of(*changes)).key("changes").raw(changes->raw());
    out.end();
  }
  out.end();
  session.print(out.take(), kApplied);
}

void apply(Session& session, const Given& given) {
  const auto name = input_name(given.file);
  const auto text = read_input(session.world(), given.file);
  const auto document = json::Document::parse(yaml_to_json(text, name));
  const auto plans = wanted_plans(document.root(), name);
  const ApiRequest request{.method = "POST", .path = "/operator/v1/plans/apply", .body = apply_body(plans, given.dry_run)};
  const auto answer = session.api().send(request);
  if (answer.status == 400) throw failure_in_file(answer, plans, text, name);
  if (answer.status != 200) throw failure_of(request, answer);
  print_applied(session, answer.body, given.dry_run);
}

void remove(Session& session, const Given& given) {
  session.confirm("Delete plan " + given.plan + "?");
  del(session.api(), plan_path(given.plan));
  session.note("plan " + given.plan + " deleted");
}

}  // namespace

void add_plans(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("plan", "Plans: prices, features and limits that applications are on");
  noun.alias("plans");
  noun.verb("list", "List plans").alias("ls").example("plan list").run([](Session& session) {
    list(session);
  });
  noun.verb("show", "Show one plan with its limits")
      .argument("PLAN", given->plan, "plan_id", Fill::plan)
      .example("plan show free -o yaml")
      .run([given](Session& session) { show(session, *given); });
  noun.verb("apply", "Create or change plans so that they are as in a file")
      .detail(
          "The file holds `plans:` with a plan per id, as ops/config/plans.yaml does, or one plan with its "
          "plan_id. "
          "Plans that the file does not name stay as they are. A file with mistakes changes nothing; all of them are "
          "named with their lines. A changed plan gets a new version; applications stay on theirs until they are moved.")
      .required_option("-f,--file", "FILE", given->file, "YAML or JSON; - is stdin", Fill::file)
      .flag("--dry-run", given->dry_run, "Only say what would change")
      .example("plan apply -f ops/config/plans.yaml --dry-run")
      .run([given](Session& session) { apply(session, *given); });
  add_plan_versions(noun);
  noun.verb("delete", "Delete a plan that no application is on")
      .argument("PLAN", given->plan, "plan_id", Fill::plan)
      .example("plan delete trial-2025 --yes")
      .run([given](Session& session) { remove(session, *given); });
}

}  // namespace chat::cli
