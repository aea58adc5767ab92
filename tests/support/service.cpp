#include "tests/support/service.h"

#define CATCH_CONFIG_EXTERNAL_INTERFACES   // for the listener
#include <signal.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <set>
#include <thread>

#include "platform/base/crypto.h"
#include "platform/server/settings.h"
#include "tenants/tokens.h"
#include "tests/support/contract.h"
#include "tests/support/push_services.h"

namespace chat::test {
namespace {

constexpr const char* kOperatorToken = "operator-of-the-tests-0123456789";

std::string uuid_of(const std::string& app_id) { return AppId::parse(app_id)->text(); }

bool has_two_nodes() {
  const char* nodes = std::getenv("CHAT_TEST_NODES");
  return nodes != nullptr && std::string(nodes) == "2";
}

std::string redis_url() {
  const char* socket = std::getenv("CHAT_TEST_REDIS");
  if (socket == nullptr) throw std::runtime_error("CHAT_TEST_REDIS is not set: the socket of a private Redis, as ops/test starts one");
  return std::string("unix://") + socket;
}

/// For the coverage test: whether a change that was answered well stands in an audit.
void look_for_note(const std::string& method, const std::string& path, const Answer& answer) {
  static const bool is_recorded = std::getenv("CHAT_CONTRACT_COVERAGE") != nullptr;
  static std::mutex mutex;
  static std::set<std::string> noted;           // guarded by it
  if (!is_recorded) return;
  const auto* operation = Contract::get().find_change(method, path);
  const auto id = answer.http.header("x-request-id").value_or("");
  const std::lock_guard lock(mutex);
  if (!operation || noted.count(operation->id) || id.find('\'') != std::string::npos) return;
  const auto stands = Probe(superuser_database().dsn)
                          .value("select exists (select from (select request_id from operator_audit order by seq desc limit 500) o where request_id = '" + id +
                                 "') or exists (select from application_audit where request_id = '" + id + "')");
  if (stands != "t") return;
  noted.insert(operation->id);
  Contract::saw_note(*operation);
}

// One Redis serves several test binaries.
std::string redis_prefix() { return std::string(std::getenv("CHAT_TEST_DB")) + ":"; }

}  // namespace

std::uint16_t next_of(const Ports& ports) {
  static std::atomic<std::size_t> turn{0};
  return ports[turn++ % ports.size()];
}

std::string Answer::pointer() const {
  auto errors = body.find("errors");
  return errors == body.end() || errors->empty() ? "" : errors->front().value("pointer", "");
}

Answer Actor::call(const std::string& method, const std::string& path, const std::string& body, const HttpHeaders& more) {
  HttpHeaders headers = headers_;
  headers.insert(headers.end(), more.begin(), more.end());
  if (!body.empty()) headers.emplace_back("Content-Type", "application/json");
  const auto port = next_of(ports_);
  auto& connection = connections_[port];
  if (!connection) connection = std::make_unique<HttpClient>(port);
  Answer answer;
  try {
    answer.http = connection->request(method, path, headers, body);
  } catch (const HttpClosed&) {                // an idle connection that the server has closed
    connection = std::make_unique<HttpClient>(port);
    answer.http = connection->request(method, path, headers, body);
  }
  answer.status = answer.http.status;
  answer.body = Json::parse(answer.http.body, nullptr, false);
  if (answer.body.is_discarded()) answer.body = nullptr;
  if (answer.http.header("connection").value_or("") == "close") connection.reset();
  for (const auto& mistake : Contract::get().check_response(method, path, answer.status, answer.http.body,
                                                            answer.http.header("content-type").value_or("")))
    FAIL_CHECK(method << " " << path << " " << answer.status << " breaks the contract: " << mistake << "\n" << answer.http.body);
  if (answer.status / 100 == 2) look_for_note(method, path, answer);
  return answer;
}

namespace {

std::unique_ptr<Service>& the_service() {
  static std::unique_ptr<Service> service;
  return service;
}

std::unique_ptr<PushServices>& the_push_services() {
  static std::unique_ptr<PushServices> services;
  return services;
}

std::string uploads_folder() { return (std::filesystem::temp_directory_path() / ("chat-uploads-test-" + std::to_string(::getpid()))).string(); }

struct Run : Catch::TestEventListenerBase {
  using TestEventListenerBase::TestEventListenerBase;
  void testCaseStarting(const Catch::TestCaseInfo& test) override { now_testing(test.name); }
  void testRunEnded(const Catch::TestRunStats&) override { Service::end(); }
};
CATCH_REGISTER_LISTENER(Run)

}  // namespace

PushServices& push_services() {
  if (!the_push_services()) the_push_services() = std::make_unique<PushServices>();
  return *the_push_services();
}

Service& Service::get() {
  if (!the_service()) the_service().reset(new Service);
  return *the_service();
}

void Service::end() {
  if (!the_service()) return;
  if (the_service()->second_) {
    the_service()->second_->signal(SIGTERM);
    if (const int code = the_service()->second_->wait_end(); code != 0) std::cerr << "the second node ended with " << code << "\n" << the_service()->second_->log();
  }
  the_service()->node_->stop();
  const auto folder = the_service()->folder_;
  the_service().reset();
  the_push_services().reset();
  std::filesystem::remove_all(folder);
}

Service::Service() {
  const char* engine = std::getenv("CHAT_TEST_ENGINE");
  folder_ = uploads_folder();
  const bool pistache = engine != nullptr && std::string(engine) == "pistache";
  std::map<std::string, std::string> values{{"public.port", "0"},
                                            {"operator.port", "0"},
                                            {"public.engine", pistache ? "pistache" : "beast"},
                                            {"node.roles", pistache ? "[api, worker]" : "[api, realtime, worker]"},
                                            {"database.dsn", server_database().dsn}};
  for (const auto& flag : flags_of_a_node(has_two_nodes() ? redis_url() : "", redis_prefix()))
    values[flag.substr(0, flag.find('='))] = flag.substr(flag.find('=') + 1);
  node_ = std::make_unique<server::Node>(config::load(server::settings_schema(), std::nullopt, {}, values));
  node_->start();
  if (has_two_nodes()) {
    second_ = std::make_unique<Child>(flags_of_a_node(redis_url(), redis_prefix()));
    second_->wait_ready();
  }
  operators().put(std::string("/operator/v1/plans/") + kPlan, {{"name", "Unlimited"}, {"limits", Json::array()}});
}

std::vector<std::string> Service::flags_of_a_node(const std::string& redis_url, const std::string& redis_prefix) {
  return {std::string("operator.token=") + kOperatorToken, "database.workers=4", "database.lanes=2", "usage.flush_interval=200ms", "billing.finalize=by_hand",
          "secrets.master_key=" + crypto::base64(std::string(32, 'k')), "outbound.allowed_networks=[127.0.0.0/8]", "outbound.allow_http=true",
          "push.delay=0s", "transfers.settle=0s", "operator.trusted_proxies=[127.0.0.0/8]", "public.trusted_proxies=[127.0.0.0/8]", "push.fcm_url=" + push_services().url(), "push.apns_url=" + push_services().url(),
          "uploads.folder=" + uploads_folder(), "uploads.max_size=64MiB", "redis.url=" + redis_url, "redis.prefix=" + redis_prefix};
}

Ports Service::ports() const {
  Ports ports{node_->public_port()};
  if (second_) ports.push_back(second_->public_port());
  return ports;
}

Ports Service::operator_ports() const {
  Ports ports{node_->operator_port()};
  if (second_) ports.push_back(second_->operator_port());
  return ports;
}

Actor Service::operators() {
  return Actor(operator_ports(), {{"Authorization", std::string("Bearer ") + kOperatorToken}});
}
Actor Service::stranger_at_operators() { return Actor(node_->operator_port(), {}); }

TestApp::TestApp(const Json& limits) {
  auto operators = Service::get().operators();
  auto made = operators.post("/operator/v1/applications", {{"name", "test"}, {"plan", Service::kPlan}});
  REQUIRE(made.status == 201);
  id_ = made.body["application"]["app_id"];
  uuid_ = uuid_of(id_);
  key_ = made.body["api_key"];
  secret_ = made.body["secret"]["value"];
  ports_ = limits.empty() ? Service::get().ports() : Ports{Service::get().port()};
  if (!limits.empty())
    REQUIRE(operators.patch("/operator/v1/applications/" + id_, {{"set", {{"limits", limits}}}}).status == 200);
}

std::string TestApp::token(const std::string& user_id) const {
  tenants::Claims claims;
  claims.server = user_id.empty();
  claims.user_id = user_id;
  claims.issued_at = std::chrono::floor<std::chrono::seconds>(system_clock().now());
  return tenants::sign_token(claims, secret_);
}

Actor TestApp::with_token(const std::string& token) {
  return Actor(ports_, {{"X-API-Key", key_}, {"Authorization", "Bearer " + token}});
}
Actor TestApp::server() { return with_token(token("")); }
Actor TestApp::user(const std::string& user_id) { return with_token(token(user_id)); }

WsClient TestApp::connect(const std::string& user_id) {
  WsClient client({.port = next_of(ports_), .api_key = key_, .token = token(user_id)});
  client.wait_for("connection.ready");
  return client;
}

void TestApp::set(const Json& settings) {
  REQUIRE(Service::get().operators().patch("/operator/v1/applications/" + id_, {{"set", {{"settings", settings}}}}).status == 200);
}

void TestApp::add_users(const std::vector<std::string>& user_ids) {
  Json users = Json::array();
  for (const auto& user_id : user_ids) users.push_back({{"user_id", user_id}});
  REQUIRE(server().post("/v1/users", {{"users", users}}).status == 200);
}

void TestApp::add_channel(const std::string& id, const std::vector<std::string>& members) {
  REQUIRE(user(members.front()).post("/v1/channels/messaging/" + id, {{"members", members}}).status == 201);
}

Json TestApp::send(const std::string& user_id, const std::string& channel, const std::string& text, Json more) {
  more["text"] = text;
  auto sent = user(user_id).post("/v1/channels/messaging/" + channel + "/messages", more);
  INFO(sent.http.body);
  REQUIRE(sent.status == 201);
  return sent.body["message"];
}

Json hear(WsClient& client, const std::string& type) {
  auto event = client.wait_for(type);
  for (const auto& mistake : Contract::get().check_event(event.dump())) FAIL_CHECK(mistake << " in " << event);
  return event;
}

int TestApp::rows(const std::string& table, const std::string& where) const {
  return std::stoi(Probe(superuser_database().dsn).value("select count(*) from " + table + " where app_id = '" + uuid_ + "' and (" + where + ")"));
}

void eventually(const std::string& what, const std::function<bool()>& holds, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) FAIL("did not happen in time: " << what);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

std::string today() {
  const auto lasts = [] { return day_of(system_clock().now()) == day_of(system_clock().now() + std::chrono::minutes(1)); };
  eventually("midnight is over", lasts, std::chrono::seconds(70));
  return day_of(system_clock().now());
}

}  // namespace chat::test
