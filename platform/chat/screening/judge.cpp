#include "platform/chat/screening/judge.h"

#include <algorithm>

#include "platform/base/json.h"

namespace chat::screening {
namespace {

bool is_new(const Rule& rule, const Author& author, Timestamp now) {
  const auto younger = [now](const std::optional<Timestamp>& since, std::int64_t seconds) {
    return seconds > 0 && (!since || now - *since < std::chrono::seconds(seconds));
  };
  return younger(author.created_at, rule.account_younger_than_s) || younger(author.member_since, rule.member_for_less_than_s);
}

std::string detail_of(const Fired& fired) {
  json::Writer out;
  out.object().field("kind", word(fired.rule->kind)).field("measured", fired.measured).field("max", fired.rule->max);
  if (fired.rule->window_s > 0) out.field("window_s", fired.rule->window_s);
  return out.end().take();
}

}  // namespace

void look_at_author(std::vector<Fired>& fired, const std::optional<Author>& author, Timestamp now) {
  for (auto& one : fired) {
    one.is_exempt = one.rule->asks_for_new();
    if (!author) continue;
    const auto& roles = one.rule->exempt_roles;
    const auto has = [&](const std::string& role) { return !role.empty() && std::ranges::find(roles, role) != roles.end(); };
    one.is_exempt = has(author->role) || has(author->team_role) || (one.rule->asks_for_new() && !is_new(*one.rule, *author, now));
  }
}

Verdict verdict_of(const std::vector<Fired>& fired) {
  Verdict verdict;
  Findings findings;
  for (const auto& one : fired) {
    if (one.is_exempt) continue;
    findings.add("rule", one.rule->name, one.rule->then, detail_of(one));
    const auto outcome = outcome_of(one.rule->then);
    if (outcome > verdict.outcome || verdict.reason.empty()) verdict.reason = one.rule->reason;
    verdict.outcome = std::max(verdict.outcome, outcome);
    if (one.rule->kind == Kind::attachments && outcome == Outcome::block) verdict.pointer = "#/attachments";
  }
  verdict.findings = findings.take();
  return verdict;
}

Verdict merge(Verdict one, const Verdict& other) {
  if (other.outcome > one.outcome) {
    one.outcome = other.outcome;
    one.reason = other.reason;
    one.pointer = other.pointer;
  }
  if (one.findings.empty()) one.findings = other.findings;
  else if (!other.findings.empty()) one.findings = one.findings.substr(0, one.findings.size() - 1) + "," + other.findings.substr(1);
  return one;
}

std::optional<std::chrono::seconds> timeout_of(const std::vector<Fired>& fired) {
  std::int64_t longest = 0;
  for (const auto& one : fired)
    if (!one.is_exempt) longest = std::max(longest, one.rule->timeout_s);
  return longest > 0 ? std::optional(std::chrono::seconds(longest)) : std::nullopt;
}

Outcome outcome_of(Then then) {
  switch (then) {
    case Then::flag: return Outcome::pass;
    case Then::hold: return Outcome::hold;
    case Then::shadow: return Outcome::shadow;
    case Then::block: return Outcome::block;
    case Then::timeout: return Outcome::block;
  }
  return Outcome::pass;
}

std::string_view word_of(const Verdict& verdict) {
  switch (verdict.outcome) {
    case Outcome::pass: return verdict.findings.empty() ? "pass" : "flag";
    case Outcome::hold: return "hold";
    case Outcome::shadow: return "shadow";
    case Outcome::block: return "block";
  }
  return "pass";
}

void Findings::add(std::string_view source, std::string_view rule, Then then, const std::string& detail) {
  json::Writer out;
  out.object().field("source", source).field("rule", rule).field("then", word(then)).key("detail").raw(detail).end();
  items_ += (items_.empty() ? "[" : ",") + out.take();
}

std::string Findings::take() { return items_.empty() ? items_ : items_ + "]"; }

}  // namespace chat::screening
