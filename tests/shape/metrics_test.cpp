#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/shape/metric_catalogue.h"
#include "tests/shape/tree.h"

// ops/docs/metrics.md: every metric of chatd. Made from the sources; a running chatd is held against it by tests/api/process.
namespace chat::test {
namespace {

const std::string kPage = "ops/docs/metrics.md";

std::string render(const std::map<std::string, CatalogueMetric>& metrics) {
  std::ostringstream out;
  out << "# Metrics\n\n"
         "What `/metrics` of the operator's door tells Prometheus. Made from the sources, do not edit: `CHAT_WRITE_DOCS=1\n"
         "build/bin/chat_shape_tests \"[metrics]\"` rewrites it. Names of counters end in `_total`, of others in their unit; times are seconds.\n"
         "A series appears when there is something to count; those of applications are the busiest `metrics.top_applications`, the\n"
         "others together under `app=\"__other__\"`. Bills come from `chatctl usage`, never from here. The alerts and recording rules are in\n"
         "`ops/config`, dashboards in `ops/config/grafana`, what to do in `ops/runbooks`.\n\n"
         "| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n";
  for (const auto& [name, metric] : metrics) {
    std::string labels;
    for (const auto& label : metric.labels) labels += (labels.empty() ? "`" : ", `") + label + "`";
    out << "| `" << name << "` | " << metric.type << " | " << labels << " | " << metric.help << " |\n";
  }
  return out.str();
}

bool ends(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

void judge_name(const std::string& name, const CatalogueMetric& metric, std::vector<std::string>& mistakes) {
  const std::string place = metric.where + ": " + name;
  if (name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos) mistakes.push_back(place + " is not lower case");
  if ((metric.type == "counter") != ends(name, "_total")) mistakes.push_back(place + ": counters, and only they, end in _total");
  for (const char* unit : {"_ms", "_milliseconds", "_microseconds", "_minutes", "_hours", "_days", "_kb", "_mb", "_kilobytes", "_megabytes", "_percent"})
    if (name.find(std::string(unit) + "_") != std::string::npos || ends(name, unit)) mistakes.push_back(place + " is not in a base unit");
  if (metric.type == "histogram" && !ends(name, "_seconds") && !ends(name, "_bytes") && !ends(name, "s"))
    mistakes.push_back(place + ": a histogram ends in its unit");
  for (const char* taken : {"type", "le", "quantile", "instance", "job", "region", "app_id", "user_id", "channel"})
    if (metric.labels.count(taken) != 0) mistakes.push_back(place + ": label " + taken + " is Prometheus' own, or without bound");
}

void judge_help(const std::string& name, const CatalogueMetric& metric, std::vector<std::string>& mistakes) {
  std::istringstream in(metric.help);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  const bool begins = !words.empty() && (std::isupper(static_cast<unsigned char>(words[0][0])) != 0 || words[0].find('.') != std::string::npos);
  const bool is_sentence = begins && words.size() >= 2 && metric.help.back() == '.';   // or it begins with an event's name
  if (!is_sentence) mistakes.push_back(metric.where + ": the text of " + name + " is no sentence: " + metric.help);
  if (metric.help.find('|') != std::string::npos) mistakes.push_back(metric.where + ": the text of " + name + " breaks the table");
}

}  // namespace

TEST_CASE("metrics: every one has a name by the rules and says what it means", "[shape][metrics]") {
  std::vector<std::string> mistakes;
  const auto metrics = metric_catalogue(mistakes);
  CHECK(metrics.size() >= 80);
  for (const auto& [name, metric] : metrics) {
    judge_name(name, metric, mistakes);
    judge_help(name, metric, mistakes);
  }
  CHECK(listed(mistakes) == "");
}

TEST_CASE("metrics: the judges catch what they must", "[shape][metrics]") {
  const auto said = [](const std::string& name, const CatalogueMetric& metric) {
    std::vector<std::string> mistakes;
    judge_name(name, metric, mistakes);
    judge_help(name, metric, mistakes);
    return mistakes.size();
  };
  CHECK(said("chat_sends_total", {"counter", "Messages sent.", {"kind"}, ""}) == 0);
  CHECK(said("chat_sends", {"counter", "Messages sent.", {}, ""}) == 1);
  CHECK(said("chat_waiting_total", {"gauge", "Messages that wait.", {}, ""}) == 1);
  CHECK(said("chat_wait_ms", {"gauge", "Time that messages wait.", {}, ""}) == 1);
  CHECK(said("chat_runs_total", {"counter", "Runs of jobs.", {"job"}, ""}) == 1);
  CHECK(said("chat_runs_total", {"counter", "Runs", {}, ""}) == 1);
}

TEST_CASE("metrics: ops/docs/metrics.md shows what the sources register", "[shape][metrics]") {
  std::vector<std::string> mistakes;
  const std::string page = render(metric_catalogue(mistakes));
  if (std::getenv("CHAT_WRITE_DOCS") != nullptr) std::ofstream(std::string(CHAT_SOURCE_DIR "/") + kPage, std::ios::binary) << page;
  INFO("CHAT_WRITE_DOCS=1 build/bin/chat_shape_tests \"[metrics]\" brings the page up to date.");
  REQUIRE(exists(kPage));
  CHECK(read_file(kPage) == page);
}

}  // namespace chat::test
