#pragma once
#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "billing/limits.h"
#include "platform/base/clock.h"
#include "platform/base/json.h"

/// What a month costs: from the plans an application was on, day by day, and what the ledger says it used. Nothing here knows a
/// database or the time. Units: minor units of the currency, whole; prices in 10^-12 of one. Days and months are UTC.
///
/// - A day belongs to the plan that holds at its end; days on the same version, paid alike, make one stretch, of d of the month's D days.
/// - plan:    price x d / D. Paid by the year, the month's price is floor(year x m / 12) - floor(year x (m - 1) / 12), m the month's
///            number: twelve of them are the year's price. Days of the trial cost nothing. A plan that has one of the two prices only
///            is paid so, however the application pays.
/// - overage: what was used in the stretch beyond `included` x d / D, rounded up to whole units, tier by tier; the bounds of tiers
///            shrink alike. Of connections the largest number counts, nothing of `included` shrinks, and the price is x d / D.
/// - Each line is rounded once, half up; a statement adds lines and rounds nothing more.
namespace chat::statements {

using billing::Meter;

struct Tier {
  std::int64_t up_to = billing::kUnlimited;    // of the units beyond included
  std::int64_t price = 0;
  std::string price_text;
};
struct Overage {
  Meter meter;
  std::int64_t included = 0;
  std::vector<Tier> tiers;
};
/// What one version of a plan says about money.
struct Terms {
  std::string plan_id;
  std::int64_t version = 0;
  std::string name, currency;
  std::optional<std::int64_t> price_month, price_year;   // minor units
  std::int64_t trial_days = 0;
  std::vector<Overage> overage;
};
/// `overrides`: the application's limits; `included` of those that last into the month replaces the plan's.
/// Errors:  conflict: a price that is none (of a plan from before prices were checked)
Terms read_terms(const std::string& plan_id, std::int64_t version, const json::Value& plan, const json::Value& overrides, Timestamp month);

struct Move {
  Timestamp at;
  std::string plan_id;
  std::int64_t version = 0;
  bool yearly = false;
};
/// Days of the month, from 1, that one plan holds.
struct Stretch {
  std::string plan_id;
  std::int64_t version = 0;
  bool yearly = false;
  int first = 0, last = 0;
  [[nodiscard]] int days() const { return last - first + 1; }
};
/// `moves` in order of time, with the last one before the month. `ended`: the day of it is the last that counts.
std::vector<Stretch> stretches_of(Timestamp month, const std::vector<Move>& moves, const std::optional<Timestamp>& ended);

/// By meter's word and day of the month, from 1.
using Used = std::map<std::string, std::array<std::int64_t, 32>>;

struct Line {
  std::string kind;                            // plan | overage | late_usage | credit
  std::string description;
  std::string plan_id;
  std::int64_t version = 0;
  int first = 0, last = 0;
  std::string meter, unit_price;
  std::int64_t quantity = 0, included = 0;
  std::int64_t amount = 0;
  std::string credit_id;
};
/// Errors:  conflict: an amount that no statement can hold
std::vector<Line> charge(Timestamp month, const Stretch& stretch, const Terms& terms, const Used& used, Timestamp created_at);

int days_in(Timestamp month);
/// Half up. Source: the formula above; vectors in tests/api/service/statements_test.cpp and ops/docs/billing.md.
std::int64_t share(std::int64_t price, int days, int of);
std::int64_t price_of_month(std::int64_t price_year, Timestamp month);

}  // namespace chat::statements
