#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <map>
#include <memory>
#include <optional>

#include "cli/nouns.h"
#include "cli/output/chart.h"
#include "cli/output/value.h"
#include "cli/remote/metrics_page.h"
#include "cli/session.h"
#include "cli/watch.h"

namespace chat::cli {
namespace {

constexpr std::chrono::milliseconds kShortest{500};  // of --interval
constexpr std::chrono::milliseconds kLongest{3'600'000};
constexpr std::size_t kTrend = 12;
constexpr std::size_t kFrame = 4;  // lines around the rows
const std::string kOthers = "__other__";

enum Meter : std::size_t { sends, calls, errors, sockets };
struct Metric {
  const char* word;   // of --sort
  const char* name;   // on the page
  const char* field;  // of a row
};
constexpr std::array<Metric, 4> kMetrics{{
    {"sends", "chat_application_messages_total", "sends_per_s"},
    {"calls", "chat_application_api_calls_total", "calls_per_s"},
    {"errors", "chat_application_errors_total", "errors_per_s"},
    {"sockets", "chat_application_connections", "sockets"},
}};

const Sheet kRow{.columns = {{"APP", "name"},
                             {"SENDS/S", "sends_per_s", Look::number},
                             {"CALLS/S", "calls_per_s", Look::number},
                             {"ERRORS/S", "errors_per_s", Look::number},
                             {"SOCKETS", "sockets", Look::number}},
                 .name = "app_id"};

using Values = std::array<std::optional<double>, kMetrics.size()>;
using Page = std::array<std::map<std::string, double>, kMetrics.size()>;  // by app_id

struct Given {
  std::string sort = "sends";
  std::vector<std::string> nodes;
  std::int64_t limit = 20, rounds = 0;
  std::chrono::milliseconds interval{2'000};
};

Page read_page(Api& api) {
  const auto text = get(api, "/metrics");
  Page page;
  for (std::size_t i = 0; i < kMetrics.size(); ++i) page[i] = values_by(text, kMetrics[i].name, "app");
  if (page[sockets].empty())
    throw Failure(Exit::failure, "the page of metrics says nothing of applications; is it another version?")
        .with_next("chatctl doctor");
  return page;
}

/// What a counter grew by; nothing when that can't be said: it began anew, or was counted among the others before.
std::optional<double> growth(const std::map<std::string, double>& before, const std::string& app, double now) {
  const auto found = before.find(app);
  if (found != before.end()) return now >= found->second ? std::optional(now - found->second) : std::nullopt;
  const auto others = before.find(kOthers);
  return others == before.end() || others->second == 0 ? std::optional(now) : std::nullopt;
}

/// One node's page now and the one before.
struct Node {
  std::unique_ptr<Api> api;
  Page before = {}, now = {};
  Timestamp before_at{}, now_at{};

  void look(const Clock& clock) {
    before = std::exchange(now, read_page(*api));
    before_at = std::exchange(now_at, clock.now());
  }
  void add_to(std::map<std::string, Values>& rows) const {
    const auto seconds = std::chrono::duration<double>(now_at - before_at).count();
    for (std::size_t i = 0; i < kMetrics.size(); ++i)
      for (const auto& [app, value] : now[i]) {
        auto part = i == sockets ? std::optional(value) : growth(before[i], app, value);
        if (i != sockets && part) part = seconds > 0 ? std::optional(*part / seconds) : std::nullopt;
        if (auto& sum = rows[app][i]; part) sum = sum.value_or(0) + *part;
      }
  }
};

/// What is remembered from one round to the next.
class Top {
 public:
  explicit Top(const Given& given) : given_(given) {
    for (std::size_t i = 0; i < kMetrics.size(); ++i)
      if (given.sort == kMetrics[i].word) sort_ = static_cast<Meter>(i);
  }

  void show(Session& session) {
    look(session);
    std::map<std::string, Values> rows;
    for (const auto& node : nodes_) node.add_to(rows);
    std::vector<std::pair<std::string, Values>> sorted(rows.begin(), rows.end());
    std::stable_sort(sorted.begin(), sorted.end(), [this](const auto& left, const auto& right) {
      if ((left.first == kOthers) != (right.first == kOthers)) return right.first == kOthers;
      return left.second[sort_].value_or(-1) > right.second[sort_].value_or(-1);
    });
    remember(sorted);
    const bool is_table = session.format() == Format::table;
    if (is_table) session.print_text(headline(rows) + "\n\n");
    auto sheet = kRow;
    if (is_table) sheet.columns.push_back({"TREND", "trend"});
    session.print(document_of(session, sorted, is_table), sheet);
  }

 private:
  void look(Session& session) {
    const auto& clock = session.world().clock;
    if (nodes_.empty()) {
      auto urls = given_.nodes;
      if (urls.empty()) urls.push_back(session.server());
      std::vector<Node> nodes;
      for (const auto& url : urls) nodes.push_back({.api = session.api_of(url)});
      for (auto& node : nodes) node.look(clock);
      nodes_ = std::move(nodes);
      if (!session.world().wait(given_.interval)) throw Failure(Exit::interrupted, "");
    }
    for (auto& node : nodes_) node.look(clock);
  }

  void remember(const std::vector<std::pair<std::string, Values>>& rows) {
    std::map<std::string, std::deque<std::int64_t>> trends;
    for (const auto& [app, values] : rows) {
      auto& trend = trends[app] = std::move(trends_[app]);
      trend.push_back(std::llround(values[sort_].value_or(0) * 10));
      if (trend.size() > kTrend) trend.pop_front();
    }
    trends_ = std::move(trends);
  }

  [[nodiscard]] std::string headline(const std::map<std::string, Values>& rows) const {
    std::string out = std::to_string(nodes_.size()) + (nodes_.size() == 1 ? " node" : " nodes");
    for (std::size_t i = 0; i < kMetrics.size(); ++i) {
      double sum = 0;
      for (const auto& [app, values] : rows) sum += values[i].value_or(0);
      out += std::string(i == 0 ? ": " : ", ") + number_text(i, sum) + " " + kMetrics[i].word + (i == sockets ? "" : "/s");
    }
    return out;
  }

  static std::string number_text(std::size_t meter, double value) {
    json::Writer out;
    meter == sockets ? out.integer(std::llround(value)) : out.number(std::round(value * 10) / 10);
    return out.take();
  }

  /// An application's name, asked for once.
  const std::string& name_of(Session& session, const std::string& app) {
    auto& name = names_[app];
    if (!name.empty()) return name;
    try {
      const auto answer = json::Document::parse(get(session.api(), session.app_path(app)));
      name = text_at(answer.root(), "application.name");
    } catch (const Failure& failure) {
      if (failure.exit() != Exit::not_found) throw;
    }
    if (name.empty()) name = app;  // purged since
    return name;
  }

  std::string document_of(Session& session, const std::vector<std::pair<std::string, Values>>& rows, bool with_trend) {
    auto most = static_cast<std::size_t>(given_.limit);
    if (session.world().out_is_terminal && with_trend)
      most = std::min(most, std::max<std::size_t>(session.terminal_size().rows, kFrame + 2) - kFrame - 1);
    json::Writer out;
    out.array();
    for (const auto& [app, values] : rows) {
      const bool rest = app == kOthers;
      if (rest && session.format() == Format::name) continue;
      if (rest && std::all_of(values.begin(), values.end(), [](auto value) { return value.value_or(0) == 0; })) continue;
      if (!rest && most == 0) continue;
      if (!rest) --most;
      out.object();
      if (!rest) out.field("app_id", app);
      out.field("name", rest ? "(others)" : name_of(session, app));
      for (std::size_t i = 0; i < kMetrics.size(); ++i)
        if (values[i]) out.key(kMetrics[i].field).raw(number_text(i, *values[i]));
      if (with_trend) {
        const auto& trend = trends_[app];
        out.field("trend", sparkline({trend.begin(), trend.end()}, session.chart_look()));
      }
      out.end();
    }
    out.end();
    return out.take();
  }

  const Given given_;
  Meter sort_ = sends;
  std::vector<Node> nodes_;
  std::map<std::string, std::string> names_;
  std::map<std::string, std::deque<std::int64_t>> trends_;
};

void run_top(Session& session, Given given) {
  if (given.interval < kShortest || given.interval > kLongest)
    throw Failure(Exit::usage, "--interval is not from 500ms to 1h");
  if (given.rounds == 0 && !session.world().out_is_terminal) given.rounds = 1;
  Top top(given);
  watch(session, [&top](Session& round) { top.show(round); }, given.interval, given.rounds);
}

}  // namespace

void add_top(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  line.verb("top", "Watch the busiest applications: sends, calls, errors, sockets")
      .word("--sort", given->sort, {"sends", "calls", "errors", "sockets"}, "What the busiest have most of")
      .many("--node", "URL", given->nodes, "A node's operator address, when there are several; else --server")
      .number("--limit", given->limit, 1, 500, "At most so many applications (default 20)")
      .number("--rounds", given->rounds, 1, 1'000'000, "End after so many (default: at Ctrl-C; 1 without a terminal)")
      .duration("--interval", given->interval, "How far apart (default 2s)")
      .detail(
          "Rates are of the time between two looks at the nodes' metrics, a - where a look can't tell. Errors are calls that were answered "
          "with 400 or more. A node names its metrics.top_applications busiest since its start; the rest are (others).\n"
          "Behind a load balancer, name each node: two looks must meet the same one.")
      .example("top")
      .example("top --sort errors --limit 5 --interval 1s -o json")
      .run([given](Session& session) { run_top(session, *given); });
}

}  // namespace chat::cli
