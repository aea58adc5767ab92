#include "tests/api/cli/stage.h"

#include <unistd.h>

#include <fstream>
#include <iterator>

#include "cli/files/terminal.h"
#include "cli/remote/api_client.h"
#include "cli/run.h"
#include "platform/base/crypto.h"

namespace chat::test {
namespace {

/// Goes on only while a verb waits.
class StageClock : public Clock {
 public:
  Timestamp at = *parse_time("2026-11-21T12:00:00Z");
  [[nodiscard]] Timestamp now() const override { return at; }
};

class ApiOnStage : public cli::Api {
 public:
  explicit ApiOnStage(ScriptedApi& script) : script_(script) {}
  cli::ApiAnswer send(const cli::ApiRequest& request) override { return script_.send(request); }

 private:
  ScriptedApi& script_;
};

class SocketOnStage : public cli::EventSocket {
 public:
  explicit SocketOnStage(std::vector<cli::SocketEvent> events) : events_(std::move(events)) {}
  cli::SocketEvent next(std::chrono::steady_clock::time_point) override {
    if (at_ == events_.size()) return {.kind = cli::SocketEvent::Kind::deadline};
    return events_[at_++];
  }

 private:
  std::vector<cli::SocketEvent> events_;
  std::size_t at_ = 0;
};

cli::ApiAnswer problem(int status, const std::string& code, const std::string& detail) {
  return {.status = status,
          .body = R"({"type":"about:blank","title":"Refused.","status":)" + std::to_string(status) +
                  R"(,"code":")" + code + R"(","detail":")" + detail +
                  R"(","request_id":"req_1","retryable":false})",
          .headers = {}};
}

}  // namespace

std::vector<std::string> split_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  char quote = '\0';
  bool begun = false;
  for (const char c : line) {
    if (c == quote) {
      quote = '\0';
    } else if (quote == '\0' && (c == '"' || c == '\'')) {
      quote = c;
      begun = true;
    } else if (c == ' ' && quote == '\0') {
      if (begun) words.push_back(word);
      word.clear();
      begun = false;
    } else {
      word += c;
      begun = true;
    }
  }
  if (begun) words.push_back(word);
  return words;
}

void ScriptedApi::on(const std::string& method, const std::string& path, Act act) {
  acts_[method + " " + path] = std::move(act);
}

void ScriptedApi::on(const std::string& method, const std::string& path, int status,
                     const std::string& body) {
  on(method, path, [status, body](const cli::ApiRequest&) {
    return cli::ApiAnswer{.status = status, .body = body, .headers = {}};
  });
}

cli::ApiAnswer ScriptedApi::send(const cli::ApiRequest& request) {
  asked.push_back(request.method + " " + request.path + (request.body ? " " + *request.body : ""));
  if (request.with_token && !opened.empty() && opened.back().token) (void)opened.back().token();
  const auto act = acts_.find(request.method + " " + request.path);
  return act == acts_.end() ? problem(404, "not_found", "No such thing.") : act->second(request);
}

Stage::Stage() {
  crypto::start();
  auto name = (std::filesystem::temp_directory_path() / "chatctl_stage.XXXXXX").string();
  folder = mkdtemp(name.data());
  std::filesystem::current_path(folder);
  write("token", "operator-token\n");
  environment = {{"XDG_CONFIG_HOME", (folder / "config").string()},
                 {"CHATCTL_SERVER", "http://127.0.0.1:8081"},
                 {"CHATCTL_TOKEN_FILE", (folder / "token").string()}};
}

Stage::~Stage() {
  std::filesystem::current_path("/");
  std::filesystem::remove_all(folder);
}

Stage::Seen Stage::run(const std::vector<std::string>& words, const std::string& input) {
  StageClock clock;
  std::istringstream in(input);
  std::ostringstream out, err;
  cli::World world{.in = in,
                   .out = out,
                   .err = err,
                   .clock = real ? system_clock() : static_cast<const Clock&>(clock),
                   .in_is_terminal = terminal,
                   .environment = environment,
                   .connect_api =
                       [this](cli::ApiOptions options) {
                         api.opened.push_back(std::move(options));
                         return std::make_unique<ApiOnStage>(api);
                       },
                   .open_socket =
                       [this](cli::SocketOptions options) {
                         sockets.opened.push_back(std::move(options));
                         std::vector<cli::SocketEvent> events;
                         if (!sockets.connections.empty()) {
                           events = sockets.connections.front();
                           sockets.connections.pop_front();
                         }
                         return std::make_unique<SocketOnStage>(std::move(events));
                       },
                   .wait = [this, &clock](std::chrono::milliseconds time) {
                     clock.at += time;
                     return rounds-- > 0;
                   }};
  if (real) {
    world.connect_api = cli::make_api_client;
    world.open_socket = cli::make_socket;
    world.wait = cli::wait_or_exit;
  }
  Seen seen;
  seen.exit = cli::run(words, world);
  seen.out = out.str();
  seen.err = err.str();
  return seen;
}

Stage::Seen Stage::run_line(const std::string& line) {
  const auto input = line.find(" < ");
  return run(split_words(line.substr(0, input)),
             input == std::string::npos ? "" : line.substr(input + 3) + "\n");
}

std::string Stage::write(const std::string& name, const std::string& text) const {
  const auto path = folder / name;
  std::ofstream(path, std::ios::binary) << text;
  std::filesystem::permissions(path,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return path.string();
}

std::string Stage::read(const std::string& name) const {
  std::ifstream file(folder / name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void play_service(ScriptedApi& api) {
  const std::string acme =
      R"({"app_id":"app_01kam7xm00f9z8y2c4d6e8g0h2","name":"acme","status":"active","plan":"free","settings":{"outbox":true},)"
      R"("limits":{"messages":{"hard":10}},"api_key":"key_01kam7xm00f9z8y2c4d6e8g0h2",)"
      R"("created_at":"2026-11-20T08:15:30.123456Z","updated_at":"2026-11-21T09:00:00.000000Z"})";
  const std::string globex =
      R"({"app_id":"app_01kam7xm00f9z8y2c4d6e8g0h3","name":"Globex, \"東京\"","status":"suspended","status_reason":"overdue",)"
      R"("plan":"growth","settings":{},"limits":{},"api_key":"key_01kam7xm00f9z8y2c4d6e8g0h3",)"
      R"("created_at":"2026-11-20T08:15:31.000000Z","updated_at":"2026-11-21T09:00:00.000000Z"})";
  const std::string free =
      R"({"plan_id":"free","name":"Free","currency":"EUR","price_month":0,"price_year":0,"features":{"replies":true},)"
      R"("limits":[{"meter":"messages","window":"month","included":1000,"hard":1000,"action":"block"},)"
      R"({"meter":"application_requests","window":"minute","hard":600,"burst":100,"action":"throttle"}],)"
      R"("created_at":"2026-11-01T00:00:00.000000Z","updated_at":"2026-11-02T00:00:00.000000Z"})";
  const std::string apps = "/operator/v1/applications";
  const auto secret = std::string(
      R"({"secret_id":"sec_01kam7xm00f9z8y2c4d6e8g0h4","value":"sk_abc","created_at":"2026-11-21T12:00:00.000000Z"})");
  // Two pages: the second one only for the cursor of the first.
  api.on("GET", apps, [acme, globex](const cli::ApiRequest& request) -> cli::ApiAnswer {
    const bool second = !request.query.empty() && request.query.back().first == "next";
    return {.status = 200,
            .body = second ? R"({"applications":[)" + globex + "]}"
                           : R"({"applications":[)" + acme + R"(],"next":"c1"})",
            .headers = {}};
  });
  api.on("POST", apps, [acme, secret](const cli::ApiRequest& request) -> cli::ApiAnswer {
    if (request.body->find("\"gold\"") == std::string::npos)
      return {.status = 201,
              .body = R"({"application":)" + acme +
                      R"(,"api_key":"key_01kam7xm00f9z8y2c4d6e8g0h2","secret":)" + secret + "}",
              .headers = {}};
    return {
        .status = 400,
        .body =
            R"({"type":"about:blank","title":"A field is wrong.","status":400,"code":"invalid_field","detail":"The request has mistakes.",)"
            R"("request_id":"req_7","retryable":false,"errors":[{"pointer":"#/plan","detail":"No such plan."}]})",
        .headers = {}};
  });
  for (const auto* verb : {"", "/suspend", "/resume"})
    api.on(*verb == '\0' ? "GET" : "POST", apps + "/acme" + verb, 200, R"({"application":)" + acme + "}");
  api.on("PATCH", apps + "/acme", 200, R"({"application":)" + acme + "}");
  api.on("DELETE", apps + "/app_01kam7xm00f9z8y2c4d6e8g0h2", 204, "");
  api.on(
      "GET", apps + "/acme/keys", 200,
      R"({"api_key":"key_01kam7xm00f9z8y2c4d6e8g0h2","secrets":[{"secret_id":"sec_01kam7xm00f9z8y2c4d6e8g0h4",)"
      R"("created_at":"2026-11-20T08:15:30.123456Z","expires_at":"2026-12-20T08:15:30.000000Z"}]})");
  api.on("POST", apps + "/acme/secrets", 201, R"({"secret":)" + secret + "}");
  api.on("DELETE", apps + "/acme/secrets/sec_01kam7xm00f9z8y2c4d6e8g0h4",
         problem(409, "conflict", "The last secret can't go.").status,
         problem(409, "conflict", "The last secret can't go.").body);
  api.on(
      "POST", apps + "/acme/tokens", 201,
      R"({"token":"aaa.bbb.ccc","api_key":"key_01kam7xm00f9z8y2c4d6e8g0h2","expires_at":"2026-11-22T12:00:00.000000Z"})");
  api.on("POST", apps + "/acme/revoke_tokens", 204, "");
  api.on(
      "GET", apps + "/acme/usage", 200,
      R"({"month":"2026-11","plan":"free","meters":[)"
      R"({"meter":"messages","window":"month","value":812,"included":1000,"hard":1000,"action":"block","state":"warning"},)"
      R"({"meter":"connections","window":"now","value":2,"hard":100,"action":"block","state":"ok"}],)"
      R"("days":[{"day":"2026-11-21","messages":12,"api_calls":40,"deliveries":55,"active_users":2,"peak_connections":2}]})");
  api.on("GET", apps + "/acme/usage/recount", 200,
         R"({"day":"2026-11-21","meters":[{"meter":"messages","ledger":812,"rows":812,"difference":0,"complete":true}],"difference":0})");
  api.on("GET", "/operator/v1/plans", 200, R"({"plans":[)" + free + "]}");
  api.on("GET", "/operator/v1/plans/free", 200, R"({"plan":)" + free + "}");
  api.on("DELETE", "/operator/v1/plans/free", 409,
         problem(409, "conflict", "2 applications are on this plan; move them first.").body);
  api.on("PUT", "/operator/v1/plans/free", 200, R"({"plan":)" + free + "}");
  api.on("PUT", "/operator/v1/plans/growth", 200, R"({"plan":)" + free + "}");
  api.on("GET", "/livez", [](const cli::ApiRequest&) -> cli::ApiAnswer {
    return {.status = 200,
            .body = R"({"status":"pass"})",
            .headers = {{"date", "Sat, 21 Nov 2026 12:00:02 GMT"}}};
  });
  api.on("GET", "/readyz", 200, R"({"status":"pass"})");
  api.on("GET", "/metrics", 200,
         "# HELP chat_build_info x\n# TYPE chat_build_info gauge\nchat_build_info 1\n");
  api.on(
      "GET", "/operator/v1/status", 200,
      R"({"version":"0.1.0","uptime_s":12,"schema":{"database":6,"binary":6},"database":"ok","connections":0,"redis":"connected",)"
      R"("config_warnings":[],"engine":{"public":"beast","operator":"pistache"}})");
}

void play_busy(ScriptedApi& api) {
  const auto looks = std::make_shared<int>(0);
  api.on("GET", "/metrics", [looks](const cli::ApiRequest&) -> cli::ApiAnswer {
    const int look = ++*looks;
    const auto of = [](const std::string& name, const std::string& app, int value) {
      return "chat_application_" + name + "{app=\"" + app + "\"} " + std::to_string(value) + "\n";
    };
    const std::string acme = "app_01kam7xm00f9z8y2c4d6e8g0h2", globex = "app_01kam7xm00f9z8y2c4d6e8g0h3";
    return {.status = 200,
            .body = of("messages_total", acme, 100 + 3 * look) + of("messages_total", globex, 5000) +
                    of("messages_total", "__other__", 900 + look) + of("api_calls_total", acme, 500 + 25 * look) +
                    of("api_calls_total", globex, look < 4 ? 9000 : look) + of("api_calls_total", "__other__", 0) +
                    of("errors_total", globex, 45 * look) + of("errors_total", "__other__", 0) +
                    of("connections", acme, 1200 + look) + of("connections", "__other__", 17),
            .headers = {}};
  });
}

void play_life(ScriptedApi& api) {
  const std::string apps = "/operator/v1/applications";
  const std::string id = "app_01kam7xm00f9z8y2c4d6e8g0h2";
  const auto acme = [&](const std::string& status, const std::string& more) {
    return R"({"app_id":")" + id + R"(","name":"acme","status":")" + status + R"(","plan":"free",)" + more +
           R"("contacts":[],"settings":{"guests":true},"limits":{},"api_key":"key_01kam7xm00f9z8y2c4d6e8g0h2",)"
           R"("created_at":"2026-11-20T08:15:30.123456Z","updated_at":"2026-11-21T09:00:00.000000Z","placement":{}})";
  };
  const std::string deleting = acme("deleting", R"("delete_after":"2026-11-28T09:00:00.000000Z","organisation":"Acme","environment":"production",)");
  api.on("PATCH", apps + "/acme/settings", 200, R"({"application":)" + acme("active", "") + "}");
  api.on("POST", apps + "/acme/clone", 201,
         R"({"application":)" + acme("active", R"("environment":"development",)") +
             R"(,"api_key":"key_01kam7xm00f9z8y2c4d6e8g0h2","secret":{"secret_id":"sec_01kam7xm00f9z8y2c4d6e8g0h4","value":"sk_abc",)"
             R"("created_at":"2026-11-21T12:00:00.000000Z"}})");
  api.on("GET", apps + "/gone", 200, R"({"application":)" + deleting + "}");
  api.on("POST", apps + "/gone/restore", 200, R"({"application":)" + acme("active", "") + "}");
  api.on("POST", apps + "/" + id + "/purge", 200, R"({"application":)" + deleting + "}");
  api.on("POST", apps + "/acme/secrets/sec_01kam7xm00f9z8y2c4d6e8g0h4/expire", 200,
         R"({"secret":{"secret_id":"sec_01kam7xm00f9z8y2c4d6e8g0h4","created_at":"2026-11-20T08:15:30.123456Z","expires_at":"2026-11-21T13:00:00.000000Z"}})");
}

void play_operators(ScriptedApi& api) {
  const std::string ines =
      R"({"operator_id":"opr_01kam7xm00f9z8y2c4d6e8g0h5","name":"ines","role":"operator","created_by":"bootstrap",)"
      R"("created_at":"2026-11-20T08:15:30.123456Z","last_used_at":"2026-11-21T09:00:00.000000Z"})";
  const std::string gone =
      R"({"operator_id":"opr_01kam7xm00f9z8y2c4d6e8g0h6","name":"omar","role":"viewer","created_by":"ines",)"
      R"("created_at":"2026-11-20T08:15:31.000000Z","revoked_at":"2026-11-21T09:00:00.000000Z"})";
  const std::string path = "/operator/v1/operators";
  api.on("POST", path, 201, R"({"operator":)" + ines + R"(,"token":"op_abc"})");
  api.on("GET", path, 200, R"({"operators":[)" + ines + "," + gone + "]}");
  api.on("DELETE", path + "/opr_01kam7xm00f9z8y2c4d6e8g0h5", 204, "");
  api.on(
      "GET", "/operator/v1/audit", 200,
      R"({"audit":[{"seq":2,"at":"2026-11-21T09:00:00.000000Z","operator":"ines","role":"operator","action":"application.suspend",)"
      R"("object":"application:app_01kam7xm00f9z8y2c4d6e8g0h2","before":{"status":"active"},"after":{"status":"suspended"},)"
      R"("address":"10.0.4.7","request_id":"r2","hash":"bb"}]})");
  api.on("GET", "/operator/v1/audit/verify", [](const cli::ApiRequest& request) -> cli::ApiAnswer {
    const std::string hash(64, 'b');
    const auto after = request.query.front().second;
    if (after == "9")
      return {.status = 200,
              .body = R"({"checked":0,"last_seq":9,"last_hash":")" + hash +
                      R"(","complete":false,"broken":{"seq":9,"detail":"Its hash is another than was noted."}})",
              .headers = {}};
    return {.status = 200,
            .body = R"({"checked":2,"last_seq":2,"last_hash":")" + hash + R"(","complete":)" +
                    (after == "0" ? "false" : "true") + "}",
            .headers = {}};
  });
}

}  // namespace chat::test
