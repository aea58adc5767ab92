#include "platform/webhooks/endpoint_form.h"

#include <algorithm>
#include <array>

#include "platform/base/text.h"

namespace chat::webhooks {
namespace {

// What this side says itself, and what would change how the call is understood.
constexpr std::array<std::string_view, 17> kOwnHeaders{
    "accept-encoding", "connection", "content-encoding", "content-length", "content-type", "cookie", "date", "expect", "forwarded", "host",
    "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "via"};

bool is_header_name(std::string_view name) {
  auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, allowed);
}
bool is_own_header(std::string_view name) {
  const auto lower = text::lower_ascii(name);
  return lower.starts_with("webhook-") || lower.starts_with("proxy-") || lower.starts_with("x-forwarded-") ||
         std::ranges::find(kOwnHeaders, lower) != kOwnHeaders.end();
}
bool is_header_value(std::string_view value) {
  return value.size() <= kMaxHeaderBytes && std::ranges::all_of(value, [](char c) { return c >= ' ' && c < 0x7f; });
}

void read_headers(json::Fields& body, EndpointSettings& settings) {
  const auto given = body.find_object("headers");
  if (!given) return;
  settings.headers.clear();
  if (given->members().size() > kMaxHeaders) body.mistake("headers", "At most 20.");
  for (const auto& [name, value] : given->members()) {
    const auto at = "headers/" + std::string(name);
    if (!is_header_name(name)) body.mistake_at(at, "Must be named with 1-64 of A-Z a-z 0-9 - _");
    else if (is_own_header(name)) body.mistake_at(at, "Can't be set here.");
    else if (value.kind() != json::Kind::text || !is_header_value(value.text())) body.mistake_at(at, "Must be a text of at most 4,096 printable ASCII characters.");
    else settings.headers.emplace_back(name, value.text());
  }
}

void read_events(json::Fields& body, EndpointSettings& settings) {
  if (auto events = body.find_texts("events", kMaxPatterns, {.min_bytes = 1, .max_bytes = 100})) settings.events = std::move(*events);
  if (settings.events.empty()) body.mistake("events", "Required: what to hear of, e.g. [\"message.*\"]; [\"*\"] is everything.");
  for (std::size_t i = 0; i < settings.events.size(); ++i)
    if (!is_event_pattern(settings.events[i]))
      body.mistake_at("events/" + std::to_string(i), "Must be an event's type, its beginning with .*, or * for all.");
  if (auto types = body.find_texts("channel_types", kMaxPatterns, {.min_bytes = 1, .max_bytes = 64})) settings.channel_types = std::move(*types);
}

void read_schedule(json::Fields& body, EndpointSettings& settings) {
  const auto steps = body.find_array("schedule_s", kMaxSteps);
  if (!steps) return;
  settings.schedule.clear();
  for (const auto& step : *steps) {
    const bool is_fine = step.kind() == json::Kind::integer && step.integer() >= 1 && step.integer() <= kMaxStepSeconds;
    if (!is_fine) body.mistake_at("schedule_s/" + std::to_string(settings.schedule.size()), "Must be 1 to 172800 seconds.");
    settings.schedule.push_back(is_fine ? step.integer() : 1);
  }
}

}  // namespace

bool is_event_pattern(std::string_view pattern) {
  if (pattern == "*") return true;
  if (pattern.ends_with(".*")) pattern.remove_suffix(2);
  auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; };
  return !pattern.empty() && pattern.front() != '.' && pattern.back() != '.' && std::ranges::all_of(pattern, allowed);
}

void read_settings(json::Fields& body, const outbound::Client& client, EndpointSettings& settings) {
  if (auto url = body.find_text("url", {.min_bytes = 1, .max_bytes = kMaxUrlBytes})) settings.url = std::move(*url);
  if (settings.url.empty()) body.mistake("url", "Required.");
  else if (const auto refusal = client.refuses_url(settings.url); !refusal.empty()) body.mistake("url", refusal);
  if (auto description = body.find_text("description", {.max_bytes = kMaxDescriptionBytes})) settings.description = std::move(*description);
  read_events(body, settings);
  read_headers(body, settings);
  read_schedule(body, settings);
  if (const auto value = body.find_integer("timeout_ms", {1'000, 30'000})) settings.timeout_ms = *value;
  if (const auto value = body.find_integer("max_per_second", {0, 10'000})) settings.max_per_second = *value;
  if (const auto value = body.find_integer("max_in_flight", {1, 512})) settings.max_in_flight = *value;
  if (const auto value = body.find_boolean("ordered")) settings.ordered = *value;
  if (const auto value = body.find_integer("batch_max", {1, kMaxBatch})) settings.batch_max = *value;
  if (const auto value = body.find_integer("batch_wait_ms", {0, kMaxBatchWaitMs})) settings.batch_wait_ms = *value;
}

}  // namespace chat::webhooks
