#include "platform/chat/moderation/settings.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/chat/channels/channels.h"
#include "platform/chat/moderation/reviewer.sql.h"

namespace chat::moderation {
namespace {

constexpr std::int64_t kMaxPoints = 1'000, kMaxDays = 3'650, kMaxMinutes = 525'600;

std::vector<Reason> read_reasons(json::Fields& set, const std::vector<json::Value>& given) {
  std::vector<Reason> reasons;
  for (std::size_t i = 0; i < given.size(); ++i) {
    json::Fields fields(given[i], set.pointer("reasons") + "/" + std::to_string(i));
    Reason one{fields.text("reason", {.min_bytes = 1, .max_bytes = 64}), fields.find_integer("severity", {1, 3}).value_or(2)};
    if (fields.ok() && !channels::is_channel_type(one.reason)) fields.mistake("reason", "Must be of a-z 0-9 _ -.");
    if (std::any_of(reasons.begin(), reasons.end(), [&](const Reason& other) { return other.reason == one.reason; })) fields.mistake("reason", "Stands twice.");
    fields.check_unknown();
    set.absorb(fields);
    reasons.push_back(std::move(one));
  }
  return reasons;
}

void read_points(json::Fields& set, const json::Value& given, Settings& settings) {
  json::Fields fields(given, set.pointer("points"));
  for (auto& [action, points] : settings.points) points = fields.find_integer(action, {0, kMaxPoints}).value_or(points);
  fields.check_unknown();
  set.absorb(fields);
}

std::vector<Threshold> read_thresholds(json::Fields& set, const std::vector<json::Value>& given) {
  std::vector<Threshold> thresholds;
  for (std::size_t i = 0; i < given.size(); ++i) {
    json::Fields fields(given[i], set.pointer("thresholds") + "/" + std::to_string(i));
    Threshold one;
    one.points = fields.integer("points", {1, kMaxPoints});
    one.action = fields.word("action", {"probation", "timeout", "shadow_ban", "ban"});
    one.whole = fields.find_word("scope", {"channel", "application"}).value_or("channel") == "application";
    one.minutes = fields.find_integer("minutes", {0, kMaxMinutes}).value_or(0);
    if (one.minutes == 0 && (one.action == "probation" || one.action == "timeout")) fields.mistake("minutes", "Required of " + one.action + ".");
    fields.check_unknown();
    set.absorb(fields);
    thresholds.push_back(std::move(one));
  }
  std::stable_sort(thresholds.begin(), thresholds.end(), [](const auto& a, const auto& b) { return a.points < b.points; });
  return thresholds;
}

}  // namespace

void read_settings(json::Fields& set, Settings& settings) {
  if (auto given = set.find_array("reasons", kMaxReasons, 1)) settings.reasons = read_reasons(set, *given);
  if (auto given = set.find_object("points")) read_points(set, *given, settings);
  if (auto given = set.find_array("thresholds", kMaxThresholds)) settings.thresholds = read_thresholds(set, *given);
  settings.decay_days = set.find_integer("decay_days", {0, kMaxDays}).value_or(settings.decay_days);
  settings.probation_holds = set.find_boolean("probation_holds").value_or(settings.probation_holds);
  settings.appeal_days = set.find_integer("appeal_days", {0, kMaxDays}).value_or(settings.appeal_days);
  settings.evidence_days = set.find_integer("evidence_days", {1, kMaxDays}).value_or(settings.evidence_days);
}

void unset_settings(json::Fields& body, const std::vector<std::string>& names, Settings& settings) {
  const Settings defaults;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& name = names[i];
    if (name == "reasons") settings.reasons = defaults.reasons;
    else if (name == "points") settings.points = defaults.points;
    else if (name == "thresholds") settings.thresholds = defaults.thresholds;
    else if (name == "decay_days") settings.decay_days = defaults.decay_days;
    else if (name == "probation_holds") settings.probation_holds = defaults.probation_holds;
    else if (name == "appeal_days") settings.appeal_days = defaults.appeal_days;
    else if (name == "evidence_days") settings.evidence_days = defaults.evidence_days;
    else body.mistake_at("unset/" + std::to_string(i), "There is no such setting.");
  }
}

std::string settings_json(const Settings& settings) {
  json::Writer out;
  out.object().key("reasons").array();
  for (const auto& one : settings.reasons) out.object().field("reason", one.reason).field("severity", one.severity).end();
  out.end().key("points").object();
  for (const auto& [action, points] : settings.points) out.field(action, points);
  out.end().field("decay_days", settings.decay_days).key("thresholds").array();
  for (const auto& one : settings.thresholds)
    out.object().field("points", one.points).field("action", one.action).field("scope", one.whole ? "application" : "channel")
        .field("minutes", one.minutes).end();
  out.end().key("probation_holds").boolean(settings.probation_holds).field("appeal_days", settings.appeal_days)
      .field("evidence_days", settings.evidence_days).end();
  return out.take();
}

Settings get_settings(storage::Transaction& tx) {
  Settings settings;
  auto rows = tx.find(sql::get_settings, tx.app());
  if (!rows) return settings;
  const auto document = json::Document::parse((*rows)[0].text(0));
  json::Fields fields(document.root());
  read_settings(fields, settings);
  return settings;
}

void put_settings(storage::Transaction& tx, const Settings& settings, Timestamp now) {
  tx.run(sql::put_settings, tx.app(), settings_json(settings), now);
}

}  // namespace chat::moderation
