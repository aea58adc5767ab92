#include "billing/limits.h"

#include <algorithm>
#include <array>

#include "platform/base/error.h"

namespace chat::billing {
namespace {

struct MeterRow {
  std::string_view word;
  std::string_view window;
};
constexpr std::array<MeterRow, kMeters> kMeterRows{{
    {"messages", "month"},
    {"active_users", "month"},
    {"api_calls", "month"},
    {"deliveries", "month"},
    {"peak_connections", "day"},
    {"connections", "now"},
    {"application_requests", "minute"},
    {"user_requests", "minute"},
    {"message_bytes", "each"},
    {"channel_members", "each"},
    {"guest_requests", "minute"},
    {"guests_created", "minute"},
    {"push", "month"},
    {"upload_bytes", "each"},
    {"storage_bytes", "now"},
    {"storage_byte_hours", "month"},
    {"egress_bytes", "month"},
    {"webhook_deliveries", "month"},
    {"campaign_recipients", "month"},
    {"moderation_calls", "month"},
    {"application_reads", "minute"},
    {"application_writes", "minute"},
    {"application_sends", "minute"},
    {"user_reads", "minute"},
    {"user_writes", "minute"},
    {"user_sends", "minute"},
    {"guest_sends", "minute"},
    {"teams", "now"},
    {"user_memberships", "each"},
    {"user_channels_created", "each"},
}};
constexpr std::int64_t kGuestsPerMinute = 300;
constexpr std::array<std::string_view, 4> kLevels{"ok", "warning", "overage", "blocked"};
constexpr std::array<std::string_view, 4> kActions{"notify", "overage", "throttle", "block"};

void apply(Limit& limit, const json::Value& change) {
  if (auto included = change.find("included")) limit.included = included->integer();
  if (auto hard = change.find("hard")) limit.hard = hard->integer();
  if (auto burst = change.find("burst")) limit.burst = burst->integer();
  if (auto action = change.find("action"))
    for (std::size_t i = 0; i < kActions.size(); ++i)
      if (action->text() == kActions[i]) limit.action = static_cast<Action>(i);
}

/// What ends is forgotten: the plan's own limit holds again.
void override(Limits& limits, Meter meter, const json::Value& change, Timestamp now) {
  std::optional<Timestamp> ends;
  if (auto text = change.find("expires_at"); text && text->kind() == json::Kind::text) ends = parse_time(text->text());
  if (ends && *ends <= now) return;
  auto& limit = limits.by_meter[static_cast<int>(meter)];
  apply(limit, change);
  if (limit.action == Action::block && change.find("included") && !change.find("hard")) limit.hard = limit.included;
  limit.is_overridden = true;
  limit.override_ends = ends;
  if (ends) limits.until = limits.until ? std::min(*limits.until, *ends) : *ends;
}

}  // namespace

std::string_view word(Meter meter) { return kMeterRows[static_cast<std::size_t>(meter)].word; }
std::string_view window_of(Meter meter) { return kMeterRows[static_cast<std::size_t>(meter)].window; }
std::string_view word(Action action) { return kActions[static_cast<std::size_t>(action)]; }

std::optional<Meter> parse_meter(std::string_view word) {
  for (std::size_t i = 0; i < kMeterRows.size(); ++i)
    if (kMeterRows[i].word == word) return static_cast<Meter>(i);
  return std::nullopt;
}

Limits merge_limits(const json::Value& plan, const json::Value& overrides, Timestamp now) {
  Limits limits;
  // Anybody may call this one: a plan that says nothing about it must not leave it open.
  limits.by_meter[static_cast<int>(Meter::guests_created)] = {.hard = kGuestsPerMinute, .action = Action::throttle};
  if (auto of_plan = plan.find("limits"))
    for (const auto& limit : of_plan->items())
      if (auto meter = parse_meter(limit.find("meter")->text())) apply(limits.by_meter[static_cast<int>(*meter)], limit);
  for (auto& limit : limits.by_meter)
    if (limit.action == Action::block) limit.hard = std::min(limit.hard, limit.included);
  for (const auto& [name, change] : overrides.members())
    if (auto meter = parse_meter(name)) override(limits, *meter, change, now);
  if (auto features = plan.find("features"))
    for (const auto& [name, on] : features->members())
      if (auto feature = parse_feature(name); feature && !on.boolean()) limits.features_off |= bit(*feature);
  if (auto types = plan.find("upload_types"))
    for (const auto& type : types->items()) limits.upload_types.emplace_back(type.text());
  return limits;
}

void check_feature(const Limits& limits, Feature feature) {
  if (limits.has(feature)) return;
  const std::string name(word(feature));
  throw Error(Code::limit_reached, "The plan has no " + name + ".", {{"plan:features/" + name, "Off in the application's plan."}});
}

std::string_view word(Level level) { return kLevels[static_cast<std::size_t>(level)]; }

Level level_of(const Limit& limit, std::int64_t value) {
  if (value >= limit.hard) return Level::blocked;
  if (limit.included == kUnlimited) return Level::ok;
  if (value > limit.included) return Level::overage;
  return value >= limit.included - limit.included / 5 ? Level::warning : Level::ok;
}

bool can_be_slowed(Meter meter) {
  switch (meter) {
    case Meter::messages:
    case Meter::api_calls:
    case Meter::deliveries:
    case Meter::push:
    case Meter::egress_bytes:
    case Meter::campaign_recipients:
    case Meter::moderation_calls: return true;
    default: return window_of(meter) == "minute";
  }
}

}  // namespace chat::billing
