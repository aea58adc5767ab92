#include <catch2/catch.hpp>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "cli/line/command.h"
#include "cli/run.h"
#include "tests/api/cli/stage.h"

// Each golden file is a transcript: `$ chatctl …`, then what it printed. Lines of stderr begin with "! ", an
// exit code other than 0 is told. With CHAT_UPDATE_GOLDEN=1 the files are written anew: read the difference
// before committing it.
namespace chat::test {
namespace {

const std::filesystem::path kFolder = CHAT_GOLDEN_DIR;

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> commands_in(const std::string& transcript) {
  std::vector<std::string> out;
  std::istringstream lines(transcript);
  for (std::string line; std::getline(lines, line);)
    if (line.rfind("$ chatctl", 0) == 0) out.push_back(line.substr(std::min<std::size_t>(line.size(), 10)));
  return out;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

std::string marked(const std::string& err) {
  std::string out;
  std::istringstream lines(err);
  for (std::string line; std::getline(lines, line);) out += "! " + line + "\n";
  return out;
}

std::string play(Stage& stage, const std::string& command) {
  const auto seen = stage.run_line(command);
  auto text = "$ chatctl" + (command.empty() ? "" : " " + command) + "\n" + seen.out;
  if (!text.empty() && text.back() != '\n') text += "\n";
  text += marked(seen.err);
  if (seen.exit != 0) text += "exit " + std::to_string(seen.exit) + "\n";
  text = replaced(replaced(text, stage.folder.string(), "~"), "\r\n", "<CRLF>\n");
  return std::regex_replace(text, std::regex("trying again in \\d+ ms"), "trying again in N ms") + "\n";
}

/// `more`: commands that must stand there, too.
void compare(const std::string& name, Stage& stage, const std::vector<std::string>& more = {}) {
  const auto path = kFolder / name;
  const auto wanted = read(path);
  std::string got;
  for (const auto& command : commands_in(wanted)) got += play(stage, command);
  for (const auto& command : more) got += play(stage, command);
  if (std::getenv("CHAT_UPDATE_GOLDEN") != nullptr)
    std::ofstream(path, std::ios::binary) << got;
  else
    CHECK(got == wanted);
  CHECK(!got.empty());
}

/// `help` of each noun and verb of which no transcript has it.
std::vector<std::string> helps_that_stand_nowhere() {
  std::set<std::string> stand;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder))
    for (auto& command : commands_in(read(entry.path()))) stand.insert(std::move(command));
  cli::CommandLine line;
  cli::add_all(line);
  std::vector<std::string> missing;
  const auto look = [&](const std::string& words) {
    if (stand.insert("help " + words).second) missing.push_back("help " + words);
  };
  for (const auto& command : line.commands()) {
    look(command.path.substr(0, command.path.find(' ')));
    look(command.path);
  }
  return missing;
}

const char* const kPlans = R"(plans:
  free:
    name: Free
    currency: EUR
    price_month: 0
    features: {replies: true}
    limits:
      - {meter: messages, window: month, included: 1000, hard: 1000, action: block}
      - {meter: application_requests, window: minute, hard: 600, burst: 100, action: throttle}
  growth: {name: Growth, currency: EUR, price_month: 4900, overage_price: "0.10"}
)";

cli::SocketEvent frame(const std::string& text) {
  return {.kind = cli::SocketEvent::Kind::frame, .text = text};
}

std::vector<cli::SocketEvent> lively() {
  return {
      frame(
          R"({"type":"connection.ready","data":{"connection_id":"con_1","user_id":null,"heartbeat_ms":25000}})"),
      frame(
          R"({"type":"message.new","cid":"messaging:general","seq":42,"id":"evt_1","created_at":"2026-11-21T12:00:00.123456Z",)"
          R"("data":{"message":{"id":"msg_1","user_id":"alice","text":"hello\u001b[31m, \"you\""}}})"),
      frame(R"({"type":"token.expiring","data":{"expires_at":"2026-11-21T13:00:00.000000Z"}})"),
      frame(
          R"({"type":"user.updated","id":"evt_2","created_at":"2026-11-21T12:00:01.000000Z","data":{"user":{"user_id":"bob"}}})")};
}

/// The public door of application acme.
void play_holdings(ScriptedApi& api) {
  const std::string alice =
      R"({"user_id":"alice","name":"Alice Moreau","type":"regular","role":"user","custom":{"colour":"teal"},)"
      R"("created_at":"2026-11-20T09:30:00.000000Z","updated_at":"2026-11-20T09:30:00.000000Z"})";
  const std::string channel =
      R"({"cid":"messaging:general","type":"messaging","id":"general","name":"General","member_count":2,"frozen":false,)"
      R"("last_message_seq":41,"slow_mode":0,"custom":{},"created_at":"2026-11-20T09:31:00.000000Z"})";
  const std::string message =
      R"({"id":"msg_1","cid":"messaging:general","user_id":"alice","type":"regular","text":"Lunch, \"noon\"?\u001b[31m",)"
      R"("created_at":"2026-11-20T09:32:00.000000Z"})";
  const std::string ban = R"({"user_id":"bob","shadow":true,"reason":"Spam","created_at":"2026-11-20T09:33:00.000000Z"})";
  const std::string team = R"({"team_id":"red","name":"Red Ltd","created_at":"2026-11-20T09:34:00.000000Z"})";
  const std::string done =
      R"({"task":{"task_id":"task_1","type":"export_user","status":"done","items":3,"parts":2,)"
      R"("created_at":"2026-11-20T09:35:00.000000Z","finished_at":"2026-11-20T09:35:01.000000Z"}})";
  const std::string general = "/v1/channels/messaging/general";
  api.on("POST", "/v1/users/query", 200, R"({"users":[)" + alice + "]}");
  api.on("POST", "/v1/users/search", 200, R"({"users":[)" + alice + "]}");
  api.on("GET", "/v1/users/alice", 200, R"({"user":)" + alice + "}");
  api.on("POST", "/v1/users", 200, R"({"results":[{"status":"updated","user":)" + alice + "}]}");
  api.on("DELETE", "/v1/users/alice", 204, "");
  api.on("POST", "/v1/users/alice/export", 202, done);
  api.on("GET", "/v1/tasks/task_1", 200, done);
  api.on("GET", "/v1/tasks/task_1/parts/1", 200, "{\"kind\":\"user\"}\n");
  api.on("GET", "/v1/tasks/task_1/parts/2", 200, "{\"kind\":\"message\"}\n");
  api.on("POST", "/v1/channels/query", 200, R"({"channels":[{"channel":)" + channel + R"(,"own_capabilities":[]}]})");
  api.on("GET", general, 200, R"({"channel":)" + channel + "}");
  api.on("PATCH", general, 200, R"({"channel":)" + channel + "}");
  api.on("GET", general + "/members", 200, R"({"members":[{"user_id":"alice","role":"owner","custom":{},"created_at":"2026-11-20T09:31:00.000000Z"}]})");
  api.on("POST", general + "/members", 200,
         R"({"results":[{"status":"added","member":{"user_id":"bob","role":"member","created_at":"2026-11-20T09:31:00.000000Z"}}]})");
  api.on("PATCH", general + "/members/bob", 200, R"({"member":{"user_id":"bob","role":"moderator","created_at":"2026-11-20T09:31:00.000000Z"}})");
  api.on("DELETE", general + "/members/bob", 204, "");
  api.on("PATCH", general + "/messages/msg_1", 200, R"({"message":)" + message + "}");
  api.on("POST", "/v1/search/messages", 200, R"({"results":[{"message":)" + message + R"(,"snippet":[]}]})");
  api.on("GET", general + "/messages", 200, R"({"messages":[)" + message + "]}");
  api.on("POST", general + "/messages", 201, R"({"message":)" + message + "}");
  api.on("GET", "/v1/bans", 200, R"({"bans":[)" + ban + "]}");
  api.on("PUT", general + "/bans/bob", 200, R"({"ban":)" + ban + "}");
  api.on("GET", "/v1/teams", 200, R"({"teams":[)" + team + "]}");
}

/// Plans: free is there already, another one is new, and what is called bad has a mistake.
void play_plans(ScriptedApi& api) {
  const std::string plans = "/operator/v1/plans";
  api.on("POST", plans + "/apply", [](const cli::ApiRequest& request) -> cli::ApiAnswer {
    const bool is_bad = request.body->find("\"bad\"") != std::string::npos, has_free = request.body->find("\"free\"") != std::string::npos;
    if (is_bad)
      return {.status = 400,
              .body = R"({"status":400,"code":"invalid_field","detail":"The plans have mistakes; none was changed.","errors":[)"
                      R"({"pointer":"#/plans/bad/name","detail":"Must not be empty."},{"pointer":"#/plans/bad/limits/1/meter","detail":"Unknown meter: wishes."},)"
                      R"({"pointer":"#/plans/bad/currency","detail":"Required with a price."}]})",
              .headers = {}};
    const std::string free = R"({"plan_id":"free","result":"changed","changes":[{"field":"limits.messages.hard","before":900,"after":1000},{"field":"name","before":"F","after":"Free"}]},)";
    return {.status = 200, .body = R"({"dry_run":false,"plans":[)" + (has_free ? free : "") + R"({"plan_id":"growth","result":"created","changes":[]}]})", .headers = {}};
  });
  const std::string gold = R"({"plan_id":"gold","name":"Gold","currency":"EUR","price_month":9900,"version":1,"created_at":"2026-11-21T12:00:00.000000Z","updated_at":"2026-11-21T12:00:00.000000Z"})";
  api.on("GET", plans + "/gold", 404, R"({"status":404,"code":"not_found","detail":"There is no such plan."})");
  api.on("PUT", plans + "/gold", 200, R"({"plan":)" + gold + "}");
  api.on("GET", plans + "/gold/versions", 200, R"({"plans":[)" + gold + "]}");
  api.on("POST", plans + "/gold/archive", 200, R"({"plan":)" + gold + "}");
  api.on("GET", plans + "/free/diff", 200,
         R"({"plan_id":"free","from":1,"to":2,"changes":[{"field":"features.polls","after":false},{"field":"limits.messages.hard","before":900,"after":1000}]})");
  api.on("POST", plans + "/growth/upgrade", [](const cli::ApiRequest& request) -> cli::ApiAnswer {   // two pages
    const bool is_rest = request.body->find("\"after\":\"app_1\"") != std::string::npos;
    const std::string begin = R"({"plan_id":"growth","version":3,"dry_run":false,"applications":[)";
    return {.status = 200,
            .body = begin + (is_rest ? R"({"app_id":"app_2","name":"globex","from_version":2}]})"
                                     : R"({"app_id":"app_1","name":"acme","from_version":1}],"next":"app_1"})"),
            .headers = {}};
  });
  api.on("POST", plans + "/free/upgrade", 200, R"({"plan_id":"free","version":2,"dry_run":false,"applications":[]})");
  const std::string history =
      R"({"plan":"growth","version":2,"yearly":true,"history":[{"moved_at":"2026-11-21T12:00:00.000000Z","plan":"growth","version":2,"yearly":true},)"
      R"({"moved_at":"2026-11-20T08:15:30.123456Z","plan":"free","version":1,"yearly":false}]})";
  for (const auto* method : {"GET", "POST"}) api.on(method, "/operator/v1/applications/acme/plan", 200, history);
}

/// What acme owes.
void play_books(ScriptedApi& api) {
  const auto statement = [](const std::string& state, const std::string& more) {
    return R"({"statement_id":"stm_1","number":17,"app_id":"app_1","name":"acme","month":"2026-10","state":")" + state + R"(","currency":"EUR","lines":[)"
           R"({"kind":"plan","description":"Pro, 31 of 31 days","plan":"pro","plan_version":2,"first_day":"2026-10-01","last_day":"2026-10-31","days":31,"amount":19900},)"
           R"({"kind":"credit","description":"Outage, \"sorry\"","credit_id":"crd_1","amount":-5000}],"total":14900,"finalized_at":"2026-11-03T00:00:01.000000Z")" + more + "}";
  };
  const std::string last = statement("final", ""), gone = statement("void", R"(,"voided_at":"2026-11-04T00:00:00.000000Z","void_reason":"wrong plan")");
  const std::string own = "/operator/v1/applications/acme";
  for (const auto* path : {"/operator/v1/statements", "/operator/v1/applications/acme/statements"})
    api.on("GET", path, 200, R"({"statements":[)" + last + "]}");
  api.on("POST", own + "/statements", 201, R"({"statement":)" + last + "}");
  for (const auto* which : {"stm_1", "draft"})
    api.on("GET", own + "/statements/" + which, [last](const cli::ApiRequest& request) -> cli::ApiAnswer {
      const bool as_page = !request.query.empty() && request.query.back().second == "html";
      return {.status = 200, .body = as_page ? "<!doctype html>\n" : R"({"statement":)" + last + "}", .headers = {}};
    });
  api.on("POST", own + "/statements/stm_1/void", 200, R"({"statement":)" + gone + "}");
  const std::string credits = R"({"credits":[{"credit_id":"crd_1","amount":5000,"remaining":0,"reason":"Outage","created_at":"2026-11-01T00:00:00.000000Z"}]})";
  for (const auto* method : {"GET", "POST"}) api.on(method, own + "/credits", 200, credits);
  api.on("GET", "/operator/v1/alerts", 200,
         R"({"alerts":[{"alert_id":"alr_1","app_id":"app_1","meter":"messages","period":"2026-11","level":"warning","value":8003,"included":10000,)"
         R"("noticed_at":"2026-11-21T12:00:00.000000Z"}]})");
  api.on("GET", "/operator/v1/usage", 200,
         R"({"events":[{"specversion":"1.0","id":"app_1:messages:2026-10-31","data":{"meter":"messages","value":7}},{"specversion":"1.0","id":"app_1:push:2026-10-31"}]})");
}

}  // namespace

TEST_CASE("chatctl: every help text is as agreed", "[api][cli]") {
  Stage stage;
  compare("help.txt", stage, helps_that_stand_nowhere());
}

TEST_CASE("chatctl: every noun prints in all five formats", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  compare("formats.txt", stage);
}

TEST_CASE("chatctl: changes say what changed and secrets are shown once", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  stage.write("secret", "sk_abc\n");
  compare("changes.txt", stage);
}

TEST_CASE("chatctl: a mistake names itself, its exit code and the way out", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  stage.api.on("GET", "/operator/v1/applications/down", 503, "upstream went away");
  stage.api.on(
      "GET", "/operator/v1/applications/locked", 401,
      R"({"status":401,"code":"unauthenticated","title":"Who are you?","detail":"The token is not known.","request_id":"r"})");
  stage.api.on("GET", "/operator/v1/applications/odd/keys", 200, R"({"api_key":1,"secrets":)");
  stage.api.on("GET", "/operator/v1/applications/busy", [](const cli::ApiRequest&) -> cli::ApiAnswer {
    return {.status = 429,
            .body = R"({"status":429,"code":"rate_limited","detail":"Too fast."})",
            .headers = {{"retry-after", "3"}}};
  });
  compare("mistakes.txt", stage);
}

TEST_CASE("chatctl: an application's life", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  play_life(stage.api);
  compare("life.txt", stage);
}

TEST_CASE("chatctl: top shows what is busy between two looks", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  play_busy(stage.api);
  stage.api.on("GET", "/operator/v1/applications/app_01kam7xm00f9z8y2c4d6e8g0h2", 200, R"({"application":{"name":"acme"}})");
  stage.rounds = 100;
  compare("top.txt", stage);
}

TEST_CASE("chatctl: limits are shown and replaced one by one", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  stage.api.on("GET", "/operator/v1/applications/acme/limits", 200,
               R"({"plan":"free","limits":[{"meter":"messages","window":"month","used":812,"state":"warning","included":1000,"hard":2000,)"
               R"("action":"block","resets_at":"2026-12-01T00:00:00.000000Z"},{"meter":"user_requests","window":"minute","hard":60,"burst":20,)"
               R"("action":"throttle"}],"features":{"threads":true,"polls":false}})");
  stage.api.on("GET", "/operator/v1/applications/acme/usage/hours", 200,
               R"({"day":"2026-11-21","plan":"free","hours":[{"hour":"2026-11-21T09:00:00.000000Z","messages":12,"api_calls":40},)"
               R"({"hour":"2026-11-21T10:00:00.000000Z","messages":6,"api_calls":20,"deliveries":55}]})");
  stage.api.on("GET", "/operator/v1/applications/acme", 200,
               R"({"application":{"name":"acme","limits":{"messages":{"hard":10,"expires_at":"2026-12-24T00:00:00Z"},"push":{"hard":7}}}})");
  compare("limits.txt", stage);
  const auto sent = [&](const std::string& what) {
    return std::count(stage.api.asked.begin(), stage.api.asked.end(), "PATCH /operator/v1/applications/acme " + what);
  };
  CHECK(sent(R"({"set":{"limits":{"push":{"hard":7},"messages":{"expires_at":"2026-12-24T00:00:00Z","hard":50,"included":40}}}})") == 1);
  CHECK(sent(R"({"set":{"limits":{"push":{"hard":7}}}})") == 1);
  CHECK(sent(R"({"set":{"limits":{"push":{"hard":7},"messages":{"expires_at":"2031-01-01T00:00:00Z","hard":10}}}})") == 1);
  CHECK(sent(R"({"set":{"limits":{"push":{"hard":7},"messages":{"hard":10}}}})") == 1);
}

TEST_CASE("chatctl: operators and their audit", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  play_operators(stage.api);
  compare("operators.txt", stage);
}

TEST_CASE("chatctl: plan apply makes the plans as the file says", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  stage.write("plans.yaml", kPlans);
  stage.write("twice.yaml", "plans:\n  free: {name: A}\n  free: {name: B}\n");
  stage.write("broken.yaml", "plans:\n  free: {name: [}\n");
  stage.write("bad.yaml", "plans:\n  bad:\n    name: ''\n    limits:\n      - {meter: push}\n      - {meter: wishes}\n  growth: {name: Growth}\n");
  stage.write("gold.yaml", "{name: Gold, currency: EUR, price_month: 9900}");
  play_plans(stage.api);
  compare("plans.txt", stage);
}

TEST_CASE("chatctl: statements, credits, alerts and usage for others are shown and changed", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  play_books(stage.api);
  compare("statements.txt", stage);
}

TEST_CASE("chatctl: contexts are kept, chosen and forgotten", "[api][cli]") {
  Stage stage;
  stage.environment.erase("CHATCTL_SERVER");
  stage.environment.erase("CHATCTL_TOKEN_FILE");
  play_service(stage.api);
  compare("contexts.txt", stage);
  namespace fs = std::filesystem;
  const auto mode = fs::status(stage.folder / "config/chatctl/config.yaml").permissions();
  CHECK((mode & fs::perms::mask) == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("chatctl: tail prints a piece per event and survives a lost connection", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  const cli::SocketEvent lost{
      .kind = cli::SocketEvent::Kind::closed, .text = "slow_reader", .close_code = 4008};
  const cli::SocketEvent refused{
      .kind = cli::SocketEvent::Kind::closed, .text = "application_suspended", .close_code = 4503};
  for (int i = 0; i < 6; ++i) stage.sockets.connections.push_back(lively());
  stage.sockets.connections.push_back({lively()[0], lost});
  stage.sockets.connections.push_back(lively());
  stage.sockets.connections.push_back({refused});
  stage.sockets.connections.push_back({lively()[0], {.kind = cli::SocketEvent::Kind::interrupted}});
  stage.sockets.connections.push_back({{.kind = cli::SocketEvent::Kind::closed,
                                        .text = "This application is suspended.",
                                        .http_status = 403}});
  compare("tail.txt", stage);
  REQUIRE(!stage.sockets.opened.empty());
  CHECK(stage.sockets.opened.front().url == "ws://127.0.0.1:8080/v1/connect");
  CHECK(stage.sockets.opened.front().token == "aaa.bbb.ccc");
}

TEST_CASE("chatctl: doctor tells the first thing to repair", "[api][cli]") {
  Stage stage;
  play_service(stage.api);
  compare("doctor.txt", stage);
  stage.api.on("GET", "/readyz", 503, R"({"status":"fail"})");
  stage.api.on("GET", "/livez", [](const cli::ApiRequest&) -> cli::ApiAnswer {
    return {.status = 200, .body = "", .headers = {{"date", "Sat, 21 Nov 2026 11:00:00 GMT"}}};
  });
  stage.api.on(
      "GET", "/operator/v1/status", 200,
      R"({"version":"0.2.0","schema":{"database":5,"binary":6},"database":"unavailable","redis":"disconnected","config_warnings":["CHAT_PROT is no key"]})");
  compare("doctor_ill.txt", stage);
}

TEST_CASE("chatctl: completion offers words, names and files", "[api][cli]") {
  Stage stage;
  stage.environment["CHATCTL_PUBLIC"] = "http://127.0.0.1:8080";
  play_service(stage.api);
  play_holdings(stage.api);
  compare("completion.txt", stage);
}

TEST_CASE("chatctl: what an application holds prints in all five formats", "[api][cli]") {
  Stage stage;
  stage.environment["CHATCTL_PUBLIC"] = "http://127.0.0.1:8080";
  play_service(stage.api);
  play_holdings(stage.api);
  compare("holdings.txt", stage);
  REQUIRE(stage.api.opened.size() > 1);
  const auto& door = stage.api.opened.at(1);  // the first command's: after it minted a token
  CHECK(door.server == "http://127.0.0.1:8080");
  CHECK(door.api_key == "key_01kam7xm00f9z8y2c4d6e8g0h2");
  CHECK(door.token() == "aaa.bbb.ccc");
}

}  // namespace chat::test
