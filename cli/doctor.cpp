#include <cmath>
#include <functional>
#include <optional>

#include "cli/files/files.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/remote/problem.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const Sheet kSheet{
    .columns = {{"CHECK", "check"}, {"STATE", "state", Look::state}, {"DETAIL", "detail"}, {"NEXT", "next"}},
    .name = "check"};

constexpr std::chrono::seconds kSkewWorthKnowing{5};
constexpr std::chrono::seconds kSkewThatBreaks{60};  // the leeway of a token's iat

enum class State { ok, warning, failed, skipped };

struct Finding {
  std::string check;
  State state = State::ok;
  std::string detail;
  std::string next;  // empty: nothing to do
};

std::string_view word(State state) {
  switch (state) {
    case State::ok:
      return "ok";
    case State::warning:
      return "warning";
    case State::failed:
      return "failed";
    case State::skipped:
      return "skipped";
  }
  return "";
}

/// Looks at one thing after the other; what depends on a failed one is skipped, not guessed.
class Doctor {
 public:
  explicit Doctor(Session& session) : session_(session) {}

  std::vector<Finding> run() {
    check("context", [this] { return check_context(); });
    check_if(findings_.back().state != State::failed, "reachable", [this] { return check_reachable(); });
    const bool reachable = findings_.back().state == State::ok;
    check_if(reachable, "ready", [this] { return check_ready(); });
    check_if(reachable, "metrics", [this] { return check_metrics(); });
    check_if(reachable, "clock", [this] { return check_clock(); });
    check_if(reachable, "token", [this] { return check_token(); });
    const bool known = status_.has_value();
    check_if(known, "version", [this] { return check_version(); });
    check_if(known, "database", [this] { return check_database(); });
    if (known && has_redis()) check("redis", [this] { return check_redis(); });
    check_if(known, "schema", [this] { return check_schema(); });
    check_if(known, "configuration", [this] { return check_configuration(); });
    check("public", [this] { return check_public(); });
    return std::move(findings_);
  }

 private:
  void check(const std::string& name, const std::function<Finding()>& look) {
    Finding finding;
    try {
      finding = look();
    } catch (const Failure& failure) {
      finding = {"", State::failed, failure.message(), failure.next().empty() ? "" : failure.next().front()};
    } catch (const Error& error) {
      finding = {"", State::failed, std::string("not what chatd answers: ") + error.what(),
                 "is it another server?"};
    }
    finding.check = name;
    findings_.push_back(std::move(finding));
  }

  void check_if(bool possible, const std::string& name, const std::function<Finding()>& look) {
    if (possible)
      check(name, look);
    else
      findings_.push_back({name, State::skipped, "needs what failed above", ""});
  }

  Finding check_context() {
    const auto file = load_contexts(session_.world());
    const auto name = session_.context_name();
    const auto server = session_.server();
    if (file.exists && !is_private(file.path))
      return {"", State::warning, "others can read " + file.path, "chmod 600 " + file.path};
    return {"", State::ok, (name.empty() ? "none" : name + " in " + file.path) + ", server " + server, ""};
  }

  ApiAnswer open_answer(const std::string& path) {
    return session_.api().send({.path = path, .with_token = false});
  }

  Finding check_reachable() {
    alive_ = open_answer("/livez");
    if (alive_.status == 200) return {"", State::ok, session_.server() + " answers", ""};
    return {"", State::failed, "/livez answered " + std::to_string(alive_.status),
            "is " + session_.server() + " chatd's operator door (default port 8081)?"};
  }

  Finding check_ready() {
    const auto answer = open_answer("/readyz");
    if (answer.status == 200) return {"", State::ok, "takes requests", ""};
    return {"", State::failed, failure_text(answer),
            "see chatd's log; it becomes ready by itself when its database does"};
  }

  static std::string failure_text(const ApiAnswer& answer) {
    return failure_of({.path = "/readyz"}, answer).message();
  }

  Finding check_metrics() {
    const auto answer = open_answer("/metrics");
    if (answer.status != 200)
      return {"", State::failed, "/metrics answered " + std::to_string(answer.status),
              "Prometheus can't scrape it"};
    std::size_t families = 0;
    for (auto at = answer.body.find("# TYPE "); at != std::string::npos;
         at = answer.body.find("# TYPE ", at + 1))
      ++families;
    if (families == 0)
      return {"", State::failed, "/metrics names no metric", "is something else answering there?"};
    return {"", State::ok, std::to_string(families) + " metrics", ""};
  }

  Finding check_clock() {
    const auto header = alive_.headers.find("date");
    const auto server = header == alive_.headers.end() ? std::nullopt : parse_http_date(header->second);
    if (!server) return {"", State::skipped, "the server says no time", ""};
    const auto skew =
        std::chrono::duration_cast<std::chrono::seconds>(session_.world().clock.now() - *server);
    const auto size = std::chrono::abs(skew);
    const auto detail =
        std::to_string(size.count()) + " s " + (skew.count() < 0 ? "behind" : "ahead of") + " the server";
    if (size > kSkewThatBreaks)
      return {"", State::failed, detail, "tokens signed here are refused there; set the clock (NTP)"};
    if (size > kSkewWorthKnowing) return {"", State::warning, detail, "set the clock (NTP)"};
    return {"", State::ok, "within " + std::to_string(size.count() + 1) + " s of the server", ""};
  }

  /// Source:  RFC 9110 5.6.7, IMF-fixdate
  static std::optional<Timestamp> parse_http_date(const std::string& text) {
    static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
    if (text.size() != 29) return std::nullopt;
    const auto month = kMonths.find(text.substr(8, 3));
    if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
    const auto number = std::to_string(month / 3 + 101).substr(1);
    return parse_time(text.substr(12, 4) + "-" + number + "-" + text.substr(5, 2) + "T" + text.substr(17, 8) +
                      "Z");
  }

  Finding check_token() {
    status_ = json::Document::parse(get(session_.api(), "/operator/v1/status"));
    return {"", State::ok, "accepted", ""};
  }

  Finding check_version() {
    const auto server = text_at(status_->root(), "version");
    if (server == CHAT_VERSION) return {"", State::ok, server, ""};
    return {"", State::warning, "server " + server + ", chatctl " CHAT_VERSION,
            "use the chatctl that came with the server"};
  }

  Finding check_database() {
    const auto state = text_at(status_->root(), "database");
    if (state == "ok") return {"", State::ok, "answers", ""};
    return {"", State::failed, state, "is PostgreSQL running? See chatd's log for why it can't connect"};
  }

  /// A node that is alone by choice needs no line.
  [[nodiscard]] bool has_redis() const {
    const auto state = text_at(status_->root(), "redis");
    return !state.empty() && state != "off";
  }

  Finding check_redis() {
    if (text_at(status_->root(), "redis") == "connected") return {"", State::ok, "connected: this node and the others are one service", ""};
    return {"", State::warning, "this node has no Redis: it serves, and hears the others when Redis is back", "redis-cli ping; redis.url in chatd's configuration"};
  }

  Finding check_schema() {
    const auto database = text_at(status_->root(), "schema.database");
    const auto binary = text_at(status_->root(), "schema.binary");
    if (database.empty())
      return {"", State::skipped, "the server does not say; it would not have started on another", ""};
    if (database == binary) return {"", State::ok, "at " + database, ""};
    return {"", State::failed, "the database is at " + database + ", chatd knows " + binary,
            "chatctl migrate up, with the chatctl of that chatd"};
  }

  Finding check_configuration() {
    const auto warnings = find_at(status_->root(), "config_warnings");
    const auto text = text_at(status_->root(), "config_warnings");
    if (!warnings || text.empty()) return {"", State::ok, "no warnings", ""};
    return {"", State::warning, text, "correct chatd's environment or file"};
  }

  Finding check_public() {
    const auto& url = session_.context().public_url;
    if (url.empty()) return {"", State::skipped, "the context has no `public`", ""};
    ApiOptions options;
    options.server = url;
    options.ca_file = session_.context().ca_file;
    options.timeout = session_.globals().timeout;
    const auto answer = session_.world()
                            .connect_api(std::move(options))
                            ->send({.path = "/v1/openapi.json", .with_token = false});
    if (answer.status == 200) return {"", State::ok, url + " answers", ""};
    return {"", State::failed, url + "/v1/openapi.json answered " + std::to_string(answer.status),
            "is `public` chatd's public door (default port 8080)?"};
  }

  Session& session_;
  std::vector<Finding> findings_;
  ApiAnswer alive_;
  std::optional<json::Document> status_;
};

std::string line_of(const Finding& finding, Style style) {
  static constexpr std::size_t kWidth = 15;
  const auto sign = finding.state == State::ok        ? style.paint(Ink::green, "✓")
                    : finding.state == State::warning ? style.paint(Ink::yellow, "!")
                    : finding.state == State::failed  ? style.paint(Ink::red, "✗")
                                                      : style.paint(Ink::dim, "-");
  const std::string blanks(kWidth - std::min(kWidth, finding.check.size()), ' ');
  auto line = sign + " " + finding.check + blanks + printable(finding.detail) + "\n";
  if (!finding.next.empty()) line += std::string(kWidth + 2, ' ') + "→ " + printable(finding.next) + "\n";
  return line;
}

std::string json_of(const std::vector<Finding>& findings) {
  json::Writer out;
  out.array();
  for (const auto& finding : findings) {
    out.object()
        .field("check", finding.check)
        .field("state", word(finding.state))
        .field("detail", finding.detail);
    if (!finding.next.empty()) out.field("next", finding.next);
    out.end();
  }
  out.end();
  return out.take();
}

void examine(Session& session) {
  const auto findings = Doctor(session).run();
  if (session.format() == Format::table) {
    for (const auto& finding : findings) session.print_text(line_of(finding, session.out_style()));
  } else {
    session.print(json_of(findings), kSheet);
  }
  std::size_t failed = 0;
  for (const auto& finding : findings) failed += finding.state == State::failed;
  if (failed > 0)
    throw Failure(Exit::failure, std::to_string(failed) + (failed == 1 ? " check" : " checks") + " failed");
}

}  // namespace

void add_doctor(CommandLine& line) {
  line.verb("doctor", "Check everything between here and the database")
      .detail(
          "Looks at the context, the operator API, the token, versions, schema, database, clocks, readiness, "
          "metrics "
          "and the public door. Exit code 1 when a check fails; warnings pass.")
      .example("doctor")
      .example("doctor -o json --timeout 5s")
      .run([](Session& session) { examine(session); });
}

}  // namespace chat::cli
