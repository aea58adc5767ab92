#include <signal.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "platform/base/crypto.h"
#include "tests/api/process/child.h"
#include "tests/support/database.h"
#include "tests/support/http_client.h"

using namespace chat;
using namespace chat::test;

namespace {

struct File {
  explicit File(const std::string& text)
      : path((std::filesystem::temp_directory_path() / ("chatd-" + crypto::hex(crypto::random_bytes(6)) + ".yaml")).string()) {
    write(text);
  }
  ~File() { std::filesystem::remove(path); }
  void write(const std::string& text) const { std::ofstream(path) << text; }
  std::string path;
};

bool says(const Child& child, const std::string& text) { return child.log().find(text) != std::string::npos; }

}  // namespace

TEST_CASE("start: a bad configuration names file, line and key of every mistake, and nothing starts", "[api][process]") {
  File file("public:\n  prt: 8080\n  engine: apache\ndatabase:\n  workers: many\n  lanes: 0\nlog: {level: info, level: debug}\n");
  Child child({}, file.path);
  CHECK(child.wait_end() == 2);
  for (const auto* wanted : {":2:", "public.prt", "public.port", ":3:", "public.engine", ":5:", "database.workers", ":6:", "database.lanes", "log.level"}) {
    INFO(wanted << "\n" << child.log());
    CHECK(says(child, wanted));
  }
  CHECK_FALSE(says(child, "node.started"));
}

TEST_CASE("start: a port in use is one sentence and exit code 3", "[api][process]") {
  Child first;
  first.wait_ready();
  Child second({"public.port=" + std::to_string(first.public_port())});
  CHECK(second.wait_end() == 3);
  CHECK(says(second, std::to_string(first.public_port())));
}

TEST_CASE("start: an unreachable database is one sentence and exit code 4", "[api][process]") {
  Child child({"database.dsn=host=/nonexistent dbname=chat user=chat_server"});
  CHECK(child.wait_end() == 4);
  CHECK(says(child, "The database can't be reached"));
}

TEST_CASE("start: a schema of another version says what to run, and exits with 5", "[api][process]") {
  ScratchDatabase empty;
  Child child({"database.dsn=" + empty.server().dsn});
  CHECK(child.wait_end() == 5);
  CHECK(says(child, "chatctl migrate up"));
}

TEST_CASE("start: SIGHUP takes over what it can, and keeps the old on a mistake", "[api][process]") {
  File file("log:\n  level: info\n");
  Child child({}, file.path);
  child.wait_ready();
  file.write("log:\n  level: debug\n");
  child.signal(SIGHUP);
  child.wait_log("config.reloaded");
  file.write("log:\n  level: loud\n");
  child.signal(SIGHUP);
  child.wait_log("config.reload_failed");
  HttpClient client(child.operator_port());
  CHECK(client.request("GET", "/metrics").body.find("chat_config_last_reload_successful 0") != std::string::npos);
  CHECK(client.request("GET", "/livez").status == 200);
}

TEST_CASE("start: SIGTERM finishes what runs and exits with 0", "[api][process]") {
  Child child;
  child.wait_ready();
  HttpClient client(child.operator_port());
  CHECK(client.request("GET", "/readyz").status == 200);
  child.signal(SIGTERM);
  CHECK(child.wait_end() == 0);
  CHECK(says(child, "node.stopped"));
}

TEST_CASE("start: no secret ever stands in the log", "[api][process]") {
  Child child({"log.level=debug"});
  child.wait_ready();
  HttpClient client(child.operator_port());
  client.request("GET", "/operator/v1/applications", {{"Authorization", std::string("Bearer ") + Child::kOperatorToken}});
  client.request("GET", "/operator/v1/applications", {{"Authorization", "Bearer wrong-token-that-is-secret"}});
  child.signal(SIGTERM);
  REQUIRE(child.wait_end() == 0);
  CHECK_FALSE(says(child, Child::kOperatorToken));
  CHECK_FALSE(says(child, "wrong-token-that-is-secret"));
  CHECK_FALSE(says(child, crypto::base64(std::string(32, 'c'))));
}

TEST_CASE("start: a plan file with mistakes lists all of them with their lines, and nothing starts", "[api][process]") {
  File plans("plans:\n  ok:\n    name: Ok\n  bad:\n    currency: EURO\n    limits:\n      - {meter: wishes}\n      - meter: messages\n        hard: many\n");
  Child child({"plans.file=" + plans.path});
  CHECK(child.wait_end() == 2);
  for (const auto* wanted : {":5: bad/currency", ":7: bad/limits/0/meter", ":9: bad/limits/1/hard", "bad/name"}) {
    INFO(wanted << "\n" << child.log());
    CHECK(says(child, wanted));
  }
  CHECK(Probe(superuser_database().dsn).value("select count(*) from plans where plan_id = 'ok'") == "0");
}
