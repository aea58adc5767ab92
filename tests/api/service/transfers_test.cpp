#include <catch2/catch.hpp>

#include <sstream>

#include "platform/storage/migrator.h"
#include "platform/transfers/transfers.h"
#include "tests/support/planting.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

Actor operators() { return Service::get().operators(); }
std::string path_of(const std::string& app_id, const std::string& more = "") { return "/operator/v1/applications/" + app_id + more; }
std::string uuid_of(const std::string& app_id) { return AppId::parse(app_id)->text(); }

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
  for (const auto* job : {"tell_changed_polls", "index_messages", "flush_usage"}) Service::get().node().run_job(job);   // what was under way
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
std::string everything(const std::string& app_id) {
  Probe superuser(superuser_database().dsn);
  std::string all;
  for (const auto& row : superuser.rows("select name from transferred_tables() order by place")) {
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

std::string leftovers(const std::string& app_id) {
  Probe superuser(superuser_database().dsn);
  std::string tables;
  for (const auto& table : tenant_tables(superuser))
    if (table != "imports" && superuser.value("select count(*) from " + table + " where app_id = '" + uuid_of(app_id) + "'") != "0") tables += table + " ";
  return tables;
}

}  // namespace

TEST_CASE("transfers: an application exported, erased and imported is the same, row by row, and works on", "[api][transfers]") {
  TestApp app(Json{{"message_bytes", {{"hard", 20000}}}});   // on one node: its flush is under way nowhere else
  furnish(app);
  const auto before_all = app.user("bob").get(kMessages + "?limit=100").body;
  suspend(app.id());
  const auto before = everything(app.id());
  const auto lines = export_of(app.id());
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
  CHECK(app.server().get("/v1/tasks/" + task).status == 200);   // the customer may look at it: it is its own data
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
  CHECK(operators().post(path_of(other, "/imports")).pointer() == "#/header");
  CHECK(leftovers(other).empty());
  CHECK(operators().get(path_of(other, "/imports/imp_01h455vb4pex5vsknk084sn02q")).code() == "not_found");
}

TEST_CASE("transfers: into another chatd, where its secrets can't be read, it comes without them", "[api][transfers]") {
  TestApp app;
  furnish(app);
  const auto lines = export_of(suspend(app.id()));
  ScratchDatabase database;
  storage::Migrator(database.owner()).up();
  Probe superuser(database.superuser().dsn);
  superuser.run(std::string("insert into plans values ('") + Service::kPlan + "', '{}', now(), now())");
  storage::Connection connection(database.server());
  auto bus = bus::make_local_bus();
  const crypto::Sealer sealer(std::string(32, 'x'));
  const auto now = system_clock().now();
  const auto app_id = *AppId::parse(app.id());
  transfers::Import import;
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    const auto header = json::Document::parse(lines.front());
    import = transfers::begin_import(tx, app_id, header.root(), now);
    transfers::add_part(tx, app_id, import.id, 1, joined(lines, 1, lines.size() - 1), now);
    transfers::apply_import(tx, app_id, import.id, static_cast<std::int64_t>(lines.size()) - 2, now);
  });
  transfers::run_imports(connection, {*bus, sealer, system_clock()});
  connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) { import = transfers::get_import(tx, app_id, import.id); });
  CHECK(import.error.value_or("") == "");
  CHECK(import.status == "done");
  CHECK(import.lost_secrets == 1);
  CHECK(superuser.value("select count(*) from application_secrets") == "0");
  CHECK(superuser.value("select count(*) from messages") == std::to_string(app.rows("messages")));
  CHECK(superuser.value("select count(*) from import_parts") == "0");
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    CHECK(transfers::sweep_imports(tx, now + std::chrono::hours(1), 100) == 0);
    CHECK(transfers::sweep_imports(tx, now + std::chrono::hours(48), 100) == 1);
  });
  CHECK(superuser.value("select count(*) from imports") == "0");
}
