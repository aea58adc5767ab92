#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <thread>

#include "platform/base/crypto.h"
#include "tests/api/process/child.h"
#include "tests/api/process/customer.h"
#include "tests/support/http_client.h"

using namespace chat;
using namespace chat::test;
using Json = nlohmann::json;

namespace {

std::string text_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void eventually(const std::string& what, const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(40);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) FAIL("did not happen in time: " << what);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

/// A Prometheus of its own, with the repository's rules, that scrapes one chatd every second.
class Prometheus {
 public:
  explicit Prometheus(std::uint16_t operator_port) {
    folder_ = (std::filesystem::temp_directory_path() / ("prometheus-" + crypto::hex(crypto::random_bytes(6)))).string();
    std::filesystem::create_directory(folder_);
    const std::string rules = CHAT_SOURCE_DIR "/ops/config/";
    std::ofstream(folder_ + "/prometheus.yml")
        << "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
        << "rule_files: ['" << rules << "recording.yml', '" << rules << "alerts.yml']\n"
        << "scrape_configs: [{job_name: chatd, static_configs: [{targets: ['127.0.0.1:" << operator_port << "']}]}]\n";
    const std::vector<std::string> flags{"--config.file=" + folder_ + "/prometheus.yml", "--storage.tsdb.path=" + folder_ + "/data",
                                         "--web.listen-address=127.0.0.1:0"};
    pid_ = ::fork();
    if (pid_ == 0) {
      const int log = ::open((folder_ + "/log").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
      ::dup2(log, 1);
      ::dup2(log, 2);
      ::execlp("prometheus", "prometheus", flags[0].c_str(), flags[1].c_str(), flags[2].c_str(), nullptr);
      ::_exit(127);
    }
  }
  ~Prometheus() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }
  Prometheus(const Prometheus&) = delete;

  void wait_ready() {
    std::string log;
    std::smatch port;
    eventually("Prometheus is ready", [&] {
      log = text_of(folder_ + "/log");
      return log.find("Server is ready to receive web requests") != std::string::npos &&
             std::regex_search(log, port, std::regex("address=127\\.0\\.0\\.1:([1-9]\\d*)"));
    });
    port_ = static_cast<std::uint16_t>(std::stoi(port[1]));
  }

  /// The values that a query has now, in order of their labels.
  [[nodiscard]] std::vector<double> ask(const std::string& query) const {
    std::string path = "/api/v1/query?query=";
    for (const char c : query) path += "%" + crypto::hex(std::string(1, c));
    HttpClient client(port_);
    const auto answer = client.request("GET", path);
    INFO(query << "\n" << answer.body);
    REQUIRE(answer.status == 200);
    const auto body = Json::parse(answer.body);
    std::vector<double> values;
    for (const auto& one : body["data"]["result"]) values.push_back(std::stod(one["value"][1].get<std::string>()));
    return values;
  }

 private:
  pid_t pid_ = -1;
  std::string folder_;
  std::uint16_t port_ = 0;
};

void send(const Child& child, const Customer& customer, int count) {
  HttpClient client(child.public_port());
  for (int i = 0; i < count; ++i)
    REQUIRE(client.request("POST", "/v1/channels/messaging/general/messages", customer.headers("alice"), R"({"text":"counted"})").status == 201);
}

/// What a page or a scrape says of one metric.
struct Said {
  std::string type, help;
  std::set<std::string> labels;
};

std::set<std::string> words_in(const std::string& text, const char* pattern) {
  const std::regex wanted(pattern);
  std::set<std::string> all;
  for (std::sregex_iterator one(text.begin(), text.end(), wanted), end; one != end; ++one) all.insert((*one)[1]);
  return all;
}

std::map<std::string, Said> documented() {
  static const std::regex kRow(R"(^\| `(\w+)` \| (\w+) \| (.*) \| (.*) \|$)");
  std::map<std::string, Said> all;
  std::istringstream page(text_of(CHAT_SOURCE_DIR "/ops/docs/metrics.md"));
  std::smatch row;
  for (std::string line; std::getline(page, line);)
    if (std::regex_match(line, row, kRow)) all[row[1]] = {row[2], row[4], words_in(row[3], "`(\\w+)`")};
  return all;
}

std::map<std::string, Said> scraped(const std::string& exposition) {
  static const std::regex kHelp(R"(^# HELP (\w+) (.*)$)"), kType(R"(^# TYPE (\w+) (\w+)$)"), kSample(R"(^\w+\{(.*)\} \S+$)");
  std::map<std::string, Said> all;
  std::istringstream lines(exposition);
  std::smatch found;
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    if (std::regex_match(line, found, kHelp)) all[name = found[1]].help = found[2];
    else if (std::regex_match(line, found, kType)) all[name = found[1]].type = found[2];
    else if (std::regex_match(line, found, kSample)) all[name].labels.merge(words_in(found[1], R"re((\w+)=")re"));
  }
  for (auto& [metric, said] : all) said.labels.erase("le");
  return all;
}

}  // namespace

TEST_CASE("metrics: what a running chatd tells stands in ops/docs/metrics.md, to the letter", "[api][process][metrics]") {
  Child child;
  child.wait_ready();
  send(child, make_customer(child, "watched", {"general"}), 1);
  HttpClient client(child.operator_port());
  const auto told = scraped(client.request("GET", "/metrics").body);
  const auto page = documented();
  CHECK(told.size() >= 50);
  CHECK(page.size() >= told.size());
  for (const auto& [name, said] : told) {
    INFO(name);
    REQUIRE(page.count(name) == 1);
    CHECK(page.at(name).type == said.type);
    CHECK(page.at(name).help == said.help);
    CHECK(page.at(name).labels == said.labels);
  }
}

TEST_CASE("prometheus: a real one scrapes chatd, answers what an application used, and sees chatd go", "[api][process][metrics]") {
  Child child;
  child.wait_ready();
  const Customer customer = make_customer(child, "watched", {"general"});
  Prometheus prometheus(child.operator_port());
  prometheus.wait_ready();
  const std::string of_app = "{job=\"chatd\", app=\"" + customer.app_id + "\"}";
  const auto sent = [&](double count) { return prometheus.ask("chat_application_messages_total" + of_app) == std::vector<double>{count}; };
  eventually("the application is seen before it has sent anything", [&] { return sent(0); });
  send(child, customer, 7);
  eventually("its messages are counted", [&] { return sent(7); });
  CHECK(prometheus.ask("sum(chat_messages_sent_total)") == std::vector<double>{7});
  CHECK(prometheus.ask("chat_application_api_calls_total" + of_app + " >= 9").size() == 1);
  CHECK(prometheus.ask("sum(chat_http_requests_total{operation=\"send_message\", code_class=\"2xx\"})") == std::vector<double>{7});
  CHECK(prometheus.ask("topk(1, chat_application_messages_total{app!=\"__other__\"})") == std::vector<double>{7});
  eventually("the recording rules have its rate", [&] { return prometheus.ask("app:chat_application_messages:rate5m" + of_app + " > 0").size() == 1; });
  eventually("and the time of requests", [&] {
    return prometheus.ask("histogram_quantile(0.99, instance_le:chat_http_request_duration_seconds_bucket:rate5m) > 0").size() == 1;
  });
  CHECK(prometheus.ask("up{job=\"chatd\"}") == std::vector<double>{1});
  CHECK(prometheus.ask("ALERTS{alertname=\"ChatdDown\"}").empty());
  child.signal(SIGKILL);
  child.wait_end();
  eventually("the alert of a chatd that is gone waits for its minute", [&] {
    return prometheus.ask("ALERTS{alertname=\"ChatdDown\", alertstate=\"pending\"}") == std::vector<double>{1};
  });
}
