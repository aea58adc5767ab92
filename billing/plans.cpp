#include "billing/plans.h"

#include <algorithm>

#include "billing/plans.sql.h"
#include "platform/base/error.h"
#include "platform/base/yaml.h"

namespace chat::billing {
namespace {

constexpr std::int64_t kMaxCount = 1'000'000'000'000'000;
const std::vector<std::string> kActionWords{"notify", "overage", "throttle", "block"};

bool is_plan_id(std::string_view id) {
  auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), allowed);
}

bool is_price(std::string_view text) {
  auto dot = text.find('.');
  std::string digits(text);
  if (dot != std::string_view::npos) digits.erase(dot, 1);
  return !digits.empty() && digits.size() <= 24 && digits.find_first_not_of("0123456789") == std::string::npos && dot != 0;
}

void check_limit(json::Fields& plan, const json::Value& value, const std::string& pointer) {
  json::Fields limit(value, pointer);
  auto name = limit.text("meter", {.min_bytes = 1});
  auto meter = parse_meter(name);
  if (!name.empty() && !meter) limit.mistake("meter", "Unknown meter: " + name + ".");
  auto window = limit.find_text("window");
  if (meter && window && *window != window_of(*meter))
    limit.mistake("window", "The window of " + name + " is " + std::string(window_of(*meter)) + ".");
  auto included = limit.find_integer("included", {0, kMaxCount});
  auto hard = limit.find_integer("hard", {0, kMaxCount});
  if (included && hard && *hard < *included) limit.mistake("hard", "Must not be below included.");
  limit.find_integer("burst", {1, kMaxCount});
  limit.find_word("action", kActionWords);
  auto price = limit.find_text("overage_price", {.min_bytes = 1, .max_bytes = 25});
  if (price && !is_price(*price)) limit.mistake("overage_price", "Must be a decimal number of minor units, as text.");
  limit.check_unknown();
  plan.absorb(limit);
}

json::Value required_object(const json::Value& value, const std::string& pointer) {
  if (value.kind() != json::Kind::object) throw invalid_field(pointer, "Must be an object.");
  return value;
}

}  // namespace

std::string check_plan(const json::Value& document, const std::string& pointer) {
  json::Fields plan(required_object(document, pointer), pointer);
  plan.text("name", {.min_bytes = 1});
  auto currency = plan.find_text("currency", {.min_bytes = 3, .max_bytes = 3});
  plan.find_integer("price_month", {0, kMaxCount});
  plan.find_integer("price_year", {0, kMaxCount});
  auto features = plan.find_object("features");
  if (features)
    for (const auto& [name, on] : features->members())
      if (on.kind() != json::Kind::boolean) plan.mistake_at("features/" + std::string(name), "Must be true or false.");
  auto limits = plan.find_array("limits", 100);
  if (limits)
    for (std::size_t i = 0; i < limits->size(); ++i)
      check_limit(plan, (*limits)[i], pointer + "/limits/" + std::to_string(i));
  plan.finish();
  return document.raw();
}

Plan get_plan(storage::Transaction& tx, const std::string& plan_id) {
  auto rows = tx.find(sql::get_plan, plan_id);
  if (!rows) throw not_found("plan");
  auto row = (*rows)[0];
  return {plan_id, std::string(row.text(1)), row.time(2), row.time(3)};
}

std::vector<Plan> list_plans(storage::Transaction& tx) {
  std::vector<Plan> plans;
  auto rows = tx.query(sql::list_plans);
  for (auto row : rows) plans.push_back({std::string(row.text(0)), std::string(row.text(1)), row.time(2), row.time(3)});
  return plans;
}

bool put_plan(storage::Transaction& tx, bus::Bus& bus, const std::string& plan_id, const std::string& document, Timestamp now) {
  if (!is_plan_id(plan_id)) throw invalid_field("path:plan_id", "Must be 1-64 of a-z 0-9 _ -");
  if (!tx.find(sql::put_plan, plan_id, document, now)) return false;
  tx.after_commit([&bus] { bus.control({"plans.changed", AppId{}, "", true}); });
  return true;
}

void delete_plan(storage::Transaction& tx, bus::Bus& bus, const std::string& plan_id) {
  auto used = tx.query(sql::count_applications, plan_id)[0].integer(0);
  if (used > 0) throw Error(Code::conflict, std::to_string(used) + " applications are on this plan; move them first.");
  if (!tx.find(sql::delete_plan, plan_id)) throw not_found("plan");
  tx.after_commit([&bus] { bus.control({"plans.changed", AppId{}, "", true}); });
}

std::string plan_json(const Plan& plan) {
  auto document = json::Document::parse(plan.document);
  json::Writer out;
  out.object().field("plan_id", plan.plan_id);
  for (const auto& [name, value] : document.root().members()) out.key(name).raw(value.raw());
  out.key("created_at").time(plan.created_at).key("updated_at").time(plan.updated_at).end();
  return out.take();
}

std::vector<FilePlan> read_plan_file(const std::string& path) {
  const auto file = yaml::File::read(path);
  const auto document = json::Document::parse(file.json());
  auto root = document.root().kind() == json::Kind::object ? document.root().find("plans") : std::nullopt;
  if (!root || root->kind() != json::Kind::object) throw invalid_field(path, "Must hold `plans:`, a map of plans by id.");
  std::vector<FilePlan> plans;
  std::vector<FieldError> mistakes;
  for (const auto& [name, plan] : root->members()) {
    const std::string plan_id(name), at = "#/plans/" + plan_id;
    try {
      if (!is_plan_id(plan_id)) throw invalid_field(at, "A plan's id is 1-64 of a-z 0-9 _ -");
      plans.push_back({plan_id, check_plan(plan, at)});
    } catch (const Error& error) {
      for (const auto& mistake : error.fields())
        mistakes.push_back({path + ":" + std::to_string(file.line_of(mistake.pointer)), mistake.pointer.substr(8) + ": " + mistake.detail});
    }
  }
  if (!mistakes.empty()) throw Error(Code::invalid_field, "The plan file has mistakes.", std::move(mistakes));
  return plans;
}

void PlanBook::load(storage::Connection& connection) {
  std::vector<Plan> plans;
  connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) { plans = list_plans(tx); });
  std::unordered_map<std::string, std::shared_ptr<const json::Document>> documents;
  for (const auto& plan : plans)
    documents[plan.plan_id] = std::make_shared<const json::Document>(json::Document::parse(plan.document));
  std::lock_guard lock(mutex_);
  documents_ = std::move(documents);
  ++version_;
}

std::shared_ptr<const json::Document> PlanBook::find(const std::string& plan_id) const {
  std::lock_guard lock(mutex_);
  auto found = documents_.find(plan_id);
  return found == documents_.end() ? nullptr : found->second;
}

std::uint64_t PlanBook::version() const {
  std::lock_guard lock(mutex_);
  return version_;
}

}  // namespace chat::billing
