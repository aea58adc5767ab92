#include <catch2/catch.hpp>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "platform/base/yaml.h"
#include "tests/shape/tree.h"
#include "tests/support/contract.h"

// ops/docs/matrix.md: what customers can do, by which operations and events, and which tests prove it. Made from
// ops/docs/features.yaml and the names of the tests; what the whole suite was seen to do must bear it out.
namespace chat::test {
namespace {

using nlohmann::json;

const std::string kFeatures = "ops/docs/features.yaml";
const std::string kMatrix = "ops/docs/matrix.md";

/// Features and the beginnings of sections ({item}), in order.
json features_and_items() { return json::parse(yaml::File::read(std::string(CHAT_SOURCE_DIR "/") + kFeatures).json()).at("features"); }

json features() {
  json all = json::array();
  for (const auto& line : features_and_items())
    if (!line.contains("item")) all.push_back(line);
  return all;
}

std::vector<std::string> words(const json& feature, const char* key) { return feature.value(key, json::array()).get<std::vector<std::string>>(); }

/// What the names of its tests begin with.
std::vector<std::string> beginnings_of(const json& feature) {
  auto tests = words(feature, "tests");
  if (tests.empty() && feature.contains("noun")) tests.push_back(feature["noun"].get<std::string>() + ":");
  return tests;
}

bool begins(const std::string& text, const std::string& beginning) { return text.rfind(beginning, 0) == 0; }

/// The names of all test cases below tests/, each once.
const std::set<std::string>& test_names() {
  static const std::set<std::string> names = [] {
    static const std::regex kCase(R"re((?:TEST_CASE|TEMPLATE_TEST_CASE)\("((?:[^"\\]|\\.)*)")re");
    std::set<std::string> all;
    for (const SourceFile& file : tree()) {
      if (!file.below("tests") || file.below("tests/shape") || !file.is({".cpp"})) continue;
      const std::string text = read_file(file.path);
      for (std::sregex_iterator one(text.begin(), text.end(), kCase), end; one != end; ++one) all.insert((*one)[1]);
    }
    return all;
  }();
  return names;
}

std::vector<std::string> proofs(const json& feature) {
  std::vector<std::string> proving;
  const auto beginnings = beginnings_of(feature);
  for (const auto& name : test_names())
    if (std::any_of(beginnings.begin(), beginnings.end(), [&](const auto& beginning) { return begins(name, beginning); })) proving.push_back(name);
  return proving;
}

/// A heading as GitHub's anchor.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const char c : heading) {
    if (c == ' ' || c == '-' || c == '_') anchor += c == ' ' ? '-' : c;
    else if (std::isalnum(static_cast<unsigned char>(c)) != 0) anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return anchor;
}

bool has_anchor(const std::string& text, const std::string& anchor) {
  static const std::regex kHeading(R"((?:^|\n)#+ ([^\n]+))");
  for (std::sregex_iterator one(text.begin(), text.end(), kHeading), end; one != end; ++one)
    if (anchor_of((*one)[1]) == anchor) return true;
  return false;
}

void judge_page(const json& feature, std::vector<std::string>& mistakes) {
  const std::string name = feature.at("name"), page = feature.value("page", ""), file = page.substr(0, page.find('#'));
  if (page.empty()) return mistakes.push_back(name + ": no page teaches it");
  if (!exists("ops/docs/" + file)) return mistakes.push_back(name + ": no page " + file);
  if (file.size() < page.size() && !has_anchor(read_file("ops/docs/" + file), page.substr(file.size() + 1)))
    mistakes.push_back(name + ": no heading for " + page);
}

void judge_tests(const json& feature, std::map<std::string, std::string>& nouns, std::vector<std::string>& mistakes) {
  const std::string name = feature.at("name");
  const auto beginnings = beginnings_of(feature);
  if (feature.contains("noun") == feature.contains("tests")) mistakes.push_back(name + ": names either a noun or its tests");
  if (feature.contains("noun") && !nouns.emplace(feature["noun"], name).second)
    mistakes.push_back(name + ": shares its noun with " + nouns[feature["noun"]] + "; name its tests");
  for (const auto& beginning : beginnings)
    if (std::none_of(test_names().begin(), test_names().end(), [&](const auto& test) { return begins(test, beginning); }))
      mistakes.push_back(name + ": no test begins with " + beginning);
}

std::string joined(const std::vector<std::string>& all) {
  std::string out;
  for (const auto& word : all) out += (out.empty() ? "`" : ", `") + word + "`";
  return out;
}

std::string row(const json& feature) {
  std::string proved;
  for (const auto& test : proofs(feature)) proved += (proved.empty() ? "" : "<br>") + test;
  const std::string events = joined(words(feature, "events"));
  return "| [" + feature.at("name").get<std::string>() + "](" + feature.value("page", "") + ") | " + joined(words(feature, "operations")) +
         (events.empty() ? "" : "<br>" + events) + " | " + proved + " |\n";
}

std::string render() {
  std::string out = "# What you can do, and which tests prove it\n\n"
                    "Made from `features.yaml` and the names of the tests; do not edit. `CHAT_WRITE_DOCS=1 build/bin/chat_shape_tests \"[matrix]\"`\n"
                    "rewrites it. `./ops/test` sees that the tests named do what the row says.\n";
  for (const auto& line : features_and_items()) {
    if (line.contains("item")) out += "\n## " + line["item"].get<std::string>() + "\n\n| feature | operations, events | tests |\n| --- | --- | --- |\n";
    else out += row(line);
  }
  return out;
}

/// Tests that saw the operation answer well, or the event.
std::set<std::string> tests_that_saw(const std::filesystem::path& seen, const std::string& operation_or_event) {
  std::set<std::string> tests;
  for (const auto& entry : std::filesystem::directory_iterator(seen)) {
    const std::string name = entry.path().filename().string();
    if (name != "event." + operation_or_event && name != "operation." + operation_or_event + ".101" &&
        !begins(name, "operation." + operation_or_event + ".2")) continue;
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);)
      if (!line.empty()) tests.insert(line);
  }
  return tests;
}

}  // namespace

TEST_CASE("matrix: every public operation and event belongs to a feature, and each feature is real", "[shape][matrix]") {
  std::set<std::string> real, named;
  for (const Operation& operation : Contract::get().operations())
    if (operation.door != "operator") real.insert(operation.id);
  for (const auto& [type, ignored] : Contract::get().document()["x-events"].items()) real.insert(type);
  std::vector<std::string> mistakes;
  for (const auto& feature : features())
    for (const char* kind : {"operations", "events"})
      for (const auto& word : words(feature, kind)) named.insert(word);
  for (const auto& word : named)
    if (!real.count(word)) mistakes.push_back(word + ": the contract does not know it");
  for (const auto& word : real)
    if (!named.count(word)) mistakes.push_back(word + ": no feature in " + kFeatures + " names it");
  CHECK(listed(mistakes) == "");
}

TEST_CASE("matrix: every feature has the heading of a page, and tests that are its own", "[shape][matrix]") {
  std::vector<std::string> mistakes;
  std::map<std::string, std::string> nouns;
  for (const auto& feature : features()) {
    judge_page(feature, mistakes);
    judge_tests(feature, nouns, mistakes);
  }
  CHECK(features().size() >= 70);
  CHECK(test_names().size() >= 500);
  CHECK(listed(mistakes) == "");
}

TEST_CASE("matrix: the judges catch what they must", "[shape][matrix]") {
  std::map<std::string, std::string> nouns{{"reactions", "Other"}};
  const auto said = [&](const json& feature) {
    std::vector<std::string> mistakes;
    judge_page(feature, mistakes);
    judge_tests(feature, nouns, mistakes);
    return mistakes.size();
  };
  CHECK(said({{"name", "A"}, {"page", "users.md#leaving"}, {"noun", "polls"}}) == 0);
  CHECK(said({{"name", "A"}, {"page", "users.md#returning"}, {"tests", {"polls:"}}}) == 1);
  CHECK(said({{"name", "A"}, {"page", "nothing.md"}, {"tests", {"polls:"}}}) == 1);
  CHECK(said({{"name", "A"}, {"tests", {"polls: what nobody tests"}}}) == 2);
  CHECK(said({{"name", "A"}, {"page", "polls.md"}, {"noun", "reactions"}}) == 1);
  CHECK(said({{"name", "A"}, {"page", "polls.md"}}) == 1);
  CHECK(anchor_of("What one channel has: `otherwise`, than_its type") == "what-one-channel-has-otherwise-than_its-type");
}

// With the whole suite only, since every test that is added changes the page.
TEST_CASE("matrix: ops/docs/matrix.md shows what features.yaml and the tests say", "[matrix][coverage]") {
  const std::string page = render();
  if (std::getenv("CHAT_WRITE_DOCS") != nullptr) std::ofstream(std::string(CHAT_SOURCE_DIR "/") + kMatrix, std::ios::binary) << page;
  INFO("CHAT_WRITE_DOCS=1 build/bin/chat_shape_tests \"[matrix]\" brings the page up to date.");
  CHECK(read_file(kMatrix) == page);
}

TEST_CASE("matrix: the tests that a feature names were seen to do it", "[coverage]") {
  const char* seen = std::getenv("CHAT_CONTRACT_COVERAGE");
  if (seen == nullptr || *seen == '\0') {
    WARN("CHAT_CONTRACT_COVERAGE is not set: the matrix is judged by ./ops/test only");
    return;
  }
  std::vector<std::string> unproved;
  for (const auto& feature : features()) {
    std::set<std::string> saw;
    for (const char* kind : {"operations", "events"})
      for (const auto& word : words(feature, kind)) saw.merge(tests_that_saw(seen, word));
    const auto own = proofs(feature);
    if (std::none_of(own.begin(), own.end(), [&](const auto& test) { return saw.count(test) != 0; }))
      unproved.push_back(feature.at("name").get<std::string>() + ": none of its tests saw its operations or events");
  }
  CHECK(listed(unproved) == "");
}

}  // namespace chat::test
