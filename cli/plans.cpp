#include <algorithm>
#include <memory>

#include "cli/files/files.h"
#include "cli/files/yaml.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
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
    .columns = {{"PLAN", "plan_id"}, {"RESULT", "result", Look::state}, {"CHANGES", "changes"}},
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

/// One text for equal values: members sorted, so that only content counts.
std::string canonical(const Value& value) {
  if (value.kind() == Kind::array) {
    std::string out = "[";
    for (const auto& item : value.items()) out += canonical(item) + ",";
    return out + "]";
  }
  if (value.kind() != Kind::object) return value.raw();
  auto members = value.members();
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string out = "{";
  for (const auto& [name, member] : members) out += std::string(name) + ":" + canonical(member) + ",";
  return out + "}";
}

bool is_own_member(std::string_view name) {
  return name == "plan_id" || name == "version" || name == "archived_at" || name == "created_at" || name == "updated_at";
}

bool says_nothing(const Value& value) {
  const auto raw = value.raw();
  return raw == "null" || raw == "{}" || raw == "[]" || raw == "0" || raw == "\"\"";
}

/// The members by which two plans differ, in order of their names; what is left out counts as empty.
std::vector<std::string> differences(const Value& wanted, const Value& held) {
  std::vector<std::string> out;
  for (const auto& [name, value] : wanted.members())
    if (!is_own_member(name)) {
      const auto other = held.find(name);
      if (other ? canonical(value) != canonical(*other) : !says_nothing(value)) out.emplace_back(name);
    }
  for (const auto& [name, value] : held.members())
    if (!is_own_member(name) && !wanted.find(name) && !says_nothing(value)) out.emplace_back(name);
  std::sort(out.begin(), out.end());
  return out;
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
};

/// `plans:` with a plan per id, a list of plans, or one plan that names its plan_id.
std::vector<Wanted> wanted_plans(const Value& root, const std::string& file) {
  std::vector<Wanted> out;
  const auto add = [&](const Value& plan) {
    const auto id = plan.kind() == Kind::object ? text_at(plan, "plan_id") : "";
    if (id.empty())
      throw Failure(Exit::failure, file + ": every plan needs a plan_id, or to stand under `plans:`");
    out.push_back({id, plan});
  };
  const auto plans = root.kind() == Kind::object ? root.find("plans") : std::nullopt;
  if (plans && plans->kind() == Kind::object) {
    for (const auto& [id, plan] : plans->members()) {
      if (plan.kind() != Kind::object)
        throw Failure(Exit::failure, file + ": plans." + std::string(id) + " must be a mapping");
      out.push_back({std::string(id), plan});
    }
  } else if (plans && plans->kind() == Kind::array) {
    for (const auto& plan : plans->items()) add(plan);
  } else {
    add(root);
  }
  return out;
}

std::optional<std::string> find_plan(Session& session, const std::string& plan_id) {
  const ApiRequest request{.path = plan_path(plan_id)};
  auto answer = session.api().send(request);
  if (answer.status == 404) return std::nullopt;
  if (answer.status != 200) return call(session.api(), request);  // says what is wrong
  return std::move(answer.body);
}

struct Result {
  std::string plan_id, result, changes;
};

Result apply_one(Session& session, const Wanted& wanted, bool dry_run) {
  const auto held = find_plan(session, wanted.plan_id);
  std::string changes;
  if (held) {
    const auto document = json::Document::parse(*held);
    for (const auto& name :
         differences(wanted.document, find_at(document.root(), "plan").value_or(document.root())))
      changes += (changes.empty() ? "" : ",") + name;
    if (changes.empty()) return {wanted.plan_id, "unchanged", ""};
  }
  if (!dry_run) put(session.api(), plan_path(wanted.plan_id), body_of(wanted.document));
  return {wanted.plan_id, std::string(dry_run ? "would be " : "") + (held ? "updated" : "created"), changes};
}

void print_results(Session& session, const std::vector<Result>& results) {
  json::Writer out;
  out.array();
  for (const auto& result : results) {
    out.object().field("plan_id", result.plan_id).field("result", result.result);
    if (!result.changes.empty()) out.field("changes", result.changes);
    out.end();
  }
  out.end();
  session.print(out.take(), kApplied);
}

void apply(Session& session, const Given& given) {
  const auto name = input_name(given.file);
  const auto document = json::Document::parse(yaml_to_json(read_input(session.world(), given.file), name));
  const auto plans = wanted_plans(document.root(), name);
  std::vector<Result> results;
  std::optional<Failure> failure;
  std::size_t refused = 0;
  for (const auto& plan : plans) {
    try {
      results.push_back(apply_one(session, plan, given.dry_run));
    } catch (const Failure& why) {
      if (why.exit() == Exit::unavailable || why.exit() == Exit::denied)
        throw;  // the next one would fail alike
      ++refused;
      results.push_back({plan.plan_id, "refused", why.message()});
      if (!failure) failure = why;
      if (plans.size() > 1)
        for (const auto& detail : why.details()) session.warn(plan.plan_id + ": " + detail);
    }
  }
  print_results(session, results);
  if (refused == 0) return;
  if (plans.size() == 1) throw *failure;
  throw Failure(refused == plans.size() ? failure->exit() : Exit::partial,
                std::to_string(refused) + " of " + std::to_string(plans.size()) + " plans refused");
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
          "Plans that the file does not name stay as they are.")
      .required_option("-f,--file", "FILE", given->file, "YAML or JSON; - is stdin", Fill::file)
      .flag("--dry-run", given->dry_run, "Only say what would change")
      .example("plan apply -f ops/config/plans.yaml --dry-run")
      .run([given](Session& session) { apply(session, *given); });
  noun.verb("delete", "Delete a plan that no application is on")
      .argument("PLAN", given->plan, "plan_id", Fill::plan)
      .example("plan delete trial-2025 --yes")
      .run([given](Session& session) { remove(session, *given); });
}

}  // namespace chat::cli
