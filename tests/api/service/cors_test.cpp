#include <catch2/catch.hpp>

#include "tests/api/service/uploads_stage.h"

using namespace chat;
using namespace chat::test;

namespace {

const std::string kOrigin = "https://shop.example.com";

HttpAnswer ask_before(const std::string& path, const std::string& method) {
  return HttpClient(Service::get().port())
      .request("OPTIONS", path, {{"Origin", kOrigin}, {"Access-Control-Request-Method", method}, {"Access-Control-Request-Headers", "authorization,x-api-key"}});
}

}  // namespace

TEST_CASE("cors: a page asks without a token, then calls with one, and reads answers and refusals", "[api][cors]") {
  TestApp app;
  app.add_users({"alice"});
  const auto before = ask_before("/v1/channels/messaging/general", "POST");
  CHECK(before.status == 204);
  CHECK(before.header("access-control-allow-origin") == "*");
  CHECK(before.header("access-control-allow-headers").value_or("").find("Authorization") != std::string::npos);
  auto alice = app.user("alice");
  for (const auto& [path, status] : std::vector<std::pair<std::string, int>>{{"/v1/channels/messaging/general", 201}, {"/v1/channels/nonsense/general", 404}}) {
    const auto answer = alice.post(path, Json::object(), {{"Origin", kOrigin}});
    CHECK(answer.status == status);
    CHECK(answer.http.header("access-control-allow-origin") == "*");
    CHECK(answer.http.header("access-control-expose-headers").value_or("").find("X-Request-Id") != std::string::npos);
  }
  CHECK(alice.get("/v1/channels/messaging/general").http.header("access-control-allow-origin") == "*");   // a cache may keep it for a page
  const auto operators = HttpClient(Service::get().node().operator_port()).request("GET", "/operator/v1/status", {{"Origin", kOrigin}});
  CHECK_FALSE(operators.header("access-control-allow-origin"));
}

TEST_CASE("cors: a page brings a file over its link, and fetches it", "[api][cors][uploads]") {
  UploadRoom room;
  const auto begun = room.begin("alice", "a.txt", 5);
  const std::string path = begun["upload_url"];
  const auto before = ask_before(path, "PUT");
  CHECK(before.status == 204);
  CHECK(before.header("access-control-allow-methods").value_or("").find("PUT") != std::string::npos);
  const auto brought = Actor(Service::get().port(), {}).call("PUT", path, "hello", {{"Origin", kOrigin}});
  CHECK(brought.status == 200);
  CHECK(brought.http.header("access-control-allow-origin") == "*");
  REQUIRE(room.attach("alice", brought.body["upload"]).contains("id"));
  const auto links = room.user("bob").post("/v1/uploads/links", {{"upload_ids", {brought.body["upload"]["id"]}}});
  const auto fetched = UploadRoom::fetch(links.body["uploads"][0]["url"], {{"Origin", kOrigin}});
  CHECK(fetched.body == "hello");
  CHECK(fetched.header("access-control-allow-origin") == "*");
}
