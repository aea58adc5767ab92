#include <catch2/catch.hpp>

#include <sstream>

#include "platform/storage/migrator.h"
#include "platform/transfers/transfers.h"
#include "tenants/applications.h"
#include "tenants/keys.h"
#include "tests/support/applications.h"

using namespace chat;
using namespace chat::test;

namespace {

Actor operators() { return Service::get().operators(); }

/// Two friends with something of most kinds.
void furnish(TestApp& app) {
  app.add_users({"alice", "bob", "carol"});
  app.add_channel("general", {"alice", "bob"});
  const auto first = app.send("alice", "general", "Größe \"und\" \\ mehr\nin zwei Zeilen", {{"mentions", {"bob"}}, {"nonce", "n1"}});
  const std::string message = kMessages + "/" + first["id"].get<std::string>();
  REQUIRE(app.user("bob").post(message + "/reactions", {{"type", "like"}}).status == 201);
  REQUIRE(app.user("bob").post(message + "/bookmark").status / 100 == 2);
  app.send("bob", "general", "a reply", {{"parent_id", first["id"]}});
  REQUIRE(app.user("alice").post("/v1/channels/messaging/general/invites", {{"users", {"carol"}}}).status == 200);
  const auto poll = app.user("alice").post(kMessages, {{"poll", {{"question", "Lunch?"}, {"options", {"Here", "There"}}}}});
  REQUIRE(poll.status == 201);
  const std::string votes = kMessages + "/" + poll.body["message"]["id"].get<std::string>() + "/poll/votes";
  REQUIRE(app.user("bob").post(votes, {{"options", {"2"}}}).status / 100 == 2);
  std::string page;
  for (int i = 0; i < 500; ++i) page += "lorem" + std::to_string(i) + " ";
  for (int i = 0; i < 40; ++i) app.send("alice", "general", page + std::to_string(i));   // a part of the file is far more than a packet
  REQUIRE(app.user("bob").post("/v1/channels/messaging/general/read").status / 100 == 2);
}

std::string suspend(const std::string& app_id) {
  REQUIRE(operators().post(path_of(app_id, "/suspend"), {{"reason", "moving"}}).status == 200);
  Service::get().node().run_job("flush_usage");   // what was counted in memory: transfers.settle, 0 here, leaves it time
  return app_id;
}

std::vector<std::string> export_of(const std::string& app_id) {
  auto begun = operators().post(path_of(app_id, "/exports"));
  REQUIRE(begun.status == 202);
  const std::string path = path_of(app_id, "/exports/" + begun.body["task"]["task_id"].get<std::string>());
  Json task;
  eventually("the export", [&] {
    Service::get().node().run_job("run_tasks");
    task = operators().get(path).body["task"];
    return task["status"] == "done";
  }, std::chrono::seconds(30));
  std::string file;
  for (int part = 1; part <= task["parts"].get<int>(); ++part) file += operators().get(path + "/parts/" + std::to_string(part)).http.body;
  CHECK(operators().get(path + "/parts/99").code() == "not_found");
  std::vector<std::string> lines;
  std::istringstream in(file);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  CHECK(task["items"] == lines.size());
  return lines;
}

/// What is in every table that travels, row by row; what importing sets itself is left out.
std::string everything(const std::string& app_id, Probe superuser = Probe(superuser_database().dsn)) {
  std::string all;
  for (const auto& row : superuser.rows("select name from transferred_tables() order by name")) {
    const std::string leave_out = row.at(0) == "applications" ? " - 'updated_at' - 'status_reason'" : "";
    all += row.at(0) + " " + superuser.value("select count(*) || ' ' || coalesce(md5(string_agg(r::text, '' order by r::text)), '') from (select to_jsonb(t)" + leave_out +
                                             " as r from " + row.at(0) + " t where app_id = '" + uuid_of(app_id) + "') x") + "\n";
  }
  return all;
}

void erase(const std::string& app_id) {
  REQUIRE(operators().del(path_of(app_id)).status == 204);
  REQUIRE(operators().post(path_of(app_id, "/purge")).status == 200);
  eventually("the purge", [&] {
    Service::get().node().run_job("purge_deleted");
    return operators().get(path_of(app_id)).status == 404;
  }, std::chrono::seconds(20));
}

std::string joined(const std::vector<std::string>& lines, std::size_t from, std::size_t to) {
  std::string out;
  for (std::size_t i = from; i < to; ++i) out += lines[i] + "\n";
  return out;
}

/// Brings the file in two parts and waits for its end. The import as it is then.
Json import_file(const std::string& app_id, const std::vector<std::string>& lines) {
  auto begun = operators().post(path_of(app_id, "/imports"), {{"header", Json::parse(lines.front())}});
  REQUIRE(begun.status == 201);
  const std::string path = path_of(app_id, "/imports/" + begun.body["import"]["import_id"].get<std::string>());
  const auto middle = lines.size() / 2;
  REQUIRE(operators().put(path + "/parts/1", {{"lines", joined(lines, 1, middle)}}).status == 200);
  CHECK(operators().put(path + "/parts/3", {{"lines", "x"}}).code() == "conflict");
  REQUIRE(operators().put(path + "/parts/2", {{"lines", joined(lines, middle, lines.size() - 1)}}).status == 200);
  CHECK(operators().put(path + "/parts/2", {{"lines", joined(lines, middle, lines.size() - 1)}}).body["import"]["lines"] == lines.size() - 2);
  CHECK(operators().post(path + "/apply", {{"rows", lines.size()}}).code() == "conflict");
  REQUIRE(operators().post(path + "/apply", {{"rows", lines.size() - 2}}).status == 202);
  Json import;
  eventually("the import", [&] {
    Service::get().node().run_job("run_imports");
    import = operators().get(path).body["import"];
    return import["status"] != "waiting";
  }, std::chrono::seconds(60));
  return import;
}

/// What is left of it, but for what became of its import.
std::string leftovers(const std::string& app_id) {
  Probe superuser(superuser_database().dsn);
  auto tables = leftovers(superuser, uuid_of(app_id));
  for (const std::string own : {"import_parts ", "imports "})
    if (const auto at = tables.find(own); at != std::string::npos) tables.erase(at, own.size());
  return tables;
}

const transfers::Rules kRules{std::chrono::milliseconds(0), 1'000'000'000};

/// Another chatd: a database and a master key of its own.
struct Elsewhere {
  ScratchDatabase database;
  std::unique_ptr<storage::Connection> connection;
  std::unique_ptr<bus::Bus> bus = bus::make_local_bus();
  crypto::Sealer sealer{std::string(32, 'x')};
  bool stopping = false;
  std::chrono::milliseconds longest = std::chrono::hours(1);

  Elsewhere() {
    storage::Migrator(database.owner()).up();
    probe().run(std::string("insert into plans values ('") + Service::kPlan + "', '{}', now(), now())");
    auto options = database.server();
    options.lock_timeout = std::chrono::milliseconds(200);
    connection = std::make_unique<storage::Connection>(options);
  }
  Probe probe() { return Probe(database.superuser().dsn); }
  void act(const std::function<void(storage::Transaction&)>& body) { connection->transact(AppId{}, storage::Mode::write, body); }
  /// Brings the file as one part and lets it wait for a worker.
  transfers::ImportId bring(const std::vector<std::string>& lines) {
    transfers::Import import;
    const auto now = system_clock().now();
    act([&](storage::Transaction& tx) {
      const auto header = json::Document::parse(lines.front());
      const auto app = *AppId::parse(Json::parse(lines.front())["app_id"].get<std::string>());
      import = transfers::begin_import(tx, app, header.root(), now);
      transfers::add_part(tx, app, import.id, 1, joined(lines, 1, lines.size() - 1), now, kRules);
      transfers::apply_import(tx, app, import.id, static_cast<std::int64_t>(lines.size()) - 2, now);
    });
    return import.id;
  }
  void run() { transfers::run_imports(*connection, {*bus, sealer, system_clock(), [this] { return stopping; }, longest}); }
  std::string said(transfers::ImportId id, const std::string& what = "status") {
    return probe().value("select " + what + " from imports where id = '" + id.text() + "'");
  }
};

/// An export, slice by slice.
std::vector<std::string> slices_of(storage::Connection& connection, AppId app) {
  std::vector<std::string> lines;
  std::string state;
  for (bool finished = false; !finished;)
    connection.transact(app, storage::Mode::write, [&](storage::Transaction& tx) {
      const auto step = transfers::export_slice(tx, {{}, "{}", state, system_clock().now()}, kRules);
      REQUIRE(step.failed.value_or("") == "");
      lines.insert(lines.end(), step.lines.begin(), step.lines.end());
      state = step.state;
      finished = step.finished;
    });
  return lines;
}

}  // namespace

TEST_CASE("transfers: an application exported, erased and imported is the same, row by row, and works on", "[api][transfers]") {
  TestApp app(Json{{"message_bytes", {{"hard", 20000}}}});   // on one node: its flush is under way nowhere else
  furnish(app);
  const auto before_all = app.user("bob").get(kMessages + "?limit=100").body;
  suspend(app.id());
  Service::get().node().run_job("note_used_secrets");    // when they were last used is written every minute: not in between
  const auto before = everything(app.id());
  const auto lines = export_of(app.id());
  CHECK(operators().get("/operator/v1/audit?action=application.export_download&object=application:" + app.id()).body["audit"].size() == 1);
  CHECK(Json::parse(lines.front())["app_id"] == app.id());
  CHECK(Json::parse(lines.back()) == Json{{"end", true}, {"rows", lines.size() - 2}});
  erase(app.id());
  const auto import = import_file(app.id(), lines);
  INFO(import);
  REQUIRE(import["status"] == "done");
  CHECK_FALSE(import.contains("lost_secrets"));
  CHECK(everything(app.id()) == before);
  CHECK(app.server().get("/v1/app").code() == "application_suspended");
  REQUIRE(operators().post(path_of(app.id(), "/resume")).status == 200);
  CHECK(app.user("bob").get(kMessages + "?limit=100").body == before_all);
  CHECK(app.send("bob", "general", "back again")["message_seq"].get<int>() > 40);
  eventually("what came is found", [&] {
    for (const auto* job : {"rebuild_search", "index_messages"}) Service::get().node().run_job(job);
    return app.user("bob").post("/v1/search/messages", {{"query", "Zeilen"}}).body["results"].size() == 1;
  }, std::chrono::seconds(20));
  CHECK(operators().post(path_of(app.id(), "/imports"), {{"header", Json::parse(lines.front())}}).code() == "already_exists");
}

TEST_CASE("transfers: a mistake is told with its line, nothing is left, and the right file goes in afterwards", "[api][transfers]") {
  TestApp app;
  furnish(app);
  const auto lines = export_of(suspend(app.id()));
  erase(app.id());
  auto broken = lines;
  const auto at = lines.size() / 2 + 3;
  std::string expected;
  SECTION("no JSON") {
    broken[at] = "{";
    expected = "It is not JSON.";
  }
  SECTION("an unknown column") {
    auto line = Json::parse(lines[at]);
    line["row"]["colour"] = "red";
    broken[at] = line.dump();
    expected = "Table " + line["table"].get<std::string>() + " has no column colour.";
  }
  SECTION("another application's row") {
    auto line = Json::parse(lines[at]);
    line["row"]["app_id"] = "01890000-0000-7000-8000-000000000000";
    broken[at] = line.dump();
    expected = "It belongs to another application.";
  }
  SECTION("a table that does not travel") {
    broken[at] = R"({"table":"operators","row":{}})";
    expected = "There is no table operators.";
  }
  SECTION("a row twice") {
    broken[at] = lines[at - 1];
    expected = "does not take it: duplicate key";
  }
  const auto import = import_file(app.id(), broken);
  INFO(import);
  CHECK(import["status"] == "failed");
  CHECK(import["error_line"] == at + 1);
  CHECK(import["error"].get<std::string>().find(expected) != std::string::npos);
  CHECK(leftovers(app.id()).empty());
  CHECK(operators().get(path_of(app.id())).code() == "not_found");
  CHECK(operators().del(path_of(app.id(), "/imports/" + import["import_id"].get<std::string>())).status == 204);
  CHECK(import_file(app.id(), lines)["status"] == "done");
}

TEST_CASE("transfers: only what is suspended, and stays so, is exported, by an owner", "[api][transfers]") {
  TestApp app;
  CHECK(operators().post(path_of(app.id(), "/exports")).code() == "conflict");
  suspend(app.id());
  auto begun = operators().post(path_of(app.id(), "/exports"));
  REQUIRE(begun.status == 202);
  const std::string task = begun.body["task"]["task_id"];
  TestApp neighbour;
  CHECK(operators().get(path_of(neighbour.id(), "/exports/" + task)).code() == "not_found");
  REQUIRE(operators().post(path_of(app.id(), "/resume")).status == 200);
  CHECK(app.server().get("/v1/tasks/" + task).code() == "not_found");   // a server token is none of an owner
}

TEST_CASE("transfers: what would be believed later is looked at when it comes in", "[api][transfers]") {
  TestApp app;
  REQUIRE(app.server().patch("/v1/moderation/settings", {{"set", {{"evidence_days", 30}}}}).status / 100 == 2);
  const auto lines = export_of(suspend(app.id()));
  erase(app.id());
  const auto error_with = [&](const std::string& table, const std::string& column, const Json& value) {
    auto changed = lines;
    for (auto& line : changed) {
      auto parsed = Json::parse(line);
      if (parsed.value("table", "") != table) continue;
      parsed["row"][column] = value;
      line = parsed.dump();
    }
    const auto import = import_file(app.id(), changed);
    INFO(import);
    CHECK(import["status"] == "failed");
    CHECK(leftovers(app.id()).empty());
    REQUIRE(operators().del(path_of(app.id(), "/imports/" + import["import_id"].get<std::string>())).status == 204);
    return import["error"].get<std::string>();
  };
  CHECK(error_with("applications", "settings", {{"guests", 1}}).find("applications: settings/guests") == 0);
  CHECK(error_with("applications", "limits", Json::array()).find("applications: limits") == 0);
  CHECK(error_with("applications", "limits", {{"messages", {{"hard", nullptr}}}}).find("applications: limits/messages/hard") == 0);
  CHECK(error_with("channel_types", "settings", {{"retention_days", "x"}}).find("channel_types: retention_days") == 0);
  CHECK(error_with("moderation_settings", "settings", {{"evidence_days", 1e12}}).find("moderation_settings: evidence_days") == 0);
  CHECK(import_file(app.id(), lines)["status"] == "done");
}

TEST_CASE("transfers: a header that does not fit is refused before anything is brought", "[api][transfers]") {
  TestApp app;
  const auto lines = export_of(suspend(app.id()));
  auto header = Json::parse(lines.front());
  const std::string other = AppId::make(system_clock().now()).wire();
  const auto pointer = [&](const char* member, const Json& value) {
    auto wrong = header;
    wrong["app_id"] = other;
    wrong[member] = value;
    return operators().post(path_of(other, "/imports"), {{"header", wrong}}).pointer();
  };
  CHECK(pointer("format", "a zip") == "#/header/format");
  CHECK(pointer("version", 2) == "#/header/version");
  CHECK(pointer("schema", 1) == "#/header/schema");
  CHECK(pointer("plan", "no_such_plan") == "#/header/plan");
  CHECK(pointer("app_id", app.id()) == "#/header/app_id");
  CHECK(pointer("colour", "red") == "#/header/colour");
  CHECK(pointer("created_at", "1970-01-01T00:00:00Z") == "#/header/created_at");
  CHECK(operators().post(path_of(other, "/imports")).pointer() == "#/header");
  CHECK(leftovers(other).empty());
  CHECK(operators().get(path_of(other, "/imports/imp_01h455vb4pex5vsknk084sn02q")).code() == "not_found");
}

TEST_CASE("transfers: into another chatd, where its secrets can't be read, it comes without them", "[api][transfers]") {
  TestApp app;
  furnish(app);
  Elsewhere there;
  auto superuser = there.probe();
  const auto import = there.bring(export_of(suspend(app.id())));
  there.run();
  CHECK(there.said(import, "coalesce(error, '')") == "");
  CHECK(there.said(import) == "done");
  CHECK(there.said(import, "lost_secrets") == "1");
  CHECK(superuser.value("select count(*) from application_secrets") == "0");
  CHECK(superuser.value("select count(*) from messages") == std::to_string(app.rows("messages")));
  const auto now = system_clock().now();
  const auto sweep = [&](Timestamp at) {
    std::int64_t swept = 0;
    there.act([&](storage::Transaction& tx) { swept = transfers::sweep_imports(tx, at, 100); });
    return swept;
  };
  CHECK(sweep(now) == 1);                      // the lines at once, what became of them in a day
  CHECK(superuser.value("select count(*) from import_parts") == "0");
  CHECK(sweep(now + std::chrono::hours(1)) == 0);
  CHECK(sweep(now + std::chrono::hours(48)) == 1);
  CHECK(superuser.value("select count(*) from imports") == "0");
}

TEST_CASE("transfers: what fails for a passing reason waits, holds up no other, and is given up after five times", "[api][transfers]") {
  TestApp first, second;
  Elsewhere there;
  const auto lines = export_of(suspend(first.id()));
  const auto held = there.bring(lines), other = there.bring(export_of(suspend(second.id())));
  auto superuser = there.probe(), rival = there.probe();
  const auto row = Json::parse(lines[1]);
  REQUIRE(row["table"] == "applications");
  rival.run("begin; insert into applications select * from jsonb_populate_record(null::applications, $json$" + row["row"].dump() + "$json$)");
  there.run();
  CHECK(there.said(other) == "done");
  CHECK(there.said(held) == "waiting");
  CHECK(there.said(held, "attempts") == "1");
  there.run();
  CHECK(there.said(held, "attempts") == "1");   // not before its time
  SECTION("the reason passes") {
    rival.run("rollback");
    superuser.run("update imports set not_before = null");
    there.run();
    CHECK(there.said(held) == "done");
  }
  SECTION("it does not") {
    superuser.run("update imports set not_before = null, attempts = 4 where status = 'waiting'");
    there.run();
    CHECK(there.said(held) == "failed");
    CHECK(there.said(held, "error_line is null") == "t");   // no line is at fault
  }
  SECTION("its workers died") {
    superuser.run("update imports set not_before = null, attempts = 5 where status = 'waiting'");
    there.run();
    CHECK(there.said(held, "error") == "It was interrupted too often.");
  }
}

TEST_CASE("transfers: a node that ends puts an import back, one that takes too long fails, and lines are checked before months are made", "[api][transfers]") {
  TestApp app;
  Elsewhere there;
  auto lines = export_of(suspend(app.id()));
  SECTION("the node ends") {
    const auto import = there.bring(lines);
    there.stopping = true;
    there.run();
    CHECK(there.said(import) == "waiting");
    CHECK(there.said(import, "attempts") == "0");
    there.stopping = false;
    there.run();
    CHECK(there.said(import) == "done");
  }
  SECTION("too long") {
    const auto import = there.bring(lines);
    there.longest = std::chrono::milliseconds(0);
    there.run();
    CHECK(there.said(import) == "failed");
    CHECK(there.said(import, "error").find("longer") != std::string::npos);
  }
  SECTION("wrong lines") {
    auto superuser = there.probe();
    const auto months = "select count(*) from pg_class where relname ~ '^messages_20'";
    superuser.run("drop table messages_" + superuser.value("select to_char(now() at time zone 'UTC', 'YYYY_MM')"));
    const auto before = superuser.value(months);
    auto broken = lines;
    broken[1] = "{";
    const auto import = there.bring(broken);
    there.run();
    CHECK(there.said(import, "error") == "It is not JSON.");
    CHECK(superuser.value(months) == before);
    there.bring(lines);
    there.run();
    CHECK(superuser.value(months) != before);
  }
}

TEST_CASE("transfers: a worker takes on one import and one task, however many wait", "[api][transfers][tasks]") {
  Elsewhere there;
  auto superuser = there.probe();
  superuser.run("set session_replication_role = replica");
  const auto app = AppId::make(system_clock().now()).text();
  superuser.run("insert into applications (app_id, name, plan_id, created_at, updated_at) values ('" + app + "', 'a', '" + Service::kPlan + "', now(), now())");
  const auto wait = [&](int rows) {
    const auto each = " from generate_series(1, " + std::to_string(rows) + ")";
    superuser.run("insert into imports (app_id, id, status, header, created_at, updated_at) select gen_random_uuid(), gen_random_uuid(), 'waiting', '{}', now(), now()" + each);
    superuser.run("insert into tasks (app_id, id, type, owner, input, created_at, updated_at) select '" + app + "', gen_random_uuid(), 'x', '', '{}', now(), now()" + each);
  };
  wait(1);
  superuser.run("analyze imports; analyze tasks");   // the planner believes that there is one row, and asks again for each that it finds
  wait(5);
  for (const auto* settings : {"set enable_seqscan = on", "set enable_seqscan = off", "set enable_hashjoin = off"}) {
    INFO(settings);
    superuser.run(settings);
    CHECK(superuser.value("select count(*) from claim_import(now(), '1 minute')") == "1");
    CHECK(superuser.value("select count(*) from claim_task('{x}', gen_random_uuid(), 60)") == "1");
  }
}

TEST_CASE("transfers: while a long file is checked nobody else takes it on", "[api][transfers]") {
  struct Fast final : Clock {
    mutable Timestamp at = system_clock().now();
    [[nodiscard]] Timestamp now() const override { return at; }
  } clock;
  TestApp app;
  Elsewhere there;
  const auto lines = export_of(suspend(app.id()));
  transfers::Import import;
  there.act([&](storage::Transaction& tx) {
    const auto header = json::Document::parse(lines.front());
    const auto id = *AppId::parse(app.id());
    import = transfers::begin_import(tx, id, header.root(), clock.now());
    for (std::size_t i = 1; i + 1 < lines.size(); ++i)
      transfers::add_part(tx, id, import.id, static_cast<std::int64_t>(i), lines[i] + "\n", clock.now(), kRules);
    transfers::apply_import(tx, id, import.id, static_cast<std::int64_t>(lines.size()) - 2, clock.now());
  });
  REQUIRE(lines.size() > 4);
  std::size_t checked = 0;
  const auto other_worker_finds_it = [&] {
    if (checked++ < lines.size() - 2) {
      CHECK(*parse_time(there.said(import.id, "to_char(not_before at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')")) > clock.at);
      clock.at += std::chrono::seconds(45);    // a part; the lease is 60 s
    }
    return false;
  };
  transfers::run_imports(*there.connection, {*there.bus, there.sealer, clock, other_worker_finds_it, std::chrono::hours(1)});
  CHECK(checked >= lines.size() - 2);
  CHECK(there.said(import.id) == "done");
  CHECK(there.said(import.id, "attempts") == "1");
}

TEST_CASE("transfers: one file of an application is on its way at a time, and as large as is allowed", "[api][transfers][limits]") {
  TestApp app;
  const auto lines = export_of(suspend(app.id()));
  erase(app.id());
  const Json header{{"header", Json::parse(lines.front())}};
  auto begun = operators().post(path_of(app.id(), "/imports"), header);
  REQUIRE(begun.status == 201);
  const std::string path = path_of(app.id(), "/imports/" + begun.body["import"]["import_id"].get<std::string>());
  CHECK(operators().post(path_of(app.id(), "/imports"), header).code() == "conflict");
  CHECK_FALSE(begun.body["import"].contains("digest"));
  auto brought = operators().put(path + "/parts/1", {{"lines", "x"}});
  CHECK(brought.body["import"]["digest"] == crypto::hex(crypto::sha256("x")));
  const auto import = *transfers::ImportId::parse(begun.body["import"]["import_id"].get<std::string>());
  storage::Connection connection(server_database());
  CHECK_THROWS_WITH(connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    transfers::add_part(tx, *AppId::parse(app.id()), import, 2, "xy", system_clock().now(), {std::chrono::milliseconds(0), 2});
  }), Catch::Contains("transfers.max_bytes"));
  REQUIRE(operators().del(path).status == 204);
  CHECK(operators().get(path).code() == "not_found");
  CHECK(operators().put(path + "/parts/2", {{"lines", "x"}}).code() == "not_found");
  CHECK(operators().post(path_of(app.id(), "/imports"), header).status == 201);
}

TEST_CASE("transfers: an export waits until what was under way has ended, and fails when the application is changed after that", "[api][transfers]") {
  TestApp app;
  suspend(app.id());
  storage::Connection connection(server_database());
  const auto slice = [&](const std::string& state, std::chrono::milliseconds settle) {
    tasks::Step step;
    connection.transact(*AppId::parse(app.id()), storage::Mode::write, [&](storage::Transaction& tx) {
      step = transfers::export_slice(tx, {{}, "{}", state, system_clock().now()}, {settle, 1});
    });
    return step;
  };
  const auto early = slice("", std::chrono::hours(1));
  CHECK(early.lines.empty());
  REQUIRE(early.wait);
  CHECK(*early.wait > std::chrono::minutes(50));
  const auto first = slice("", std::chrono::milliseconds(0));
  REQUIRE_FALSE(first.lines.empty());
  CHECK(first.lines.front().find(app.id()) != std::string::npos);   // the head; the first table may be empty
  CHECK_FALSE(slice(first.state, std::chrono::milliseconds(0)).failed);
  REQUIRE(operators().post(path_of(app.id(), "/resume")).status == 200);
  CHECK(slice(first.state, std::chrono::milliseconds(0)).failed);
  suspend(app.id());
  CHECK(slice(first.state, std::chrono::milliseconds(0)).failed);   // it was open meanwhile
  CHECK_FALSE(slice("", std::chrono::milliseconds(0)).failed);
}

TEST_CASE("transfers: no table is forgotten: a row of each travels and arrives as it was", "[api][transfers]") {
  Elsewhere here, there;
  there.sealer = crypto::Sealer(std::string(32, 'x'));
  const auto now = system_clock().now();
  AppId app;
  here.act([&](storage::Transaction& tx) {
    app = tenants::create_application(tx, {.name = "moving", .plan_id = Service::kPlan}, now);
    tenants::create_secret(tx, *here.bus, here.sealer, app, std::nullopt, now);
    tenants::suspend_application(tx, *here.bus, app, "moving", now);
  });
  auto source = here.probe();
  source.run("set session_replication_role = replica");
  std::vector<std::string> tables;
  for (const auto& row : source.rows("select name from transferred_tables()")) tables.push_back(row.at(0));
  CHECK(tables.size() >= 50);
  for (const auto& table : tables)
    if (table != "applications" && table != "channel_types" && table != "application_secrets") plant(source, table, app.text());
  source.run("update statements set period = '2024-05-01'");   // a month that is over
  for (const auto& table : tables) CHECK(source.value("select '" + table + " ' || (count(*) > 0) from " + table) == table + " true");
  there.probe().run("do $$ declare k record; begin for k in select conrelid::regclass as t, conname from pg_constraint where contype = 'f' and conparentid = 0"
                    " loop execute format('alter table %s drop constraint %I', k.t, k.conname); end loop; end $$");   // planted rows have no parents
  const auto import = there.bring(slices_of(*here.connection, app));
  there.run();
  CHECK(there.said(import, "coalesce(error, '')") == "");
  CHECK(everything(app.wire(), there.probe()) == everything(app.wire(), here.probe()));
}

TEST_CASE("transfers: jobs do nothing for whom is not active", "[api][transfers][applications]") {
  Elsewhere here;
  const auto now = system_clock().now();
  std::map<std::string, AppId> apps;
  here.act([&](storage::Transaction& tx) {
    for (const auto* name : {"active", "suspended"}) apps[name] = tenants::create_application(tx, {.name = name, .plan_id = Service::kPlan}, now);
  });
  auto superuser = here.probe();
  superuser.run("set session_replication_role = replica");
  for (const auto* table : {"push_queue", "push_deliveries", "preview_queue", "scheduled_messages", "polls", "bookmarks"})
    for (const auto& [name, app] : apps) plant(superuser, table, app.text());
  for (const auto* then : {"update pending_messages set status = 'approved'", "update pending_messages set expires_at = now()"}) {
    for (const auto& [name, app] : apps) plant(superuser, "pending_messages", app.text());
    superuser.run(then);
  }
  superuser.run("update polls set changed = true, closes_at = now(); update bookmarks set remind_at = now();"
                "update channel_types set settings = '{\"retention_days\": 1}' where type = 'team'");
  here.act([&](storage::Transaction& tx) { tenants::suspend_application(tx, *here.bus, apps["suspended"], "unpaid", now); });
  for (const std::string call :
       {"claim_push_queue(gen_random_uuid(), now(), now() + '1 minute', 100)", "claim_push_deliveries(gen_random_uuid(), now(), now() + '1 minute', 9, 100)",
        "claim_previews(now(), '1 minute', 100)", "claim_scheduled_messages(now(), '1 minute', 100)", "changed_polls(100)", "due_polls(now(), 100)",
        "due_reminders(now(), 100)", "undecided_messages(now(), 100)", "claim_approved_messages(now(), '1 minute', 100)"}) {
    INFO(call);
    CHECK(superuser.value("select string_agg(distinct app_id::text, ' ') from " + call) == apps["active"].text());
  }
  CHECK(superuser.value("select app_id from find_expired_channels(current_date, 10) limit 1") == apps["active"].text());
  superuser.run("insert into retention_sweeps select app_id, type, current_date, 1, null, true from channel_types where app_id = '" + apps["active"].text() + "'");
  CHECK(superuser.value("select app_id from find_expired_channels(current_date, 10) limit 1") == "");
}

TEST_CASE("transfers: block lists come along, with their entries and where they hold, and are in force", "[api][transfers][blocklists]") {
  TestApp app(Json{{"message_bytes", {{"hard", 20000}}}});
  app.add_users({"alice"});
  app.add_channel("general", {"alice"});
  REQUIRE(app.server().put("/v1/block_lists/words", {{"kind", "word"}, {"behaviour", "mask"}, {"folding", {{"spacing", true}}}}).status == 201);
  REQUIRE(app.server().post("/v1/block_lists/words/entries", {{"add", {"bad", {{"entry", "worse"}, {"expires_at", "2999-01-01T00:00:00Z"}}}}}).status == 200);
  REQUIRE(app.server().put("/v1/block_lists/words/use", {{"channel_type", "messaging"}, {"channel_id", "general"}}).status == 201);
  const auto list = app.server().get("/v1/block_lists/words").body;
  suspend(app.id());
  const auto lines = export_of(app.id());
  erase(app.id());
  REQUIRE(import_file(app.id(), lines)["status"] == "done");
  REQUIRE(operators().post(path_of(app.id(), "/resume")).status == 200);
  CHECK(app.server().get("/v1/block_lists/words").body == list);
  CHECK(app.server().get("/v1/block_lists/words/entries").body["entries"].size() == 2);
  eventually("they are in force", [&] {
    return app.user("alice").post(kMessages, {{"text", "b.a.d and worse"}}).body.value("message", Json::object()).value("text", "") == "***** and *****";
  });
}
