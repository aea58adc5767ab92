#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "billing/limits.h"
#include "platform/bus/feed.h"
#include "platform/storage/pool.h"

/// Plans are data: documents that the operator writes, by file or API. Shared by all applications.
namespace chat::billing {

/// Shape:   {"plan_id","name","currency","price_month","price_year","features":{},"limits":[…]}; prices in minor units
struct Plan {
  std::string plan_id;
  std::string document;                      // JSON without plan_id and times
  Timestamp created_at;
  Timestamp updated_at;
};

/// Checks a plan's document and returns it minified. All mistakes at once.
/// Errors:  invalid_field, unknown_field with pointers below `pointer`
std::string check_plan(const json::Value& document, const std::string& pointer);

/// Errors:  not_found
Plan get_plan(storage::Transaction& tx, const std::string& plan_id);
std::vector<Plan> list_plans(storage::Transaction& tx);     // by plan_id; at most 1,000
/// Creates or replaces; the applications on it feel the change at once. False: it was the same already.
bool put_plan(storage::Transaction& tx, bus::Bus& bus, const std::string& plan_id, const std::string& document, Timestamp now);
/// Errors:  not_found; conflict (applications are on it)
void delete_plan(storage::Transaction& tx, bus::Bus& bus, const std::string& plan_id);
std::string plan_json(const Plan& plan);

/// The plans of a YAML file: {plans: {free: {name: …, limits: […]}}}.
/// Errors:  invalid_field with every mistake as file:line
struct FilePlan {
  std::string plan_id;
  std::string document;
};
std::vector<FilePlan> read_plan_file(const std::string& path);

/// Every plan's limits in memory; reloaded when one changes.
class PlanBook {
 public:
  void load(storage::Connection& connection);
  /// The plan's document; null: no such plan.
  [[nodiscard]] std::shared_ptr<const json::Document> find(const std::string& plan_id) const;
  [[nodiscard]] std::uint64_t version() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const json::Document>> documents_;
  std::uint64_t version_ = 0;
};

}  // namespace chat::billing
