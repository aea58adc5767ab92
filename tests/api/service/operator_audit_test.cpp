#include <catch2/catch.hpp>

#include <future>

#include "platform/operators/audit.h"
#include "platform/storage/migrator.h"
#include "tests/support/applications.h"

using namespace chat;
using namespace chat::test;

namespace {

/// What was done to one thing, oldest first.
std::vector<Json> audit_of(const std::string& object) {
  std::vector<Json> entries;
  std::string next;
  do {
    auto page = Service::get().operators().get("/operator/v1/audit?limit=3&object=" + object + (next.empty() ? "" : "&next=" + next));
    REQUIRE(page.status == 200);
    for (const auto& entry : page.body["audit"]) entries.insert(entries.begin(), entry);
    next = page.body.value("next", "");
  } while (!next.empty());
  return entries;
}

std::vector<std::string> actions_of(const std::string& object) {
  std::vector<std::string> actions;
  for (const auto& entry : audit_of(object)) actions.push_back(entry["action"]);
  return actions;
}

/// A database with a chain of its own, so that links may be broken.
struct Chain {
  ScratchDatabase database;
  std::unique_ptr<storage::Connection> connection;

  Chain() {
    storage::Migrator(database.owner()).up();
    connection = std::make_unique<storage::Connection>(database.server());
  }
  void add(storage::Connection& through, const std::string& object) {
    through.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
      operators::audit(tx, {"ines", operators::Role::operate, "10.0.0.1", "req"}, "plan.put", object, std::nullopt, R"({"name":"Größe"})");
    });
  }
  void add(int rows) {
    for (int i = 0; i < rows; ++i) add(*connection, "plan:p" + std::to_string(i));
  }
  operators::Verified verify(std::int64_t after = 0, const std::optional<std::string>& noted = std::nullopt) {
    operators::Verified verified;
    connection->transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) { verified = operators::verify_audit(tx, after, noted, 1000); });
    return verified;
  }
  /// Around every rule, as whoever owns the machine can.
  void tamper(const std::string& sql) {
    Probe probe(database.superuser().dsn);
    probe.run("set session_replication_role = replica");
    probe.run(sql);
  }
};

}  // namespace

TEST_CASE("audit: every change of an application is noted: who, what, from where, before and after", "[api][audit]") {
  TestApp app;
  auto boss = Service::get().operators();
  const auto object = "application:" + app.id();
  REQUIRE(boss.patch(path_of(app), {{"set", {{"name", "renamed"}}}}).status == 200);
  REQUIRE(boss.call("POST", path_of(app, "/suspend"), R"({"reason":"overdue"})", {{"X-Request-Id", "audit-test-1"}}).status == 200);
  REQUIRE(boss.post(path_of(app, "/resume")).status == 200);
  auto secret = boss.post(path_of(app, "/secrets"));
  REQUIRE(secret.status == 201);
  REQUIRE(boss.del(path_of(app, "/secrets/" + secret.body["secret"]["secret_id"].get<std::string>())).status == 204);
  REQUIRE(boss.post(path_of(app, "/tokens"), {{"user_id", "alice"}}).status == 201);
  REQUIRE(boss.post(path_of(app, "/revoke_tokens"), {{"user_id", "alice"}}).status == 204);
  REQUIRE(boss.del(path_of(app)).status == 204);
  CHECK(actions_of(object) == std::vector<std::string>{"application.create", "application.update", "application.suspend", "application.resume",
                                                       "secret.create", "secret.delete", "token.create", "token.revoke", "application.delete"});
  const auto entries = audit_of(object);
  CHECK_FALSE(entries[0].contains("before"));
  CHECK(entries[1]["before"]["name"] == "test");
  CHECK(entries[1]["after"]["name"] == "renamed");
  CHECK(entries[2]["operator"] == "bootstrap");
  CHECK(entries[2]["role"] == "owner");
  CHECK(entries[2]["address"] == "127.0.0.1");
  CHECK(entries[2]["request_id"] == "audit-test-1");
  CHECK(entries[2]["after"]["status_reason"] == "overdue");
  const std::string all = Json(entries).dump();
  CHECK(all.find(secret.body["secret"]["value"].get<std::string>()) == std::string::npos);
  CHECK(all.find(app.secret()) == std::string::npos);
}

TEST_CASE("audit: plans and operators too; what changes nothing is not noted, nor what is refused", "[api][audit]") {
  auto boss = Service::get().operators();
  const std::string plan = "p" + AppId::make(system_clock().now()).wire().substr(4);
  const Json body{{"name", "Audited"}, {"limits", Json::array()}};
  REQUIRE(boss.put("/operator/v1/plans/" + plan, body).status == 200);
  REQUIRE(boss.put("/operator/v1/plans/" + plan, body).status == 200);
  CHECK(boss.put("/operator/v1/plans/" + plan, {{"name", ""}}).status == 400);
  REQUIRE(boss.del("/operator/v1/plans/" + plan).status == 204);
  CHECK(actions_of("plan:" + plan) == std::vector<std::string>{"plan.put", "plan.delete"});
  auto made = boss.post("/operator/v1/operators", {{"name", plan}, {"role", "viewer"}});
  REQUIRE(made.status == 201);
  const std::string id = made.body["operator"]["operator_id"];
  REQUIRE(boss.del("/operator/v1/operators/" + id).status == 204);
  CHECK(actions_of("operator:" + id) == std::vector<std::string>{"operator.create", "operator.revoke"});
  CHECK(Json(audit_of("operator:" + id)).dump().find(made.body["token"].get<std::string>()) == std::string::npos);
  TestApp app;
  CHECK(boss.post(path_of(app, "/resume")).status == 200);
  CHECK(boss.post(path_of(app, "/suspend")).status == 400);
  CHECK(actions_of("application:" + app.id()) == std::vector<std::string>{"application.create"});
}

TEST_CASE("audit: a repetition with the same Idempotency-Key is noted once", "[api][audit]") {
  TestApp app;
  for (int i = 0; i < 2; ++i)
    REQUIRE(Service::get().operators().post(path_of(app, "/suspend"), {{"reason", "x"}}, {{"Idempotency-Key", "k" + app.id()}}).status == 200);
  CHECK(actions_of("application:" + app.id()) == std::vector<std::string>{"application.create", "application.suspend"});
}

TEST_CASE("audit: changed at once, each change finds what the one before left", "[api][audit]") {
  TestApp app;
  const std::string plan = "p" + AppId::make(system_clock().now()).wire().substr(4);
  std::vector<std::future<int>> calls;
  for (const auto* word : {"a", "b", "c", "d"}) {
    calls.push_back(std::async(std::launch::async, [&app, word] { return Service::get().operators().post(path_of(app, "/suspend"), {{"reason", word}}).status; }));
    calls.push_back(std::async(std::launch::async, [&plan, word] {
      return Service::get().operators().put("/operator/v1/plans/" + plan, {{"name", word}, {"limits", Json::array()}}).status;
    }));
  }
  for (auto& call : calls) CHECK(call.get() == 200);
  for (const auto& object : {"application:" + app.id(), "plan:" + plan}) {
    INFO(object);
    const auto entries = audit_of(object);
    REQUIRE(entries.size() >= 4);
    for (std::size_t i = 1; i < entries.size(); ++i) CHECK(entries[i]["before"] == entries[i - 1]["after"]);
  }
  REQUIRE(Service::get().operators().del("/operator/v1/plans/" + plan).status == 204);
}

TEST_CASE("audit: filters say what they are, and the whole chain holds", "[api][audit]") {
  TestApp app;
  auto boss = Service::get().operators();
  const std::string object = "&object=application:" + app.id();
  CHECK(boss.get("/operator/v1/audit?action=application.create" + object).body["audit"].size() == 1);
  CHECK(boss.get("/operator/v1/audit?action=application.purge" + object).body["audit"].empty());
  CHECK(boss.get("/operator/v1/audit?operator=nobody" + object).body["audit"].empty());
  CHECK(boss.get("/operator/v1/audit?until=2020-01-01T00:00:00Z" + object).body["audit"].empty());
  CHECK(boss.get("/operator/v1/audit?since=2020-01-01T00:00:00Z" + object).body["audit"].size() == 1);
  CHECK(boss.get("/operator/v1/audit?since=yesterday").pointer() == "query:since");
  CHECK(boss.get("/operator/v1/audit?next=forged").pointer() == "query:next");
  std::int64_t after = 0, checked = 0;
  for (bool complete = false; !complete;) {
    auto part = boss.get("/operator/v1/audit/verify?after=" + std::to_string(after));
    REQUIRE(part.status == 200);
    REQUIRE_FALSE(part.body.contains("broken"));
    after = part.body["last_seq"];
    checked += part.body["checked"].get<std::int64_t>();
    complete = part.body["complete"];
  }
  CHECK(checked == after);
  CHECK(after > 0);
  CHECK(boss.get("/operator/v1/audit/verify?after=999999999").code() == "not_found");
}

TEST_CASE("audit: the server may add and look, and nobody may change or remove", "[api][audit]") {
  Chain chain;
  chain.add(1);
  Probe server(chain.database.server().dsn), superuser(chain.database.superuser().dsn);
  for (const char* sql : {"update operator_audit set operator = 'x'", "delete from operator_audit", "truncate operator_audit",
                          "update operator_audit_head set seq = 0"})
    CHECK_THROWS(server.run(sql));
  for (const char* sql : {"update operator_audit set operator = 'x'", "delete from operator_audit", "truncate operator_audit"})
    CHECK_THROWS_WITH(superuser.run(sql), Catch::Contains("can only be added to"));
  server.run("insert into operator_audit (seq, previous, hash, at, operator, role, action, object, address, request_id)"
             " values (77, '', '', now(), 'x', 'owner', 'a.b', 'c:d', '', '')");
  CHECK(superuser.value("select max(seq) from operator_audit") == "2");
  CHECK(chain.verify(2).complete);
}

TEST_CASE("audit: the first broken link is found, whatever was done to the chain", "[api][audit]") {
  Chain chain;
  chain.add(6);
  const auto whole = chain.verify();
  CHECK(whole.checked == 6);
  CHECK_FALSE(whole.broken_seq);
  CHECK(chain.verify(6).complete);
  SECTION("a row changed") {
    chain.tamper("update operator_audit set object = 'plan:other' where seq = 3");
    CHECK(chain.verify().broken_seq == 3);
    CHECK(chain.verify().checked == 2);
  }
  SECTION("nothing made of something") {
    chain.tamper("update operator_audit set after = null where seq = 2");
    CHECK(chain.verify().broken_seq == 2);
  }
  SECTION("changed with its hash") {
    chain.tamper("update operator_audit set operator = 'x' where seq = 3; update operator_audit o set hash = "
                 "sha256(previous || convert_to(operator_audit_text(o), 'UTF8')) where seq = 3");
    CHECK(chain.verify().broken_seq == 4);
  }
  SECTION("a row removed") {
    chain.tamper("delete from operator_audit where seq = 4");
    CHECK(chain.verify().broken_seq == 5);
  }
  SECTION("the end cut off") {
    chain.tamper("delete from operator_audit where seq = 6");
    CHECK(chain.verify(5).broken_seq == 6);
  }
  SECTION("all written anew: what was noted elsewhere tells") {
    Probe probe(chain.database.superuser().dsn);
    const auto noted = probe.value("select encode(hash, 'hex') from operator_audit where seq = 3");
    CHECK_FALSE(chain.verify(3, noted).broken_seq);
    CHECK(chain.verify(3, std::string(64, 'a')).broken_seq == 3);
  }
}

TEST_CASE("audit: many writing at once make one chain", "[api][audit]") {
  Chain chain;
  constexpr int kWriters = 4, kRows = 25;
  std::vector<std::future<void>> writers;
  for (int w = 0; w < kWriters; ++w)
    writers.push_back(std::async(std::launch::async, [&] {
      storage::Connection own(chain.database.server());
      for (int i = 0; i < kRows; ++i) chain.add(own, "plan:p");
    }));
  for (auto& writer : writers) writer.get();
  const auto whole = chain.verify();
  CHECK(whole.checked == kWriters * kRows);
  CHECK_FALSE(whole.broken_seq);
  CHECK(chain.verify(kWriters * kRows).complete);
}
