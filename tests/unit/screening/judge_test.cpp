#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include "platform/chat/screening/classifier.h"
#include "platform/chat/screening/judge.h"

using namespace chat;
using namespace chat::screening;

namespace {

using Json = nlohmann::json;

const Timestamp kNow = *parse_time("2031-05-01T12:00:00Z");

Rule rule_of(const std::string& name, Then then, std::int64_t younger_than_s = 0) {
  Rule rule;
  rule.name = name;
  rule.kind = Kind::links;
  rule.then = then;
  rule.account_younger_than_s = younger_than_s;
  rule.exempt_roles = {"moderator"};
  rule.timeout_s = then == Then::timeout ? 60 : 0;
  rule.reason = "because of " + name;
  return rule;
}

Labels labels(const std::string& answer) {
  outbound::Answer given;
  given.outcome = outbound::Outcome::answered;
  given.status = 200;
  given.body = answer;
  const auto read = read_labels(given);
  return read ? *read : Labels{{"none", -1}};
}

}  // namespace

TEST_CASE("judge: the strongest of what fired holds, all of it is found", "[unit][screening]") {
  const auto flag = rule_of("flag", Then::flag), hold = rule_of("hold", Then::hold), shadow = rule_of("shadow", Then::shadow), out = rule_of("out", Then::timeout);
  CHECK(verdict_of(std::vector<Fired>{}).findings.empty());
  CHECK(verdict_of({{&flag, 1}}).outcome == Outcome::pass);
  const auto both = verdict_of({{&flag, 1}, {&shadow, 2}, {&hold, 3}});
  CHECK(both.outcome == Outcome::shadow);
  CHECK(both.reason == "because of shadow");
  const auto findings = Json::parse(both.findings);
  REQUIRE(findings.size() == 3);
  CHECK(findings[1] == Json{{"source", "rule"}, {"rule", "shadow"}, {"then", "shadow"}, {"detail", {{"kind", "links"}, {"measured", 2}, {"max", 0}}}});
  CHECK(verdict_of({{&out, 1}}).outcome == Outcome::block);
  CHECK(timeout_of({{&out, 1}}) == std::chrono::seconds(60));
  CHECK_FALSE(timeout_of({{&out, 1, true}}));
  CHECK(verdict_of({{&out, 1, true}}).outcome == Outcome::pass);
}

TEST_CASE("judge: who has an exempt role, or is not new, is let be", "[unit][screening]") {
  const auto any = rule_of("any", Then::block), fresh = rule_of("fresh", Then::block, 3'600);
  const auto exempt = [&](const std::optional<Author>& author) {
    std::vector<Fired> fired{{&any, 1}, {&fresh, 1}};
    look_at_author(fired, author, kNow);
    return std::to_string(fired[0].is_exempt) + std::to_string(fired[1].is_exempt);
  };
  CHECK(exempt(Author{kNow - std::chrono::hours(2), kNow, "member", ""}) == "01");
  CHECK(exempt(Author{kNow - std::chrono::minutes(2), kNow, "member", ""}) == "00");
  CHECK(exempt(Author{kNow - std::chrono::minutes(2), kNow, "moderator", ""}) == "11");
  CHECK(exempt(Author{kNow - std::chrono::minutes(2), kNow, "member", "moderator"}) == "11");
  CHECK(exempt(std::nullopt) == "01");
}

TEST_CASE("judge: verdicts of several sources make one", "[unit][screening]") {
  Verdict one, other;
  one.outcome = Outcome::hold;
  one.findings = R"([{"a":1}])";
  one.reason = "one";
  other.outcome = Outcome::block;
  other.findings = R"([{"b":2}])";
  other.reason = "other";
  const auto both = merge(one, other);
  CHECK(both.outcome == Outcome::block);
  CHECK(both.reason == "other");
  CHECK(both.findings == R"([{"a":1},{"b":2}])");
  CHECK(merge(other, one).reason == "other");
  CHECK(merge(Verdict{}, one).findings == one.findings);
  CHECK(merge(one, Verdict{}).findings == one.findings);
}

TEST_CASE("judge: a classifier's labels are read strictly, the strongest threshold that they reach holds", "[unit][screening]") {
  CHECK(labels(R"({"labels":{"toxicity":0.5,"spam":1}})") == Labels{{"toxicity", 0.5}, {"spam", 1}});
  CHECK(labels("").empty());
  CHECK(labels(R"({"labels":{},"model":"v3"})").empty());
  for (const char* wrong : {"[]", "{}", R"({"labels":[]})", R"({"labels":{"a":"b"}})", R"({"labels":{"a":1.5}})", R"({"labels":{"a":-1}})", "nonsense", "1"}) {
    INFO(wrong);
    CHECK(labels(wrong) == Labels{{"none", -1}});
  }
  Classifier classifier;
  classifier.thresholds = {{"toxicity", 0.6, Then::flag}, {"toxicity", 0.9, Then::block}, {"spam", 0.5, Then::shadow}};
  CHECK(verdict_of(classifier, {{"toxicity", 0.59}}).findings.empty());
  CHECK(verdict_of(classifier, {{"toxicity", 0.6}}).outcome == Outcome::pass);
  CHECK_FALSE(verdict_of(classifier, {{"toxicity", 0.6}}).findings.empty());
  CHECK(verdict_of(classifier, {{"toxicity", 0.7}, {"spam", 0.5}}).outcome == Outcome::shadow);
  CHECK(verdict_of(classifier, {{"toxicity", 0.9}, {"spam", 0.5}}).outcome == Outcome::block);
  CHECK(verdict_of(classifier, {{"unknown", 1}}).findings.empty());
  CHECK(verdict_of_failure(classifier, "failed").outcome == Outcome::pass);
  classifier.on_failure = "hold";
  CHECK(verdict_of_failure(classifier, "failed").outcome == Outcome::hold);
}
