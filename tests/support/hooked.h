#pragma once
#include <mutex>
#include <vector>

#include "platform/base/webhook_signature.h"
#include "tests/support/receiver.h"
#include "tests/support/service.h"

namespace chat::test {

/// A customer's server that takes webhooks, and what it got. Answers 204 unless told otherwise.
/// Thread:  its answers are made on the server's threads.
class Hooked {
 public:
  struct Got {
    std::string path, id, timestamp, signature, body;
    http::Request request;
    [[nodiscard]] Json frame() const { return Json::parse(body); }
  };
  using Act = std::function<void(const Got&, http::Responder)>;

  explicit Hooked(Act act = {}) : act_(std::move(act)), receiver_([this](http::Request request, http::Responder respond) {
    const auto text = [&](const char* name) { return std::string(request.header(name).value_or("")); };
    Got got{request.path, text("webhook-id"), text("webhook-timestamp"), text("webhook-signature"), request.body, request};
    Act current;
    {
      const std::lock_guard lock(mutex_);
      got_.push_back(got);
      current = act_;
    }
    if (current) current(got, std::move(respond));
    else respond(http::no_content());
  }) {}

  void answer_with(Act act) {
    const std::lock_guard lock(mutex_);
    act_ = std::move(act);
  }
  void answer_with(int status) {
    answer_with([status](const Got&, const http::Responder& respond) { respond({.status = status, .body = "as told", .content_type = "text/plain"}); });
  }
  [[nodiscard]] std::vector<Got> all(const std::string& type = "") const {
    const std::lock_guard lock(mutex_);
    std::vector<Got> found;
    for (const auto& one : got_)
      if (type.empty() || one.frame()["type"] == type) found.push_back(one);
    return found;
  }
  [[nodiscard]] std::string url(const std::string& path = "/") const { return receiver_.url(path); }

 private:
  mutable std::mutex mutex_;
  Act act_;
  std::vector<Got> got_;
  Receiver receiver_;                          // last: it calls what is above
};

struct Subscribed {
  std::string id, secret;
  [[nodiscard]] std::string path(const std::string& below = "") const { return "/v1/webhooks/endpoints/" + id + below; }
  /// Empty: genuine.
  [[nodiscard]] std::string verify(const Hooked::Got& got) const {
    return webhook::verify(*webhook::parse_key(secret), {got.id, got.timestamp, got.signature, got.body}, system_clock().now());
  }
};
inline Subscribed subscribe(TestApp& app, const std::string& url, Json more = Json::object()) {
  Json body{{"url", url}, {"events", {"*"}}};
  body.update(more);
  const auto made = app.server().post("/v1/webhooks/endpoints", body);
  REQUIRE(made.status == 201);
  const auto& endpoint = made.body["webhook_endpoint"];
  return {endpoint["id"], made.body.contains("secret") ? made.body["secret"] : endpoint["keys"][0]["public_key"]};
}

}  // namespace chat::test
