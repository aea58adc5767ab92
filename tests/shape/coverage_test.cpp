#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "platform/base/error.h"
#include "tests/shape/tree.h"
#include "tests/support/contract.h"

// What the whole suite must have exercised. Runs last. Without the variables nothing was recorded, and it says so.
namespace chat::test {
namespace {

std::optional<std::filesystem::path> directory(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value == '\0') {
    WARN(variable << " is not set: coverage is judged by ./ops/test only");
    return std::nullopt;
  }
  return value;
}

// The engines' own refusals are tested on raw sockets, and a running twin against PostgreSQL alone, where nothing is recorded:
// then the test must name the code.
bool is_named_in_api_tests(const std::string& code) {
  for (const SourceFile& file : tree())
    if (file.below("tests/api") || file.below("tests/db"))
      for (const std::string& line : file.lines)
        if (line.find("\"" + code) != std::string::npos || line.find("Code::" + code) != std::string::npos) return true;
  return false;
}

}  // namespace

TEST_CASE("coverage: every SQL statement was executed by some test", "[coverage]") {
  const auto seen = directory("CHAT_SQL_COVERAGE");
  if (!seen) return;
  std::vector<std::string> missing;
  for (const NamedStatement& statement : statements())
    if (!std::filesystem::exists(*seen / statement.name)) missing.push_back(statement.where + ": no test executed " + statement.name);
  CHECK(listed(missing) == "");
}

TEST_CASE("coverage: every operation answered well in some test", "[coverage]") {
  const auto seen = directory("CHAT_CONTRACT_COVERAGE");
  if (!seen) return;
  std::vector<std::string> missing;
  for (const Operation& operation : Contract::get().operations())
    for (const auto& [status, ignored] : operation.node->at("responses").items())
      if (status[0] == '2' && !std::filesystem::exists(*seen / ("operation." + operation.id + "." + status)))
        missing.push_back(operation.id + ": no test saw its " + status);
  CHECK(listed(missing) == "");
}

TEST_CASE("coverage: every change by an operator or of an application's set-up was seen in an audit", "[coverage]") {
  const auto seen = directory("CHAT_CONTRACT_COVERAGE");
  if (!seen) return;
  // What leaves no note of its own, and why.
  static const std::map<std::string, std::string> unnoted = {
      {"add_import_part", "apply_import notes the lines with their digest"},
      {"preview_push_template", "changes nothing"},
      {"check_push", "changes nothing"},
      {"preview_segment", "changes nothing"},
      {"try_campaign", "changes nothing"},
      {"check_text", "changes nothing"},
      {"test_moderation_rules", "changes nothing"},
      {"test_classifier", "changes nothing"},
      {"upsert_users", "users"},
      {"delete_user", "users"},
      {"deactivate_user", "users"},
      {"reactivate_user", "users"},
      {"revoke_user_tokens", "users"},
      {"export_user", "users"},
      {"ban_user", "users"},
      {"lift_ban", "users"},
      {"put_translation", "messages"},
      {"delete_translation", "messages"},
      {"send_ephemeral_message", "messages"},
      {"replay_webhook_delivery", "deliveries have a log of their own"},
      {"replay_webhook_deliveries", "deliveries have a log of their own"},
      {"test_webhook_endpoint", "deliveries have a log of their own"},
      {"begin_server_upload", "messages"}};
  std::vector<std::string> mistakes;
  auto left = unnoted;
  for (const Operation& operation : Contract::get().operations()) {
    if (!Contract::get().find_change(operation.method, operation.path)) continue;
    if (left.erase(operation.id)) continue;
    if (!std::filesystem::exists(*seen / ("noted." + operation.id))) mistakes.push_back(operation.id + ": no test saw its note in an audit");
  }
  for (const auto& [id, why] : left) mistakes.push_back(id + ": excused as " + why + ", but it is no change any more");
  CHECK(listed(mistakes) == "");
}

TEST_CASE("coverage: every event was seen by some test", "[coverage]") {
  const auto seen = directory("CHAT_CONTRACT_COVERAGE");
  if (!seen) return;
  std::vector<std::string> missing;
  for (const auto& [type, ignored] : Contract::get().document()["x-events"].items())
    if (!std::filesystem::exists(*seen / ("event." + type))) missing.push_back(type + ": no test saw it");
  CHECK(listed(missing) == "");
}

TEST_CASE("coverage: every problem code was answered in some test", "[coverage]") {
  const auto seen = directory("CHAT_CONTRACT_COVERAGE");
  if (!seen) return;
  // Answered only when the program has a bug.
  static const std::set<std::string> unreachable = {"internal"};
  std::vector<std::string> missing;
  for (const CodeRow& row : code_rows()) {
    const std::string code(row.word);
    if (!unreachable.count(code) && !std::filesystem::exists(*seen / ("code." + code)) && !is_named_in_api_tests(code))
      missing.push_back(code + ": no test saw it");
  }
  CHECK(listed(missing) == "");
}

}  // namespace chat::test
