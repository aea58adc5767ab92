#pragma once
#include <map>
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

/// Shape:   {"plan_id","name","currency","price_month","price_year","trial_days","features":{},"limits":[…]}; prices in minor units
struct Plan {
  std::string plan_id;
  std::string document;                      // JSON without plan_id and times
  Timestamp created_at;
  Timestamp updated_at;
  std::int64_t version = 1;                  // grows with each change; an application stays on the one it came to
  std::optional<Timestamp> archived_at = {}; // then no application comes to it any more
};

/// A decimal number of minor units ("0.005": six digits, twelve behind the point) in 10^-12 of one; none: it is no price.
std::optional<std::int64_t> parse_price(std::string_view text);
bool is_plan_id(std::string_view id);

/// Checks a plan's document and returns it minified. All mistakes at once.
/// Errors:  invalid_field, unknown_field with pointers below `pointer`
std::string check_plan(const json::Value& document, const std::string& pointer);

/// Errors:  not_found
Plan get_plan(storage::Transaction& tx, const std::string& plan_id);
std::vector<Plan> list_plans(storage::Transaction& tx);     // by plan_id; at most 1,000
/// Creates it, or a new version of it; the applications on it stay where they are. False: it was the same already.
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

/// Every version of every plan in memory; reloaded when one changes.
class PlanBook {
 public:
  void load(storage::Connection& connection);
  /// The document of a version; of the last one where this node has not heard of it yet, or for 0. Null: no such plan.
  [[nodiscard]] std::shared_ptr<const json::Document> find(const std::string& plan_id, std::int64_t version = 0) const;
  [[nodiscard]] std::uint64_t version() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::map<std::int64_t, std::shared_ptr<const json::Document>>> documents_;
  std::uint64_t version_ = 0;
};

}  // namespace chat::billing
