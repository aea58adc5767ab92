#include "billing/plan_versions.h"

#include <map>

#include "billing/plans.sql.h"
#include "platform/base/error.h"
#include "tenants/directory.h"

namespace chat::billing {
namespace {

using Flat = std::map<std::string, std::string>;

/// A plan's members by their paths; a limit stands under its meter, whatever its place in the list.
Flat flatten(const json::Value& plan) {
  Flat flat;
  for (const auto& [name, value] : plan.members()) {
    const std::string path(name);
    if (name == "features") {
      for (const auto& [feature, on] : value.members()) flat[path + "." + std::string(feature)] = on.raw();
    } else if (name == "limits") {
      for (const auto& limit : value.items())
        for (const auto& [part, number] : limit.members())
          if (part != "meter") flat[path + "." + std::string(limit.find("meter")->text()) + "." + std::string(part)] = number.raw();
    } else {
      flat[path] = value.raw();
    }
  }
  return flat;
}

std::vector<FieldError> mistakes_of(const json::Value& plan, const std::string& plan_id) {
  const auto at = "#/plans/" + plan_id;
  try {
    if (!is_plan_id(plan_id)) throw invalid_field(at, "A plan's id is 1-64 of a-z 0-9 _ -");
    check_plan(plan, at);
    return {};
  } catch (const Error& error) {
    return error.fields();
  }
}

void write_place(json::Writer& out, storage::Transaction& tx) {
  const auto held = tx.find(sql::plan_of_application, tx.app());
  if (!held) throw not_found("application");
  const auto row = (*held)[0];
  out.object().field("plan", row.text(0)).field("version", row.integer(1)).key("yearly").boolean(row.boolean(2));
}

}  // namespace

std::vector<Change> differences(const json::Value& before, const json::Value& after) {
  const auto old_ones = flatten(before), new_ones = flatten(after);
  std::map<std::string, Change> changes;
  for (const auto& [field, value] : old_ones)
    if (const auto found = new_ones.find(field); found == new_ones.end()) changes[field] = {field, value, std::nullopt};
    else if (found->second != value) changes[field] = {field, value, found->second};
  for (const auto& [field, value] : new_ones)
    if (!old_ones.contains(field)) changes[field] = {field, std::nullopt, value};
  std::vector<Change> listed;
  for (auto& [field, change] : changes) listed.push_back(std::move(change));
  return listed;
}

void write_changes(json::Writer& out, const std::vector<Change>& changes) {
  out.key("changes").array();
  for (const auto& change : changes) {
    out.object().field("field", change.field);
    if (change.before) out.key("before").raw(*change.before);
    if (change.after) out.key("after").raw(*change.after);
    out.end();
  }
  out.end();
}

Plan get_plan_version(storage::Transaction& tx, const std::string& plan_id, std::int64_t version) {
  auto rows = tx.find(sql::get_version, plan_id, version);
  if (!rows) throw not_found("version of this plan");
  auto row = (*rows)[0];
  return {plan_id, std::string(row.text(1)), row.time(2), row.time(3), row.integer(4), std::nullopt};
}

std::vector<Plan> list_plan_versions(storage::Transaction& tx, const std::string& plan_id) {
  std::vector<Plan> versions;
  auto rows = tx.query(sql::list_versions, plan_id);
  for (auto row : rows) versions.push_back({plan_id, std::string(row.text(1)), row.time(2), row.time(2), row.integer(0), std::nullopt});
  if (versions.empty()) throw not_found("plan");
  return versions;
}

std::vector<Applied> apply_plans(storage::Transaction& tx, bus::Bus& bus, const json::Value& plans, bool is_dry_run, Timestamp now) {
  std::vector<FieldError> mistakes;
  for (const auto& [name, plan] : plans.members())
    for (auto& mistake : mistakes_of(plan, std::string(name))) mistakes.push_back(std::move(mistake));
  if (!mistakes.empty()) throw Error(Code::invalid_field, "The plans have mistakes; none was changed.", std::move(mistakes));
  std::vector<Applied> applied;
  for (const auto& [name, plan] : plans.members()) {
    Applied one{std::string(name), "created", {}, std::nullopt};
    const auto held = tx.find(sql::get_plan, one.plan_id);
    const auto before = json::Document::parse(held ? (*held)[0].text(1) : "{}");
    if (held) one.before = plan_json(get_plan(tx, one.plan_id));
    if (held) one.result = (*tx.find(sql::would_change, one.plan_id, plan.raw()))[0].boolean(0) ? "unchanged" : "changed";
    if (one.result != "unchanged") one.changes = differences(before.root(), plan);
    if (one.result != "unchanged" && !is_dry_run) put_plan(tx, bus, one.plan_id, plan.raw(), now);
    applied.push_back(std::move(one));
  }
  return applied;
}

bool archive_plan(storage::Transaction& tx, const std::string& plan_id, bool archived, Timestamp now) {
  if (get_plan(tx, plan_id).archived_at.has_value() == archived) return false;
  tx.run(sql::archive_plan, plan_id, archived ? std::optional(now) : std::nullopt);
  return true;
}

void move_application(storage::Transaction& tx, bus::Bus& bus, const PlanMove& wanted, Timestamp now) {
  if (!tx.find(sql::plan_of_application, tx.app())) throw not_found("application");
  const auto last = tx.find(sql::get_plan, wanted.plan_id);
  if (!last) throw invalid_field("#/plan", "No such plan: " + wanted.plan_id + ". See `chatctl plan list`.");
  const auto version = wanted.version == 0 ? (*last)[0].integer(4) : wanted.version;
  if (!tx.find(sql::get_version, wanted.plan_id, version))
    throw invalid_field("#/version", "This plan has no version " + std::to_string(version) + ".");
  if (!tx.find(sql::move_application, tx.app(), wanted.plan_id, version, wanted.yearly, now)) throw not_found("application");
  tenants::announce_change(tx, bus, tx.app());
}

std::vector<Behind> applications_behind(storage::Transaction& tx, const Plan& plan, const std::optional<AppId>& after, int limit) {
  std::vector<Behind> behind;
  const auto after_uuid = after ? std::optional(after->text()) : std::nullopt;
  auto rows = tx.query(sql::applications_behind, plan.plan_id, plan.version, after_uuid, limit);
  for (auto row : rows) behind.push_back({AppId{row.uuid(0)}, std::string(row.text(1)), row.integer(2)});
  return behind;
}

std::string placed_json(storage::Transaction& tx) {
  json::Writer out;
  write_place(out, tx);
  out.end();
  return out.take();
}

std::string plan_history_json(storage::Transaction& tx) {
  json::Writer out;
  write_place(out, tx);
  out.key("history").array();
  auto rows = tx.query(sql::list_moves, tx.app());
  for (auto move : rows)
    out.object().key("moved_at").time(move.time(0)).field("plan", move.text(1)).field("version", move.integer(2)).key("yearly").boolean(move.boolean(3)).end();
  out.end().end();
  return out.take();
}

std::int64_t plan_version_of(storage::Transaction& tx) {
  const auto held = tx.find(sql::plan_of_application, tx.app());
  return held ? (*held)[0].integer(1) : 0;
}

}  // namespace chat::billing
