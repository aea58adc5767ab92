#pragma once
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/receiver.h"

namespace chat::test {

/// Google, Apple and a browser's push service on one port of loopback, as far as chatd needs them: they keep what came, by the device's
/// token, and answer as they are told.
/// Thread:  any.
class PushServices {
 public:
  /// What came for a device.
  struct Got {
    http::Request request;
    nlohmann::json body;                       // null: none, or encrypted
  };

  [[nodiscard]] std::string url() const { return receiver_.url(""); }
  [[nodiscard]] std::string endpoint(const std::string& token) const { return receiver_.url("/push/" + token); }
  /// From now on, for this device.
  void answer(const std::string& token, int status, const std::string& body = "{}") {
    const std::lock_guard lock(mutex_);
    answers_[token] = {status, body};
  }
  [[nodiscard]] std::vector<Got> got(const std::string& token) const {
    const std::lock_guard lock(mutex_);
    const auto found = got_.find(token);
    return found == got_.end() ? std::vector<Got>() : found->second;
  }

  /// A service account that this Google knows.
  [[nodiscard]] nlohmann::json service_account() const {
    static const std::string pem = run("openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null");
    return {{"type", "service_account"}, {"project_id", "shop-1"}, {"client_email", "chat@shop-1.example"}, {"private_key", pem},
            {"token_uri", receiver_.url("/token")}};
  }
  [[nodiscard]] static std::string apple_key() {
    return run("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 2>/dev/null");
  }

 private:
  static std::string run(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    std::string text;
    for (int c; (c = std::fgetc(pipe.get())) != EOF;) text.push_back(static_cast<char>(c));
    return text;
  }

  void take(http::Request request, const http::Responder& respond) {
    if (request.path == "/token")
      return respond(http::json(200, R"({"access_token":"ya29.test","expires_in":3599,"token_type":"Bearer"})"));
    auto body = nlohmann::json::parse(request.body, nullptr, false);
    if (body.is_discarded()) body = nullptr;
    std::string token = request.path.substr(request.path.rfind('/') + 1);
    if (body.is_object() && body.contains("message")) token = body["message"]["token"];
    std::pair<int, std::string> answer{200, "{}"};
    {
      const std::lock_guard lock(mutex_);
      if (const auto told = answers_.find(token); told != answers_.end()) answer = told->second;
      got_[token].push_back({std::move(request), std::move(body)});
    }
    respond(http::json(answer.first, answer.second));
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::pair<int, std::string>> answers_;
  std::map<std::string, std::vector<Got>> got_;
  Receiver receiver_{[this](http::Request request, const http::Responder& respond) { take(std::move(request), respond); }};   // last
};

/// Where the notifications of this process's chatd go.
PushServices& push_services();

}  // namespace chat::test
