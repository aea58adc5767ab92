#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "platform/base/error.h"
#include "tests/shape/tree.h"
#include "tests/support/contract.h"

namespace chat::test {
namespace {

using nlohmann::json;

const char* const kErrorsFile = "platform/http/ERRORS.md";

std::string render_errors() {
  std::ostringstream out;
  out << "# Problem codes\n\n"
         "Every refusal is `application/problem+json` (RFC 9457) with one of these in `code`; the set is closed and a word never changes\n"
         "its meaning. Read `code`, show `detail` to developers, quote `request_id` to the operator. `errors` names every wrong field\n"
         "at once, by JSON Pointer into the body (`#/members/3/role`) or as `query:…`, `path:…`, `header:…`.\n"
         "Made from the table in platform/base/error.cpp; tests/shape compares.\n\n"
         "| code | status | retry | it means | what to do |\n| --- | --- | --- | --- | --- |\n";
  for (const CodeRow& row : code_rows())
    out << "| `" << row.word << "` | " << row.status << " | " << (row.retryable ? "yes" : "no") << " | " << row.title << " | "
        << row.advice << " |\n";
  return out.str();
}

}  // namespace

TEST_CASE("errors: the contract's codes are the rows of the error table", "[shape][errors]") {
  std::vector<std::string> words;
  for (const CodeRow& row : code_rows()) words.emplace_back(row.word);
  CHECK(Contract::get().document()["components"]["schemas"]["ProblemCode"]["enum"].get<std::vector<std::string>>() == words);
}

TEST_CASE("errors: every status in the contract is that of its codes", "[shape][errors]") {
  std::map<std::string, int> status_of;
  for (const CodeRow& row : code_rows()) status_of[std::string(row.word)] = row.status;
  std::set<std::string> mentioned;
  for (const std::string code : Contract::get().document()["x-common-codes"]) mentioned.insert(code);
  std::vector<std::string> mistakes;
  for (const Operation& operation : Contract::get().operations())
    for (const auto& [status, reference] : operation.node->at("responses").items()) {
      const json& response = Contract::get().schemas().resolve(reference);
      if (status == "default" || std::stoi(status) < 400) continue;
      const std::string place = operation.id + " " + status;
      if (!response.contains("x-codes")) mistakes.push_back(place + ": lacks x-codes");
      for (const std::string code : response.value("x-codes", json::array())) {
        mentioned.insert(code);
        if (!status_of.count(code) || std::to_string(status_of[code]) != status)
          mistakes.push_back(place + ": " + code + " has another status in the error table");
      }
    }
  for (const auto& [code, ignored] : status_of)
    if (!mentioned.count(code)) mistakes.push_back(code + ": no operation answers it");
  CHECK(listed(mistakes) == "");
}

TEST_CASE("errors: a problem document fits the contract", "[shape][errors]") {
  const Error error(Code::invalid_field, "2 fields are wrong.", {{"#/name", "too long"}, {"query:limit", "must be 1 to 100"}});
  const std::string body = problem_json(error, "0123456789abcdef");
  CHECK(listed(Contract::get().check_response("GET", "/v1/users/alice", 400, body)) == "");
}

// CHAT_WRITE_DOCS=1 build/bin/chat_shape_tests "[errors]" brings the page up to date.
TEST_CASE("errors: platform/http/ERRORS.md shows the error table as it is", "[shape][errors]") {
  if (std::getenv("CHAT_WRITE_DOCS") != nullptr)
    std::ofstream(std::string(CHAT_SOURCE_DIR "/") + kErrorsFile, std::ios::binary) << render_errors();
  REQUIRE(exists(kErrorsFile));
  CHECK(read_file(kErrorsFile) == render_errors());
}

}  // namespace chat::test
