#include <catch2/catch.hpp>

#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

std::string nested(int depth) {
  std::string out;
  for (int i = 0; i < depth; ++i) out += "{\"a\":";
  return out + "1" + std::string(static_cast<std::size_t>(depth), '}');
}

}  // namespace

TEST_CASE("input: every malformed body has its one code, names the place and changes nothing", "[api][input]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  struct Case { std::string what, body, code, pointer; int status = 400; };
  const std::vector<Case> cases{
      {"not JSON", "{\"text\":", "malformed_json", ""},
      {"two documents", "{} {}", "malformed_json", ""},
      {"a byte order mark", "\xEF\xBB\xBF{\"text\":\"x\"}", "malformed_json", ""},
      {"not UTF-8", "{\"text\":\"\xff\"}", "malformed_json", ""},
      {"a lone surrogate", R"({"text":"\ud800"})", "malformed_json", ""},
      {"a NUL", R"({"text":"a\u0000b"})", "malformed_json", ""},
      {"a key twice", R"({"text":"a","text":"b"})", "malformed_json", ""},
      {"a key twice, deep", R"({"text":"a","custom":{"x":[{"y":1,"y":2}]}})", "malformed_json", ""},
      {"33 deep", R"({"text":"a","custom":)" + nested(33) + "}", "malformed_json", ""},
      {"an integer beyond 64 bits", R"({"text":"a","custom":{"n":18446744073709551616}})", "malformed_json", ""},
      {"a list", "[]", "invalid_field", "#"},
      {"a number as text", R"({"text":5})", "invalid_field", "#/text"},
      {"an unknown field", R"({"text":"x","colour":"red"})", "unknown_field", "#/colour"},
      {"nothing to say", "{}", "invalid_field", "#/text"},
      {"attachments that are no objects", R"({"attachments":[1]})", "invalid_field", "#/attachments/0"},
      {"31 attachments", R"({"attachments":[)" + [] { std::string s = "{}"; for (int i = 0; i < 30; ++i) s += ",{}"; return s; }() + "]}", "invalid_field", "#/attachments"},
      {"custom that is text", R"({"text":"x","custom":"y"})", "invalid_field", "#/custom"},
      {"6 KiB of custom", R"({"text":"x","custom":{"a":")" + std::string(6 * 1024, 'a') + "\"}}", "invalid_field", "#/custom"},
      {"a nonce of 129 bytes", R"({"text":"x","nonce":")" + std::string(129, 'n') + "\"}", "invalid_field", "#/nonce"},
      {"a parent that is no id", R"({"text":"x","parent_id":"usr_1"})", "invalid_field", "#/parent_id"},
      {"a mention that is no user id", R"({"text":"x","mentions":["a b"]})", "invalid_field", "#/mentions/0"},
      {"200 KiB", R"({"text":")" + std::string(200 * 1024, 'x') + "\"}", "too_large", "", 413},
  };
  auto alice = app.user("alice");
  for (const auto& wanted : cases) {
    INFO(wanted.what);
    auto answer = alice.call("POST", kMessages, wanted.body);
    INFO(answer.http.body);
    CHECK(answer.status == wanted.status);
    CHECK(answer.code() == wanted.code);
    if (!wanted.pointer.empty()) CHECK(answer.pointer() == wanted.pointer);
  }
  CHECK(app.rows("messages") == 0);
  CHECK(app.rows("usage_metrics", "meter = 'messages'") == 0);
}

TEST_CASE("input: 32 deep is still fine", "[api][input]") {
  TestApp app;
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  auto alice = app.user("alice");
  CHECK(alice.call("POST", kMessages, R"({"text":"a","custom":)" + nested(31) + "}").status == 201);
}

TEST_CASE("input: all mistakes of a body come at once", "[api][input]") {
  TestApp app;
  auto answer = app.server().call("POST", "/v1/users", R"({"users":[{"user_id":"a b","name":5},{"user_id":"ok","zip":1}],"more":true})");
  CHECK(answer.status == 400);
  std::vector<std::string> pointers;
  for (const auto& error : answer.body["errors"]) pointers.push_back(error["pointer"]);
  for (const auto* pointer : {"#/users/0/user_id", "#/users/0/name", "#/users/1/zip", "#/more"})
    CHECK(std::find(pointers.begin(), pointers.end(), pointer) != pointers.end());
  CHECK(app.rows("users") == 0);
}

TEST_CASE("input: another media type is refused", "[api][input]") {
  TestApp app;
  HttpClient client(Service::get().port());
  auto answer = client.request("POST", "/v1/users", {{"X-API-Key", app.key()}, {"Authorization", "Bearer " + app.token("")}, {"Content-Type", "text/xml"}}, "<a/>");
  CHECK(answer.status == 415);
  CHECK(Json::parse(answer.body)["code"] == "unsupported_media_type");
}

TEST_CASE("input: a request that is no HTTP, or too much of it, has its code too", "[api][input]") {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"GET /v1/app HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n", "malformed_request"},
      {"POST /v1/users HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", "length_required"},
      {"GET /" + std::string(12 * 1024, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", "target_too_long"},
      {"GET /v1/app HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(20 * 1024, 'a') + "\r\n\r\n", "headers_too_large"},
  };
  for (const auto& [bytes, code] : cases) {
    INFO(code);
    HttpClient client(Service::get().port());
    client.send(bytes);
    CHECK(Json::parse(client.read().body)["code"] == code);
  }
}

TEST_CASE("input: an Idempotency-Key replays, refuses another body, and keeps no refusal", "[api][input]") {
  TestApp app;
  auto server = app.server();
  const Json body{{"users", {{{"user_id", "alice"}}}}};
  auto first = server.post("/v1/users", body, {{"Idempotency-Key", "k"}});
  auto again = server.post("/v1/users", body, {{"Idempotency-Key", "k"}});
  CHECK(first.body["results"][0]["status"] == "created");
  CHECK(again.body == first.body);
  CHECK(again.http.header("idempotency-replayed") == "true");
  CHECK(server.post("/v1/users", {{"users", {{{"user_id", "bob"}}}}}, {{"Idempotency-Key", "k"}}).code() == "idempotency_mismatch");
  CHECK(server.post("/v1/users", {{"users", Json::array()}}, {{"Idempotency-Key", "k2"}}).status == 400);
  CHECK(server.post("/v1/users", body, {{"Idempotency-Key", "k2"}}).status == 200);
  CHECK(app.rows("users") == 1);
}
