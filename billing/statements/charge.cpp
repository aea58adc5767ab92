#include "billing/statements/charge.h"

#include <algorithm>

#include "billing/plans.h"
#include "platform/base/error.h"

namespace chat::statements {
namespace {

__extension__ typedef __int128 Wide;

constexpr std::int64_t kUnit = 1'000'000'000'000;          // of a price
constexpr std::int64_t kMaxAmount = 1'000'000'000'000'000;
constexpr auto kDay = std::chrono::hours(24);

std::int64_t amount_of(Wide numerator, Wide denominator) {
  const Wide rounded = (2 * numerator + denominator) / (2 * denominator);
  if (rounded > kMaxAmount) throw Error(Code::conflict, "An amount of this statement is beyond 10^15 minor units; look at the plan's prices.");
  return static_cast<std::int64_t>(rounded);
}

std::int64_t shrink_up(std::int64_t units, int days, int of) {
  if (units == billing::kUnlimited) return units;
  return static_cast<std::int64_t>((static_cast<Wide>(units) * days + of - 1) / of);
}

bool is_level(Meter meter) { return meter == Meter::connections || meter == Meter::peak_connections; }

std::optional<std::int64_t> integer_at(const json::Value& object, std::string_view name) {
  const auto found = object.find(name);
  return found && found->kind() == json::Kind::integer ? std::optional(found->integer()) : std::nullopt;
}

std::vector<Tier> read_tiers(const json::Value& limit) {
  std::vector<Tier> tiers;
  const auto add = [&](std::int64_t up_to, std::string_view text) {
    const auto price = billing::parse_price(text);
    if (!price) throw Error(Code::conflict, "The plan's overage price " + std::string(text) + " is none; put the plan again and move the application.");
    tiers.push_back({up_to, *price, std::string(text)});
  };
  if (const auto price = limit.find("overage_price"); price && price->kind() == json::Kind::text) add(billing::kUnlimited, price->text());
  if (const auto listed = limit.find("overage_tiers"); listed && listed->kind() == json::Kind::array)
    for (const auto& tier : listed->items()) {
      add(integer_at(tier, "up_to").value_or(billing::kUnlimited), tier.find("price")->text());
    }
  return tiers;
}

/// What an override says of `included`, if it lasts into the month.
std::optional<std::int64_t> overridden(const json::Value& overrides, std::string_view meter, Timestamp month) {
  const auto change = overrides.find(meter);
  const auto included = change ? integer_at(*change, "included") : std::nullopt;
  if (!included) return std::nullopt;
  const auto expires = change->find("expires_at");
  const auto until = expires && expires->kind() == json::Kind::text ? parse_time(expires->text()) : std::nullopt;
  return until && *until <= month_start(month) ? std::nullopt : included;
}

std::int64_t quantity_of(const Stretch& stretch, Meter meter, const Used& used) {
  const auto found = used.find(std::string(is_level(meter) ? word(Meter::peak_connections) : word(meter)));
  if (found == used.end()) return 0;
  const auto* first = found->second.data() + stretch.first;
  const auto* end = found->second.data() + stretch.last + 1;
  std::int64_t quantity = 0;
  for (const auto* day = first; day != end; ++day) quantity = is_level(meter) ? std::max(quantity, *day) : quantity + *day;
  return quantity;
}

Line begin_line(std::string kind, const Stretch& stretch, const Terms& terms) {
  Line line;
  line.kind = std::move(kind);
  line.plan_id = terms.plan_id;
  line.version = terms.version;
  line.first = stretch.first;
  line.last = stretch.last;
  return line;
}

std::string days_text(int days, int of) { return std::to_string(days) + " of " + std::to_string(of) + " days"; }

Line plan_line(Timestamp month, const Stretch& stretch, const Terms& terms, Timestamp created_at) {
  const int of = days_in(month);
  const auto paid_from = std::chrono::floor<std::chrono::days>(created_at) + std::chrono::days(terms.trial_days);
  int days = 0;
  for (int day = stretch.first; day <= stretch.last; ++day) days += month_start(month) + (day - 1) * kDay >= paid_from ? 1 : 0;
  const bool by_year = terms.price_year && (stretch.yearly || !terms.price_month);
  const auto price = by_year ? price_of_month(*terms.price_year, month) : terms.price_month.value_or(0);
  Line line = begin_line("plan", stretch, terms);
  line.quantity = days;
  line.description = terms.name + (by_year ? ", a month of the year" : "") + ", " + days_text(days, of);
  if (days < stretch.days()) line.description += ", " + std::to_string(stretch.days() - days) + " of the trial";
  line.amount = share(price, days, of);
  return line;
}

void add_overage(std::vector<Line>& lines, Timestamp month, const Stretch& stretch, const Terms& terms, const Overage& overage, const Used& used) {
  const int of = days_in(month), days = stretch.days();
  const bool level = is_level(overage.meter);
  const auto quantity = quantity_of(stretch, overage.meter, used);
  const auto included = level ? overage.included : shrink_up(overage.included, days, of);
  std::int64_t from = 0;
  const std::int64_t beyond = std::max<std::int64_t>(0, quantity - included);
  for (const auto& tier : overage.tiers) {
    const auto to = std::min(beyond, level ? tier.up_to : shrink_up(tier.up_to, days, of));
    if (to <= from) continue;
    Line line = begin_line("overage", stretch, terms);
    line.meter = word(overage.meter);
    line.quantity = to - from;
    line.included = included;
    line.unit_price = tier.price_text;
    line.description = line.meter + ": " + std::to_string(quantity) + ", " + std::to_string(included) + " included, " +
                       std::to_string(line.quantity) + " at " + tier.price_text + (level ? ", " + days_text(days, of) : "");
    const Wide priced = static_cast<Wide>(line.quantity) * tier.price;
    line.amount = level ? amount_of(priced * days, static_cast<Wide>(kUnit) * of) : amount_of(priced, kUnit);
    lines.push_back(std::move(line));
    from = to;
  }
}

}  // namespace

int days_in(Timestamp month) { return static_cast<int>((next_month_start(month) - month_start(month)) / kDay); }

std::int64_t share(std::int64_t price, int days, int of) { return amount_of(static_cast<Wide>(price) * days, of); }

std::int64_t price_of_month(std::int64_t price_year, Timestamp month) {
  const std::chrono::year_month_day date{std::chrono::floor<std::chrono::days>(month)};
  const auto number = static_cast<std::int64_t>(static_cast<unsigned>(date.month()));
  return price_year * number / 12 - price_year * (number - 1) / 12;
}

Terms read_terms(const std::string& plan_id, std::int64_t version, const json::Value& plan, const json::Value& overrides, Timestamp month) {
  const auto text = [&](std::string_view name) {
    const auto found = plan.find(name);
    return found && found->kind() == json::Kind::text ? std::string(found->text()) : std::string();
  };
  Terms terms{plan_id, version, text("name"), text("currency"), integer_at(plan, "price_month"), integer_at(plan, "price_year"),
              integer_at(plan, "trial_days").value_or(0), {}};
  const auto limits = plan.find("limits");
  if (!limits || limits->kind() != json::Kind::array) return terms;
  for (const auto& limit : limits->items()) {
    const auto action = limit.find("action");
    const auto meter = billing::parse_meter(limit.find("meter")->text());
    if (!meter || !action || action->raw() != "\"overage\"") continue;
    auto tiers = read_tiers(limit);
    if (tiers.empty()) continue;
    const auto own = overridden(overrides, word(*meter), month);
    terms.overage.push_back({*meter, own.value_or(integer_at(limit, "included").value_or(0)), std::move(tiers)});
  }
  return terms;
}

std::vector<Stretch> stretches_of(Timestamp month, const std::vector<Move>& moves, const std::optional<Timestamp>& ended) {
  std::vector<Stretch> stretches;
  const auto start = month_start(month);
  for (int day = 1; day <= days_in(month); ++day) {
    if (ended && start + (day - 1) * kDay > *ended) break;
    const Move* holds = nullptr;
    for (const auto& move : moves)
      if (move.at < start + day * kDay) holds = &move;
    if (holds == nullptr) continue;
    const bool goes_on = !stretches.empty() && stretches.back().last == day - 1 && stretches.back().plan_id == holds->plan_id &&
                         stretches.back().version == holds->version && stretches.back().yearly == holds->yearly;
    if (goes_on) stretches.back().last = day;
    else stretches.push_back({holds->plan_id, holds->version, holds->yearly, day, day});
  }
  return stretches;
}

std::vector<Line> charge(Timestamp month, const Stretch& stretch, const Terms& terms, const Used& used, Timestamp created_at) {
  std::vector<Line> lines{plan_line(month, stretch, terms, created_at)};
  for (const auto& overage : terms.overage) add_overage(lines, month, stretch, terms, overage, used);
  return lines;
}

}  // namespace chat::statements
