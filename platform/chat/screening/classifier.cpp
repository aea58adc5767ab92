#include "platform/chat/screening/classifier.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/chat/screening/judge.h"

namespace chat::screening {
namespace {

constexpr std::size_t kMaxUrlBytes = 2'048, kMaxLabelBytes = 64, kMaxTypes = 50;

std::vector<Threshold> read_thresholds(json::Fields& body) {
  std::vector<Threshold> thresholds;
  const auto items = body.find_array("thresholds", kMaxThresholds, 1);
  if (!items && body.ok()) body.mistake("thresholds", "Required: 1 to 50 thresholds.");
  for (std::size_t i = 0; items && i < items->size(); ++i) {
    json::Fields fields((*items)[i], "#/thresholds/" + std::to_string(i));
    Threshold threshold;
    threshold.label = fields.text("label", {.min_bytes = 1, .max_bytes = kMaxLabelBytes});
    const auto at = fields.find_number("at", 0, 1);
    if (!at && fields.ok()) fields.mistake("at", "Required: 0 to 1.");
    threshold.at = at.value_or(1);
    const auto then = fields.word("then", {"flag", "hold", "shadow", "block"});
    threshold.then = then == "block" ? Then::block : then == "shadow" ? Then::shadow : then == "hold" ? Then::hold : Then::flag;
    fields.check_unknown();
    body.absorb(fields);
    thresholds.push_back(std::move(threshold));
  }
  return thresholds;
}

}  // namespace

Classifier read_classifier(json::Fields& body) {
  Classifier classifier;
  classifier.url = body.text("url", {.min_bytes = 1, .max_bytes = kMaxUrlBytes});
  classifier.timeout_ms = body.find_integer("timeout_ms", {100, 5'000}).value_or(classifier.timeout_ms);
  classifier.on_failure = body.find_word("on_failure", {"allow", "hold", "block"}).value_or(classifier.on_failure);
  classifier.asks = body.find_word("asks", {"all", "marked"}).value_or(classifier.asks);
  classifier.max_in_flight = body.find_integer("max_in_flight", {1, 64}).value_or(classifier.max_in_flight);
  classifier.channel_types = body.find_texts("channel_types", kMaxTypes, {.min_bytes = 1, .max_bytes = 64}).value_or(std::vector<std::string>{});
  classifier.thresholds = read_thresholds(body);
  return classifier;
}

std::string classifier_json(const Classifier& classifier) {
  json::Writer out;
  out.object().field("url", classifier.url).field("timeout_ms", classifier.timeout_ms).field("on_failure", classifier.on_failure)
      .field("asks", classifier.asks).field("max_in_flight", classifier.max_in_flight).key("channel_types").array();
  for (const auto& type : classifier.channel_types) out.text(type);
  out.end().key("thresholds").array();
  for (const auto& threshold : classifier.thresholds)
    out.object().field("label", threshold.label).key("at").number(threshold.at).field("then", word(threshold.then)).end();
  return out.end().end().take();
}

Classifier parse_classifier(const std::string& text) {
  const auto document = json::Document::parse(text);
  json::Fields body(document.root());
  auto classifier = read_classifier(body);
  body.finish();
  return classifier;
}

std::optional<Labels> read_labels(const outbound::Answer& answer) {
  const bool is_fine = answer.outcome == outbound::Outcome::answered && answer.status >= 200 && answer.status < 300 && !answer.is_cut;
  if (!is_fine) return std::nullopt;
  if (text::trim(answer.body).empty()) return Labels{};
  try {
    const auto document = json::Document::parse(answer.body);
    if (document.root().kind() != json::Kind::object) return std::nullopt;
    const auto labels = document.root().find("labels");
    if (!labels || labels->kind() != json::Kind::object) return std::nullopt;
    Labels read;
    for (const auto& [name, value] : labels->members()) {
      const bool is_score = value.kind() == json::Kind::integer || value.kind() == json::Kind::number;
      if (!is_score || value.number() < 0 || value.number() > 1 || read.size() == kMaxLabels) return std::nullopt;
      read.emplace_back(std::string(name), value.number());
    }
    return read;
  } catch (const Error&) {                     // no JSON
    return std::nullopt;
  }
}

Verdict verdict_of(const Classifier& classifier, const Labels& labels) {
  Verdict verdict;
  Findings findings;
  for (const auto& [label, score] : labels) {
    const Threshold* strongest = nullptr;      // of this label
    for (const auto& threshold : classifier.thresholds)
      if (threshold.label == label && score >= threshold.at && (strongest == nullptr || threshold.then > strongest->then)) strongest = &threshold;
    if (strongest == nullptr) continue;
    verdict.outcome = std::max(verdict.outcome, outcome_of(strongest->then));
    json::Writer detail;
    detail.object().key("score").number(score).key("at").number(strongest->at).end();
    findings.add("classifier", label, strongest->then, detail.take());
  }
  verdict.findings = findings.take();
  return verdict;
}

Verdict verdict_of_failure(const Classifier& classifier, std::string_view why) {
  Verdict verdict;
  if (classifier.on_failure == "allow") return verdict;
  const auto then = classifier.on_failure == "hold" ? Then::hold : Then::block;
  verdict.outcome = outcome_of(then);
  if (then == Then::block) verdict.reason = "This message could not be checked; try again later.";
  json::Writer detail;
  detail.object().field("why", why).end();
  Findings findings;
  findings.add("classifier", "no_answer", then, detail.take());
  verdict.findings = findings.take();
  return verdict;
}

}  // namespace chat::screening
