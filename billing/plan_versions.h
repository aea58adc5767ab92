#pragma once
#include <optional>
#include <string>
#include <vector>

#include "billing/plans.h"

/// Plans over time: their versions, what differs between two, files of them as a whole, and which application was on which when.
namespace chat::billing {

/// One place in which two plans differ: "price_month", "features.polls", "limits.messages.included". JSON; none: it is not there.
struct Change {
  std::string field;
  std::optional<std::string> before, after;
};
/// In the order of their names.
std::vector<Change> differences(const json::Value& before, const json::Value& after);
void write_changes(json::Writer& out, const std::vector<Change>& changes);

/// Errors:  not_found: no such version
Plan get_plan_version(storage::Transaction& tx, const std::string& plan_id, std::int64_t version);
std::vector<Plan> list_plan_versions(storage::Transaction& tx, const std::string& plan_id);   // newest first

/// Brings plans to what a document of them says, all or none. `plans`: {"free": {…}, "pro": {…}}.
/// Errors:  invalid_field, unknown_field with every mistake of all plans, pointers below #/plans
struct Applied {
  std::string plan_id;
  std::string result;                        // created | changed | unchanged
  std::vector<Change> changes;
  std::optional<std::string> before;         // the plan as JSON; none: there was none
};
std::vector<Applied> apply_plans(storage::Transaction& tx, bus::Bus& bus, const json::Value& plans, bool is_dry_run, Timestamp now);

/// False: it was so already. Errors: not_found
bool archive_plan(storage::Transaction& tx, const std::string& plan_id, bool archived, Timestamp now);

struct PlanMove {
  std::string plan_id;
  std::int64_t version = 0;                  // 0: the last
  std::optional<bool> yearly;                // none: as before
};
/// Moves the transaction's application; it counts from this day (UTC) on.
/// Errors:  invalid_field: no such plan or version; not_found; conflict: archived, another currency
void move_application(storage::Transaction& tx, bus::Bus& bus, const PlanMove& wanted, Timestamp now);

/// Applications of a plan that are not on its last version, by their ids; at most `limit` after `after`.
struct Behind {
  AppId app;
  std::string name;
  std::int64_t version = 0;
};
std::vector<Behind> applications_behind(storage::Transaction& tx, const Plan& plan, const std::optional<AppId>& after, int limit);
std::string placed_json(storage::Transaction& tx);           // {"plan","version","yearly"} of the transaction's application
std::string plan_history_json(storage::Transaction& tx);     // the same with its moves, newest first
std::int64_t plan_version_of(storage::Transaction& tx);      // of the transaction's application

}  // namespace chat::billing
