#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "platform/base/yaml.h"
#include "tests/shape/tree.h"
#include "tests/support/contract.h"

// ops/docs/matrix.md: what customers can do, by which operations and events, and which tests prove it. Made from
// ops/docs/features.yaml, the contract and what the whole suite was seen to do.
namespace chat::test {
namespace {

const std::string kFeatures = "ops/docs/features.yaml";
const std::string kMatrix = "ops/docs/matrix.md";
constexpr std::size_t kMostTests = 5;

nlohmann::json features() {
  return nlohmann::json::parse(yaml::File::read(std::string(CHAT_SOURCE_DIR "/") + kFeatures).json()).at("features");
}

std::set<std::string> lines_in(const std::filesystem::path& file) {
  std::set<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.insert(line);
  return lines;
}

// Tests that saw the operation answer well, or the event.
std::set<std::string> tests_of(const std::filesystem::path& seen, const std::string& operation_or_event) {
  std::set<std::string> tests;
  for (const auto& entry : std::filesystem::directory_iterator(seen)) {
    const std::string name = entry.path().filename().string();
    const bool is_it = name == "event." + operation_or_event || name.rfind("operation." + operation_or_event + ".2", 0) == 0 ||
                       name == "operation." + operation_or_event + ".101";
    if (is_it) tests.merge(lines_in(entry.path()));
  }
  return tests;
}

// A test proves a feature when it speaks of one of its nouns: "reactions: a second one …". Otherwise those that used it.
std::vector<std::string> proofs(const std::filesystem::path& seen, const nlohmann::json& feature) {
  std::vector<std::string> near, far;
  std::set<std::string> all;
  for (const char* kind : {"operations", "events"})
    for (const auto& word : feature.value(kind, nlohmann::json::array())) all.merge(tests_of(seen, word));
  const std::string noun = feature.value("noun", "");
  for (const auto& test : all) (!noun.empty() && test.rfind(noun + ":", 0) == 0 ? near : far).push_back(test);
  return near.empty() ? far : near;
}

std::string joined(const nlohmann::json& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "`" : ", `") + word.get<std::string>() + "`";
  return out;
}

std::string row(const std::filesystem::path& seen, const nlohmann::json& feature) {
  const auto tests = proofs(seen, feature);
  std::string proved;
  for (std::size_t i = 0; i < std::min(kMostTests, tests.size()); ++i) proved += (i == 0 ? "" : "<br>") + tests[i];
  if (tests.size() > kMostTests) proved += "<br>and " + std::to_string(tests.size() - kMostTests) + " more";
  const std::string page = feature.value("page", "");
  const std::string name = feature.at("name").get<std::string>();
  std::string events = joined(feature.value("events", nlohmann::json::array()));
  return "| " + (page.empty() ? name : "[" + name + "](" + page + ")") + " | " +
         joined(feature.value("operations", nlohmann::json::array())) + (events.empty() ? "" : "<br>" + events) + " | " + proved + " |\n";
}

std::string render(const std::filesystem::path& seen) {
  std::string out = "# What you can do, and which tests prove it\n\n"
                    "Made from `features.yaml`, the contract and what the tests did; do not edit. "
                    "`CHAT_WRITE_DOCS=1 ./ops/test` rewrites it.\n\n"
                    "| feature | operations, events | tests |\n| --- | --- | --- |\n";
  for (const auto& feature : features()) out += row(seen, feature);
  return out;
}

}  // namespace

TEST_CASE("matrix: every public operation and event belongs to a feature, and each feature is real", "[shape]") {
  std::set<std::string> real, named;
  for (const Operation& operation : Contract::get().operations())
    if (operation.door != "operator") real.insert(operation.id);
  for (const auto& [type, ignored] : Contract::get().document()["x-events"].items()) real.insert(type);
  std::vector<std::string> mistakes;
  for (const auto& feature : features()) {
    for (const char* kind : {"operations", "events"})
      for (const auto& word : feature.value(kind, nlohmann::json::array())) named.insert(word);
    const std::string page = feature.value("page", "");
    if (!page.empty() && !exists("ops/docs/" + page)) mistakes.push_back(feature.at("name").get<std::string>() + ": no page " + page);
  }
  for (const auto& word : named)
    if (!real.count(word)) mistakes.push_back(word + ": the contract does not know it");
  for (const auto& word : real)
    if (!named.count(word)) mistakes.push_back(word + ": no feature in " + kFeatures + " names it");
  CHECK(listed(mistakes) == "");
}

TEST_CASE("matrix: ops/docs/matrix.md shows what the tests proved", "[coverage]") {
  const char* seen = std::getenv("CHAT_CONTRACT_COVERAGE");
  if (seen == nullptr || *seen == '\0') {
    WARN("CHAT_CONTRACT_COVERAGE is not set: the matrix is judged by ./ops/test only");
    return;
  }
  const std::string page = render(seen);
  if (std::getenv("CHAT_WRITE_DOCS") != nullptr) std::ofstream(std::string(CHAT_SOURCE_DIR "/") + kMatrix, std::ios::binary) << page;
  std::vector<std::string> unproved;
  for (const auto& feature : features())
    if (proofs(seen, feature).empty()) unproved.push_back(feature.at("name").get<std::string>() + ": no test proves it");
  CHECK(listed(unproved) == "");
}

}  // namespace chat::test
