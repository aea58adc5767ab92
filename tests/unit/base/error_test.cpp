#include "platform/base/error.h"

#include <catch2/catch.hpp>
#include <set>

#include "platform/base/json.h"

using namespace chat;

TEST_CASE("error: the table has a complete row for every code, in order", "[unit][base][error]") {
  std::set<std::string_view> words;
  int index = 0;
  for (const CodeRow& row : code_rows()) {
    INFO(row.word);
    CHECK(static_cast<int>(row.code) == index++);
    CHECK(&row_of(row.code) == &row);
    CHECK(words.insert(row.word).second);
    CHECK(row.word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos);
    CHECK((row.status >= 400 && row.status <= 599));
    CHECK(row.title.ends_with('.'));
    CHECK(row.advice.ends_with('.'));
  }
  CHECK(index == static_cast<int>(Code::unavailable) + 1);
}

TEST_CASE("error: the statuses and the retry flag are the published ones", "[unit][base][error]") {
  struct Row {
    Code code;
    const char* word;
    int status;
    bool retryable;
  };
  const Row rows[] = {
      {Code::malformed_json, "malformed_json", 400, false}, {Code::token_revoked, "token_revoked", 401, false},
      {Code::channel_frozen, "channel_frozen", 403, false}, {Code::limit_reached, "limit_reached", 403, false},
      {Code::request_timeout, "request_timeout", 408, true},
      {Code::idempotency_running, "idempotency_running", 409, true},
      {Code::idempotency_mismatch, "idempotency_mismatch", 422, false},
      {Code::quota_exceeded, "quota_exceeded", 429, false}, {Code::rate_limited, "rate_limited", 429, true},
      {Code::internal, "internal", 500, false},             {Code::unavailable, "unavailable", 503, true},
  };
  for (const Row& row : rows) {
    INFO(row.word);
    CHECK(row_of(row.code).word == row.word);
    CHECK(row_of(row.code).status == row.status);
    CHECK(row_of(row.code).retryable == row.retryable);
  }
}

TEST_CASE("error: the problem document says everything but the log's detail", "[unit][base][error]") {
  Error error(Code::invalid_field, "Two fields are wrong.", {{"#/name", "is \"bad\""}, {"query:limit", "too big"}});
  error.with_log("a secret of the log").with_retry_after(std::chrono::seconds{3});
  CHECK(problem_json(error, "req-1") ==
        R"({"type":"urn:chatd:problem:invalid_field","title":"One or more fields are not valid.","status":400,)"
        R"("code":"invalid_field","detail":"Two fields are wrong.","request_id":"req-1","retryable":false,)"
        R"("errors":[{"pointer":"#/name","detail":"is \"bad\""},{"pointer":"query:limit","detail":"too big"}]})");
  CHECK(error.log_detail() == "a secret of the log");
  CHECK(error.retry_after() == std::chrono::seconds{3});
}

TEST_CASE("error: every code makes a problem document that parses", "[unit][base][error]") {
  for (const CodeRow& row : code_rows()) {
    const auto document = json::Document::parse(problem_json(Error(row.code, "why"), "id"));
    CHECK(document.root().find("code")->text() == row.word);
    CHECK(document.root().find("type")->text() == "urn:chatd:problem:" + std::string(row.word));
    CHECK(document.root().find("status")->integer() == row.status);
    CHECK(document.root().find("errors")->items().empty());
  }
}

TEST_CASE("error: the usual refusals use the same words", "[unit][base][error]") {
  CHECK(std::string(not_found("channel").what()) == "No such channel.");
  CHECK(not_found("channel").code() == Code::not_found);
  CHECK(forbidden("No.").code() == Code::forbidden);
  const Error wrong = invalid_field("path:user_id", "must be short");
  CHECK(std::string(wrong.what()) == "path:user_id must be short");
  REQUIRE(wrong.fields().size() == 1);
  CHECK(wrong.fields()[0].pointer == "path:user_id");
}
