#include "billing/plans.h"

#include <algorithm>
#include <set>

#include "billing/plans.sql.h"
#include "platform/base/error.h"
#include "platform/base/yaml.h"
#include "tenants/applications.h"

namespace chat::billing {
namespace {

constexpr std::size_t kPriceDigits = 12;
constexpr std::int64_t kMaxCount = 1'000'000'000'000'000;
constexpr std::int64_t kMaxPrice = 1'000'000'000'000;
constexpr const char* kPriceRule = "Must be a decimal number of minor units, as text: at most 6 digits, and 12 behind the point.";
const std::vector<std::string> kActionWords{"notify", "overage", "throttle", "block"};

/// Of tiers each ends later than the one before, and the last has no end.
void check_tiers(json::Fields& limit) {
  const auto tiers = limit.find_array("overage_tiers", 20, 1);
  std::int64_t before = 0;
  for (std::size_t i = 0; tiers && i < tiers->size(); ++i) {
    json::Fields tier((*tiers)[i], limit.pointer("overage_tiers") + "/" + std::to_string(i));
    const auto up_to = tier.find_integer("up_to", {1, kMaxCount});
    const auto price = tier.text("price", {.min_bytes = 1, .max_bytes = 25});
    if (!price.empty() && !parse_price(price)) tier.mistake("price", kPriceRule);
    if (i + 1 == tiers->size() && up_to) tier.mistake("up_to", "The last tier has no end.");
    if (i + 1 < tiers->size() && (!up_to || *up_to <= before)) tier.mistake("up_to", "Must be there and above the tier before.");
    before = up_to.value_or(before);
    tier.refuse_nulls();
    tier.check_unknown();
    limit.absorb(tier);
  }
  if (tiers && limit.has("overage_price")) limit.mistake("overage_tiers", "Either tiers or one price.");
}

bool is_billed(Meter meter) {
  return window_of(meter) == "month" || meter == Meter::connections || meter == Meter::peak_connections;
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
  const auto action = limit.find_word("action", kActionWords);
  if (meter && action == "throttle" && !can_be_slowed(*meter)) limit.mistake("action", "There is nothing of " + name + " that could be slowed.");
  auto price = limit.find_text("overage_price", {.min_bytes = 1, .max_bytes = 25});
  if (price && !parse_price(*price)) limit.mistake("overage_price", kPriceRule);
  check_tiers(limit);
  const bool is_priced = price || limit.has("overage_tiers");
  if (is_priced && meter && !is_billed(*meter))
    limit.mistake("overage_price", "What counts by the " + std::string(window_of(*meter)) + " is not charged; see ops/docs/billing.md.");
  if (is_priced && action != "overage") limit.mistake("action", "Must be overage where that has a price.");
  limit.refuse_nulls();
  limit.check_unknown();
  plan.absorb(limit);
}

void check_limits(json::Fields& plan, const std::string& pointer) {
  const auto limits = plan.find_array("limits", 100);
  std::set<std::string> meters;
  for (std::size_t i = 0; limits && i < limits->size(); ++i) {
    const auto& limit = (*limits)[i];
    check_limit(plan, limit, pointer + "/limits/" + std::to_string(i));
    const auto meter = limit.kind() == json::Kind::object ? limit.find("meter") : std::nullopt;
    if (meter && meter->kind() == json::Kind::text && !meters.insert(std::string(meter->text())).second)
      plan.mistake_at("limits/" + std::to_string(i), "This meter has a limit already.");
  }
}

void check_prices(json::Fields& plan) {
  const auto is_letter = [](char c) { return c >= 'A' && c <= 'Z'; };
  const auto currency = plan.find_text("currency", {.min_bytes = 3, .max_bytes = 3});
  if (currency && !std::all_of(currency->begin(), currency->end(), is_letter)) plan.mistake("currency", "Must be three capital letters: EUR.");
  const auto month = plan.find_integer("price_month", {0, kMaxPrice}), year = plan.find_integer("price_year", {0, kMaxPrice});
  if (!plan.has("currency") && month.value_or(0) + year.value_or(0) > 0) plan.mistake("currency", "Required with a price.");
  plan.find_integer("trial_days", {0, 366});
}

json::Value required_object(const json::Value& value, const std::string& pointer) {
  if (value.kind() != json::Kind::object) throw invalid_field(pointer, "Must be an object.");
  return value;
}

Plan read(const storage::Row& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), row.time(2), row.time(3), row.integer(4), row.optional_time(5)};
}

}  // namespace

bool is_plan_id(std::string_view id) {
  auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !id.empty() && id.size() <= 64 && std::all_of(id.begin(), id.end(), allowed);
}

std::optional<std::int64_t> parse_price(std::string_view text) {
  const auto dot = std::min(text.find('.'), text.size());
  const auto whole = text.substr(0, dot), part = text.substr(std::min(dot + 1, text.size()));
  const auto is_digits = [](std::string_view digits) { return digits.find_first_not_of("0123456789") == std::string_view::npos; };
  if (whole.empty() || whole.size() > 6 || part.size() > kPriceDigits || !is_digits(whole) || !is_digits(part)) return std::nullopt;
  if (dot < text.size() && part.empty()) return std::nullopt;
  return std::stoll(std::string(whole) + std::string(part) + std::string(kPriceDigits - part.size(), '0'));
}

std::string check_plan(const json::Value& document, const std::string& pointer) {
  json::Fields plan(required_object(document, pointer), pointer);
  plan.text("name", {.min_bytes = 1});
  check_prices(plan);
  if (const auto features = plan.find_object("features")) {
    for (const auto& [name, on] : features->members()) {
      const auto at = "features/" + std::string(name);
      if (!parse_feature(name)) plan.mistake_at(at, "Unknown feature: " + std::string(name) + ".");
      else if (on.kind() != json::Kind::boolean) plan.mistake_at(at, "Must be true or false.");
    }
  }
  const auto types = plan.find_texts("upload_types", 100, {.min_bytes = 3, .max_bytes = 100});
  for (std::size_t i = 0; types && i < types->size(); ++i)
    if (!tenants::is_media_type((*types)[i]))
      plan.mistake_at("upload_types/" + std::to_string(i), "Must be a media type in small letters: image/png, or image/* for all of a kind.");
  check_limits(plan, pointer);
  plan.refuse_nulls();
  plan.finish();
  return document.raw();
}

Plan get_plan(storage::Transaction& tx, const std::string& plan_id) {
  auto rows = tx.find(sql::get_plan, plan_id);
  if (!rows) throw not_found("plan");
  return read((*rows)[0]);
}

std::vector<Plan> list_plans(storage::Transaction& tx) {
  std::vector<Plan> plans;
  auto rows = tx.query(sql::list_plans);
  for (auto row : rows) plans.push_back(read(row));
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
  out.field("version", plan.version).optional_time("archived_at", plan.archived_at);
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
  constexpr int kAtOnce = 1000;
  decltype(documents_) documents;
  std::string plan_id;
  for (std::int64_t version = 0, read = kAtOnce; read == kAtOnce;)
    connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) {
      auto rows = tx.query(sql::versions_after, plan_id, version, kAtOnce);
      read = rows.size();
      for (auto row : rows) {
        plan_id = row.text(0);
        version = row.integer(1);
        documents[plan_id][version] = std::make_shared<const json::Document>(json::Document::parse(row.text(2)));
      }
    });
  std::lock_guard lock(mutex_);
  documents_ = std::move(documents);
  ++version_;
}

std::shared_ptr<const json::Document> PlanBook::find(const std::string& plan_id, std::int64_t version) const {
  std::lock_guard lock(mutex_);
  const auto versions = documents_.find(plan_id);
  if (versions == documents_.end()) return nullptr;
  const auto found = versions->second.find(version);
  return found == versions->second.end() ? versions->second.rbegin()->second : found->second;
}

std::uint64_t PlanBook::version() const {
  std::lock_guard lock(mutex_);
  return version_;
}

}  // namespace chat::billing
