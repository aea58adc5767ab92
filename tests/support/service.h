#pragma once
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "platform/server/node.h"
#include "tests/api/process/child.h"
#include "tests/support/database.h"
#include "tests/support/http_client.h"
#include "tests/support/ws_client.h"

/// A whole chatd in the test's process, on the shared database. Each test takes an application of its own (TestApp) and
/// sees nothing past it, so that all of them run side by side.
namespace chat::test {

using Json = nlohmann::json;

struct Answer {
  int status = 0;
  Json body;                                   // null when empty or not JSON
  HttpAnswer http;
  [[nodiscard]] std::string code() const { return body.value("code", ""); }
  /// Of the first mistake of a problem; "" when it names none.
  [[nodiscard]] std::string pointer() const;
};

/// Doors of one kind, one per node. Whoever has several uses another one for each request.
using Ports = std::vector<std::uint16_t>;
std::uint16_t next_of(const Ports& ports);

/// One caller. Every answer it gets is checked against openapi.yaml; a breach fails the running test.
/// Thread:  one at a time; copies have connections of their own.
class Actor {
 public:
  Actor(std::uint16_t port, HttpHeaders headers) : Actor(Ports{port}, std::move(headers)) {}
  Actor(Ports ports, HttpHeaders headers) : ports_(std::move(ports)), headers_(std::move(headers)) {}
  Actor(const Actor& other) : ports_(other.ports_), headers_(other.headers_) {}

  Answer get(const std::string& path) { return call("GET", path, ""); }
  Answer post(const std::string& path, const Json& body = Json::object(), const HttpHeaders& more = {}) {
    return call("POST", path, body.dump(), more);
  }
  Answer put(const std::string& path, const Json& body) { return call("PUT", path, body.dump()); }
  Answer patch(const std::string& path, const Json& body) { return call("PATCH", path, body.dump()); }
  Answer del(const std::string& path) { return call("DELETE", path, ""); }
  /// The body as it is, for what no JSON library would write.
  Answer call(const std::string& method, const std::string& path, const std::string& body, const HttpHeaders& more = {});

 private:
  Ports ports_;
  HttpHeaders headers_;
  std::map<std::uint16_t, std::unique_ptr<HttpClient>> connections_;
};

/// The node of this process. $CHAT_TEST_ENGINE names the public door's engine (beast). With CHAT_TEST_NODES=2 a chatd of its own
/// process is the other half of the same service, over the Redis of CHAT_TEST_REDIS: every caller goes round both.
class Service {
 public:
  static Service& get();
  static void end();                           // before the process exits: OpenSSL's exit comes before our statics'
  server::Node& node() { return *node_; }
  [[nodiscard]] std::uint16_t port() const { return node_->public_port(); }
  [[nodiscard]] const std::string& folder() const { return folder_; }   // of uploaded files
  [[nodiscard]] Ports ports() const;           // of all nodes; this one's first
  /// Settings of a further node of the same service, for Child.
  static std::vector<std::string> flags_of_a_node(const std::string& redis_url, const std::string& redis_prefix);
  [[nodiscard]] Ports operator_ports() const;
  Actor operators();                           // with the operator's token
  Actor stranger_at_operators();               // without one
  static constexpr const char* kPlan = "test_unlimited";

 private:
  Service();
  std::string folder_;
  std::unique_ptr<server::Node> node_;
  std::unique_ptr<Child> second_;
};

/// A fresh application on a plan, with its secret.
class TestApp {
 public:
  /// `limits`: overrides of the unlimited plan, as the operator's API takes them: {{"messages", {{"hard", 3}}}}. Such an application
  /// uses this process' node alone: what nodes share of a limit they know within a second, and tests count to the last one.
  explicit TestApp(const Json& limits = Json::object());
  TestApp(const TestApp&) = delete;

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] const std::string& secret() const { return secret_; }
  Actor server();                              // the customer's backend
  Actor user(const std::string& user_id);      // an end user with a token of its own
  Actor with_token(const std::string& token);
  [[nodiscard]] std::string token(const std::string& user_id) const;   // "" : a server's
  WsClient connect(const std::string& user_id);                        // and waits for connection.ready
  void set(const Json& settings);              // all of the application's, by the operator
  void add_users(const std::vector<std::string>& user_ids);
  /// A channel of type messaging, owned by the first of `members`.
  void add_channel(const std::string& id, const std::vector<std::string>& members);
  /// Sends as a user and returns the stored message. Fails the test when refused.
  Json send(const std::string& user_id, const std::string& channel, const std::string& text, Json more = Json::object());
  /// Rows of a tenant table that belong to this application, seen from outside.
  [[nodiscard]] int rows(const std::string& table, const std::string& where = "true") const;

 private:
  std::string id_, uuid_, key_, secret_;
  Ports ports_;
};

/// Waits for an event of this type and checks it against the contract.
Json hear(WsClient& client, const std::string& type);

inline const std::string kMessages = "/v1/channels/messaging/general/messages";

/// Waits until `holds` or fails the test after `patience`.
void eventually(const std::string& what, const std::function<bool()>& holds,
                std::chrono::milliseconds patience = std::chrono::milliseconds(5000));

/// The day in UTC. With less than a minute left of it the next one is waited for, so that what is counted lies on one day.
std::string today();

}  // namespace chat::test
