#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "platform/base/yaml.h"
#include "tests/shape/metric_catalogue.h"
#include "tests/shape/tree.h"

// What Prometheus and Grafana are told: rules, dashboards, runbooks.
namespace chat::test {
namespace {

using nlohmann::json;

const std::string kConfig = "ops/config/";

json rules_of(const std::string& file) {
  json rules = json::array();
  const json document = json::parse(yaml::File::read(std::string(CHAT_SOURCE_DIR "/") + kConfig + file).json());
  for (const auto& group : document.at("groups"))
    for (const auto& rule : group.at("rules")) rules.push_back(rule);
  return rules;
}

struct Query {
  std::string where, expr;
};

void collect_queries(const json& node, const std::string& where, std::vector<Query>& all) {
  if (node.is_object() && node.contains("expr")) all.push_back({where + " " + node.value("legendFormat", ""), node["expr"]});
  if (node.is_structured())
    for (const auto& [key, part] : node.items())
      collect_queries(part, node.is_object() && node.contains("title") ? where.substr(0, where.find(':')) + ": " + node.value("title", "") : where, all);
}

std::vector<SourceFile> dashboards() {
  std::vector<SourceFile> all;
  for (const SourceFile& file : tree())
    if (file.below(kConfig + "grafana") && file.is({".json"})) all.push_back(file);
  return all;
}

std::vector<Query> dashboard_queries() {
  std::vector<Query> all;
  for (const SourceFile& file : dashboards()) collect_queries(json::parse(read_file(file.path)), file.path, all);
  return all;
}

std::vector<Query> rule_queries() {
  std::vector<Query> all;
  for (const char* file : {"alerts.yml", "recording.yml"})
    for (const auto& rule : rules_of(file)) all.push_back({file + (" " + rule.value("alert", rule.value("record", ""))), rule["expr"]});
  return all;
}

std::vector<std::string> unknown_metrics(const std::vector<Query>& queries) {
  std::vector<std::string> mistakes;
  const auto known = metric_catalogue(mistakes);
  std::set<std::string> recorded;
  for (const auto& rule : rules_of("recording.yml")) recorded.insert(rule["record"].get<std::string>());
  for (const Query& query : queries) {
    const auto names = metrics_in(query.expr, known);
    if (names.empty() && query.expr.find("up") == std::string::npos) mistakes.push_back(query.where + ": asks for no metric of chatd");
    for (const auto& name : names)
      if (known.count(name) == 0 && recorded.count(name) == 0) mistakes.push_back(query.where + ": no metric " + name);
  }
  return mistakes;
}

/// Labels in braces and after by, without, on, ignoring.
std::vector<std::string> unknown_labels(const std::vector<Query>& queries) {
  static const std::regex kBraces(R"(\{([^}]*)\})"), kMatcher(R"((\w+)\s*(?:=~|!~|!=|=))"),
      kGroups(R"(\b(?:by|without|on|ignoring)\s*\(([^)]*)\))"), kWord(R"((\w+))");
  std::vector<std::string> mistakes;
  std::set<std::string> known{"instance", "job", "le"};
  for (const auto& [name, metric] : metric_catalogue(mistakes)) known.insert(metric.labels.begin(), metric.labels.end());
  const auto look = [&](const Query& query, const std::regex& outer, const std::regex& inner) {
    for (std::sregex_iterator part(query.expr.begin(), query.expr.end(), outer), end; part != end; ++part) {
      const std::string text = (*part)[1];
      for (std::sregex_iterator label(text.begin(), text.end(), inner); label != end; ++label)
        if (known.count((*label)[1]) == 0) mistakes.push_back(query.where + ": no metric has the label " + (*label)[1].str());
    }
  };
  for (const Query& query : queries) {
    look(query, kBraces, kMatcher);
    look(query, kGroups, kWord);
  }
  return mistakes;
}

/// The words of a folder's sources, as "word".
bool is_said_in(const std::string& folder, const std::string& word) {
  for (const SourceFile& file : tree())
    if (file.below(folder) && file.is({".cpp", ".h"}) && read_file(file.path).find('"' + word + '"') != std::string::npos) return true;
  return false;
}

/// How something ended is a word of the code that counts it.
std::vector<std::string> unknown_values(const std::vector<Query>& queries) {
  static const std::regex kSelector(R"((chat_\w+?)(?:_bucket|_sum|_count)?\{([^}]*)\})"), kValue(R"r((?:result|outcome|reason)\s*(?:=~|!~|!=|=)\s*"([^"$]*)")r"), kWord(R"(\w+)");
  std::vector<std::string> mistakes;
  const auto known = metric_catalogue(mistakes);
  for (const Query& query : queries) {
    for (std::sregex_iterator selector(query.expr.begin(), query.expr.end(), kSelector), end; selector != end; ++selector) {
      const auto metric = known.find((*selector)[1]);
      if (metric == known.end()) continue;
      const std::string labels = (*selector)[2], folder = metric->second.where.substr(0, metric->second.where.rfind('/'));
      for (std::sregex_iterator value(labels.begin(), labels.end(), kValue); value != end; ++value) {
        const std::string words = (*value)[1];
        for (std::sregex_iterator word(words.begin(), words.end(), kWord); word != end; ++word)
          if (!is_said_in(folder, word->str())) mistakes.push_back(query.where + ": " + metric->first + " never says " + word->str());
      }
    }
  }
  return mistakes;
}

/// What promtool says against the expressions, as rules. Grafana's variables stand for a word.
int promtool_judges(const std::vector<Query>& queries) {
  static const std::regex kInterval(R"(\$__(rate_)?(interval|range))"), kVariable(R"(\$\w+)");
  json rules = json::array();
  for (std::size_t i = 0; i < queries.size(); ++i)
    rules.push_back({{"record", "query:" + std::to_string(i)},
                     {"expr", std::regex_replace(std::regex_replace(queries[i].expr, kInterval, "5m"), kVariable, "x")}});
  const std::string file = (std::filesystem::temp_directory_path() / ("queries-" + std::to_string(getpid()) + ".yml")).string();
  std::ofstream(file) << json{{"groups", {{{"name", "queries"}, {"rules", rules}}}}}.dump();
  const int result = std::system(("promtool check rules --lint=none " + file + " >" + file + ".said 2>&1").c_str());
  if (result != 0) {
    std::ifstream said(file + ".said");
    UNSCOPED_INFO(std::string(std::istreambuf_iterator<char>(said), {}));
  }
  std::filesystem::remove(file);
  std::filesystem::remove(file + ".said");
  return result;
}

}  // namespace

TEST_CASE("rules: alerts and recording rules ask for metrics that exist", "[shape][watching]") {
  CHECK(rule_queries().size() >= 15);
  CHECK(listed(unknown_metrics(rule_queries())) == "");
  CHECK(listed(unknown_labels(rule_queries())) == "");
  CHECK(listed(unknown_values(rule_queries())) == "");
}

TEST_CASE("rules: a wrong name, label or query is found", "[shape][watching]") {
  CHECK(unknown_metrics({{"a", "rate(chat_nothing_total[5m])"}}).size() == 1);
  CHECK(unknown_metrics({{"a", "rate(chat_http_request_duration_seconds_bucket[5m])"}}).empty());
  CHECK(unknown_metrics({{"a", "rate(chat_http_requests_total_bucket[5m])"}}).size() == 1);
  CHECK(unknown_metrics({{"a", "instance:chat_nothing:rate5m"}}).size() == 1);
  CHECK(unknown_labels({{"a", "sum by (door, colour) (chat_http_requests_total{shape=\"round\"})"}}).size() == 2);
  CHECK(unknown_values({{"a", "rate(chat_usage_flush_total{result=\"mislaid\"}[5m])"}}).size() == 1);
  CHECK(promtool_judges({{"a", "sum(rate(chat_http_requests_total)"}}) != 0);
}

TEST_CASE("rules: every alert says who is called, fires in one promtool test and stays quiet in another", "[shape][watching]") {
  const std::string tests = read_file(kConfig + "rules_test.yml");
  std::vector<std::string> mistakes;
  for (const auto& rule : rules_of("alerts.yml")) {
    const std::string name = rule.at("alert");
    std::size_t firing = 0, quiet = 0, place = 0;
    const std::string mark = "alertname: " + name + "\n";
    while ((place = tests.find(mark, place)) != std::string::npos) {
      place += mark.size();
      const std::string expected = tests.substr(place, tests.find('\n', place) - place);
      (expected.find("exp_alerts: []") != std::string::npos ? quiet : firing)++;
    }
    if (firing == 0 || quiet == 0) mistakes.push_back(name + ": lacks a firing or a quiet test in rules_test.yml");
    const std::string severity = rule["labels"].value("severity", "");
    if (severity != "page" && severity != "ticket") mistakes.push_back(name + ": severity is page or ticket");
  }
  CHECK(listed(mistakes) == "");
}

TEST_CASE("runbooks: each alert links its page, and each page has its alert", "[shape][watching]") {
  std::set<std::string> pages;
  for (const SourceFile& file : tree())
    if (file.folder() == "ops/runbooks" && file.name() != "README.md") pages.insert(file.path);
  std::vector<std::string> mistakes;
  for (const auto& rule : rules_of("alerts.yml")) {
    const std::string name = rule.at("alert"), page = rule["annotations"].value("runbook_url", "");
    if (page != "ops/runbooks/" + name + ".md" || pages.erase(page) == 0) {
      mistakes.push_back(name + ": no page at " + page);
      continue;
    }
    const std::string text = read_file(page);
    for (const char* part : {"## Symptom", "## Meaning", "## Look", "## Do"})
      if (text.find(part) == std::string::npos) mistakes.push_back(page + ": lacks " + part);
    if (text.rfind("# " + name + "\n", 0) != 0) mistakes.push_back(page + ": begins with another name");
  }
  for (const auto& page : pages) mistakes.push_back(page + ": no alert leads here");
  CHECK(listed(mistakes) == "");
}

TEST_CASE("runbooks: they name metrics that exist", "[shape][watching]") {
  std::vector<std::string> mistakes;
  const auto known = metric_catalogue(mistakes);
  for (const SourceFile& file : tree())
    if (file.folder() == "ops/runbooks")
      for (std::size_t i = 0; i < file.lines.size(); ++i)
        for (const auto& name : metrics_in(file.lines[i], known))
          if (known.count(name) == 0 && name.find(':') == std::string::npos) mistakes.push_back(file.at(i) + ": no metric " + name);
  CHECK(listed(mistakes) == "");
}

TEST_CASE("dashboards: every query names metrics and labels that exist, and is PromQL", "[shape][watching]") {
  const auto queries = dashboard_queries();
  CHECK(dashboards().size() >= 4);
  CHECK(queries.size() >= 40);
  CHECK(listed(unknown_metrics(queries)) == "");
  CHECK(listed(unknown_labels(queries)) == "");
  CHECK(listed(unknown_values(queries)) == "");
  CHECK(promtool_judges(queries) == 0);
}

TEST_CASE("dashboards: each has an own uid and title, a data source to choose, a unit on every panel", "[shape][watching]") {
  std::set<std::string> uids, titles;
  std::vector<std::string> mistakes;
  for (const SourceFile& file : dashboards()) {
    const json board = json::parse(read_file(file.path));
    if (!uids.insert(board.at("uid")).second || !titles.insert(board.at("title")).second) mistakes.push_back(file.path + ": uid or title stands twice");
    if (board["templating"]["list"][0].value("type", "") != "datasource") mistakes.push_back(file.path + ": the first variable is no data source");
    for (const auto& panel : board.at("panels")) {
      const std::string place = file.path + ": " + panel.value("title", "?");
      if (panel["fieldConfig"]["defaults"].value("unit", "").empty()) mistakes.push_back(place + ": no unit");
      if (panel.value("description", "").empty()) mistakes.push_back(place + ": no description");
      if (panel["datasource"].value("uid", "") != "${source}") mistakes.push_back(place + ": a data source of its own");
    }
  }
  CHECK(listed(mistakes) == "");
}

}  // namespace chat::test
