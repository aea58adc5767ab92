#include "platform/chat/screening/rules.h"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "platform/base/text.h"
#include "platform/chat/channels/channels.h"

namespace chat::screening {
namespace {

constexpr std::array<std::string_view, 6> kKinds{"repeats", "message_rate", "mentions", "caps", "links", "attachments"};
constexpr std::array<std::string_view, 5> kThens{"flag", "hold", "shadow", "block", "timeout"};
constexpr std::size_t kMaxNameBytes = 64, kMaxReasonBytes = 500, kMaxTypes = 50, kMaxRoles = 20;
constexpr std::int64_t kDay = 86'400;

template <std::size_t N>
std::vector<std::string> texts(const std::array<std::string_view, N>& words) {
  return {words.begin(), words.end()};
}
template <class Enum, std::size_t N>
Enum parse(const std::array<std::string_view, N>& words, std::string_view word) {
  return static_cast<Enum>(std::ranges::find(words, word) - words.begin());
}

bool is_new_bound(Kind kind) { return kind == Kind::links || kind == Kind::attachments || kind == Kind::mentions; }

void read_numbers(json::Fields& fields, Rule& rule) {
  const auto number = [&](const char* name, json::Range range, std::int64_t preset) { return fields.find_integer(name, range).value_or(preset); };
  switch (rule.kind) {
    case Kind::repeats:
      rule.max = number("max", {1, kMaxRepeats}, 3);
      rule.window_s = number("window_s", {1, 3'600}, 60);
      rule.similarity = number("similarity", {50, 100}, 80);
      rule.min_length = number("min_length", {1, 1'000}, 6);
      break;
    case Kind::message_rate:
      rule.max = number("max", {1, 10'000}, 20);
      rule.window_s = number("window_s", {1, kDay}, 60);
      break;
    case Kind::mentions:
      rule.max = number("max", {0, 1'000}, 10);
      rule.window_s = number("window_s", {0, kDay}, 0);
      break;
    case Kind::caps:
      rule.max = number("max", {1, 100}, 70);
      rule.min_length = number("min_length", {1, 1'000}, 20);
      break;
    case Kind::links:
    case Kind::attachments:
      rule.max = number("max", {0, 100}, 0);
      break;
  }
  if (!is_new_bound(rule.kind)) return;
  rule.account_younger_than_s = number("account_younger_than_s", {0, 365 * kDay}, 0);
  rule.member_for_less_than_s = number("member_for_less_than_s", {0, 365 * kDay}, 0);
}

void read_scope(json::Fields& fields, Rule& rule) {
  rule.channel_types = fields.find_texts("channel_types", kMaxTypes, {.min_bytes = 1, .max_bytes = 64}).value_or(std::vector<std::string>{});
  for (std::size_t i = 0; i < rule.channel_types.size(); ++i)
    if (!channels::is_channel_type(rule.channel_types[i])) fields.mistake_at("channel_types/" + std::to_string(i), "Must be the name of a channel type.");
  rule.exempt_roles = fields.find_texts("exempt_roles", kMaxRoles, {.min_bytes = 1, .max_bytes = 64})
                          .value_or(std::vector<std::string>{"moderator", "admin", "owner"});
  for (std::size_t i = 0; i < rule.exempt_roles.size(); ++i)
    if (!channels::is_channel_type(rule.exempt_roles[i])) fields.mistake_at("exempt_roles/" + std::to_string(i), "Must be a role.");
  rule.includes_servers = fields.find_boolean("includes_servers").value_or(false);
}

Rule read_rule(json::Fields& fields) {
  Rule rule;
  rule.name = fields.text("name", {.min_bytes = 1, .max_bytes = kMaxNameBytes});
  if (!rule.name.empty() && !text::is_token(rule.name, kMaxNameBytes)) fields.mistake("name", "Must be of A-Z a-z 0-9 _ . -.");
  const auto kind = fields.word("kind", texts(kKinds));
  rule.enabled = fields.find_boolean("enabled").value_or(true);
  const auto then = fields.word("then", texts(kThens));
  if (std::ranges::find(kKinds, kind) == kKinds.end() || std::ranges::find(kThens, then) == kThens.end()) return rule;
  rule.kind = parse<Kind>(kKinds, kind);
  rule.then = parse<Then>(kThens, then);
  read_numbers(fields, rule);
  read_scope(fields, rule);
  if (rule.then == Then::timeout) rule.timeout_s = fields.find_integer("timeout_s", {1, 30 * kDay}).value_or(600);
  else if (fields.has("timeout_s")) fields.mistake("timeout_s", "Only of then: timeout.");
  rule.reason = fields.find_text("reason", {.min_bytes = 1, .max_bytes = kMaxReasonBytes}).value_or("");
  fields.check_unknown();
  return rule;
}

}  // namespace

std::string_view word(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }
std::string_view word(Then then) { return kThens[static_cast<std::size_t>(then)]; }

std::vector<Rule> read_rules(json::Fields& body) {
  std::vector<Rule> rules;
  const auto items = body.find_array("rules", kMaxRules);
  if (!items && body.ok()) body.mistake("rules", "Required: 0 to 30 rules.");
  std::unordered_set<std::string> names;
  std::size_t counted = 0;
  for (std::size_t i = 0; items && i < items->size(); ++i) {
    json::Fields fields((*items)[i], "#/rules/" + std::to_string(i));
    auto rule = read_rule(fields);
    if (fields.ok() && !names.insert(rule.name).second) fields.mistake("name", "Stands twice.");
    if (rule.counts() && rule.kind != Kind::repeats && ++counted > kMaxCounted) fields.mistake("window_s", "At most 8 rules may count in a window.");
    body.absorb(fields);
    rules.push_back(std::move(rule));
  }
  return rules;
}

std::string rules_json(const std::vector<Rule>& rules) {
  json::Writer out;
  out.array();
  const auto list = [&](const char* name, const std::vector<std::string>& values) {
    out.key(name).array();
    for (const auto& value : values) out.text(value);
    out.end();
  };
  for (const auto& rule : rules) {
    out.object().field("name", rule.name).field("kind", word(rule.kind)).key("enabled").boolean(rule.enabled).field("max", rule.max);
    if (rule.counts() || rule.kind == Kind::mentions) out.field("window_s", rule.window_s);
    if (rule.kind == Kind::repeats) out.field("similarity", rule.similarity);
    if (rule.kind == Kind::repeats || rule.kind == Kind::caps) out.field("min_length", rule.min_length);
    if (is_new_bound(rule.kind))
      out.field("account_younger_than_s", rule.account_younger_than_s).field("member_for_less_than_s", rule.member_for_less_than_s);
    list("channel_types", rule.channel_types);
    list("exempt_roles", rule.exempt_roles);
    out.key("includes_servers").boolean(rule.includes_servers).field("then", word(rule.then));
    if (rule.then == Then::timeout) out.field("timeout_s", rule.timeout_s);
    if (!rule.reason.empty()) out.field("reason", rule.reason);
    out.end();
  }
  return out.end().take();
}

Rules parse_rules(const std::string& array, std::int64_t version) {
  Rules rules{version, {}, 0};
  const auto document = json::Document::parse("{\"rules\":" + array + "}");
  json::Fields body(document.root());
  rules.list = read_rules(body);
  body.finish();
  for (const auto& rule : rules.list)
    if (rule.enabled) rules.longest_window_s = std::max(rules.longest_window_s, rule.window_s);
  return rules;
}

}  // namespace chat::screening
