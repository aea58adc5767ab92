#include <algorithm>
#include <signal.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "tests/api/process/child.h"
#include "tests/api/process/customer.h"
#include "tests/support/database.h"
#include "tests/support/http_client.h"
#include "tests/support/receiver.h"

using namespace chat;
using namespace chat::test;
using Json = nlohmann::json;

namespace {

const std::vector<std::string> kChannels{"c0", "c1", "c2", "c3"};

/// What clients know: nonces whose message was acknowledged, with its id, and those sent without an answer.
struct Known {
  std::mutex mutex;
  std::map<std::string, std::string> acknowledged;
  std::map<std::string, std::string> unanswered;    // nonce → channel
};

void send_until_cut(const Child& child, const Customer& customer, int sender, Known& known, const std::atomic<bool>& over) {
  const std::string channel = "/v1/channels/messaging/c" + std::to_string(sender % 4) + "/messages";
  const auto headers = customer.headers("alice");
  for (int n = 0; !over; ++n) {
    const std::string nonce = std::to_string(sender) + "-" + std::to_string(n);
    {
      std::lock_guard lock(known.mutex);
      known.unanswered[nonce] = channel;
    }
    try {
      HttpClient client(child.public_port());
      auto answer = client.request("POST", channel, headers, Json{{"text", nonce}, {"nonce", nonce}}.dump());
      if (answer.status != 201) continue;
      std::lock_guard lock(known.mutex);
      known.acknowledged[nonce] = Json::parse(answer.body)["message"]["id"];
      known.unanswered.erase(nonce);
    } catch (const std::exception&) {
      return;                                  // the server is gone: what was under way stays unanswered
    }
  }
}

}  // namespace

TEST_CASE("crash: kill -9 under load loses no acknowledged message, and a repeat under its nonce makes no twin", "[api][process][crash]") {
  const auto began = day_of(system_clock().now());
  Known known;
  Customer customer;
  {
    Child child;
    child.wait_ready();
    customer = make_customer(child, "crash", kChannels);
    std::atomic<bool> over{false};
    std::vector<std::jthread> senders;
    for (int i = 0; i < 8; ++i) senders.emplace_back([&, i] { send_until_cut(child, customer, i, known, over); });
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (std::size_t acknowledged = 0; acknowledged < 200 && std::chrono::steady_clock::now() < deadline;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      std::lock_guard lock(known.mutex);
      acknowledged = known.acknowledged.size();
    }
    child.signal(SIGKILL);
    CHECK(child.wait_end() == 128 + SIGKILL);
    over = true;
  }
  REQUIRE(known.acknowledged.size() >= 200);

  Child again;
  again.wait_ready();
  Probe probe(superuser_database().dsn);
  const std::string of_app = " where app_id = '" + AppId::parse(customer.app_id)->text() + "'";
  std::map<std::string, std::string> stored;
  for (const auto& row : probe.rows("select nonce, id from messages" + of_app)) stored[row[0]] = MessageId{*Uuid::parse(row[1])}.wire();
  for (const auto& [nonce, id] : known.acknowledged) CHECK(stored[nonce] == id);

  HttpClient client(again.public_port());
  for (const auto& [nonce, channel] : known.unanswered)
    CHECK(client.request("POST", channel, customer.headers("alice"), Json{{"text", nonce}, {"nonce", nonce}}.dump()).status / 100 == 2);
  const auto total = known.acknowledged.size() + known.unanswered.size();
  CHECK(probe.value("select count(*) from messages" + of_app) == std::to_string(total));
  CHECK(probe.value("select sum(value) from usage_metrics" + of_app + " and meter = 'messages'") == std::to_string(total));
  HttpClient operators(again.operator_port());
  for (const auto& day : {began, day_of(system_clock().now())}) {
    auto recounted = operators.request("GET", "/operator/v1/applications/" + customer.app_id + "/usage/recount?day=" + day,
                                       {{"Authorization", std::string("Bearer ") + Child::kOperatorToken}});
    INFO(recounted.body);
    REQUIRE(recounted.status == 200);
    CHECK(Json::parse(recounted.body)["difference"] == 0);
  }
  CHECK(probe.value("select count(*) from channel_heads h" + of_app + " and last_message_seq <> (select count(*) from messages m where m.app_id = h.app_id and m.channel_id = h.channel_id)") == "0");
}

namespace {

/// Takes webhooks, and remembers how often it got each.
struct Taker {
  std::mutex mutex;
  std::map<std::string, int> got;              // by webhook-id
  Receiver receiver{[this](http::Request request, const http::Responder& respond) {
    {
      const std::lock_guard lock(mutex);
      ++got[std::string(request.header("webhook-id").value_or(""))];
    }
    respond(http::no_content());
  }};
  bool has(const std::string& id) {
    const std::lock_guard lock(mutex);
    return got.contains(id);
  }
};

std::string event_of(const std::string& message_id) { return EventId{MessageId::parse(message_id)->uuid}.wire(); }

}  // namespace

TEST_CASE("crash: kill -9 of a node that delivers webhooks loses none, and what comes twice has the same id", "[api][process][crash][webhooks]") {
  Taker taker;
  Known known;
  Customer customer;
  Probe probe(superuser_database().dsn);
  const std::vector<std::string> flags{"outbound.allow_http=true", "outbound.allowed_networks=[127.0.0.0/8]"};
  for (int round = 1; round <= 3; ++round) {
    Child child(flags);
    child.wait_ready();
    if (round == 1) {
      customer = make_customer(child, "webhooks", kChannels);
      HttpClient backend(child.public_port());
      const Json endpoint{{"url", taker.receiver.url()}, {"events", {"message.new"}}};
      REQUIRE(backend.request("POST", "/v1/webhooks/endpoints", customer.headers(""), endpoint.dump()).status == 201);
    }
    std::atomic<bool> over{false};
    std::vector<std::jthread> senders;
    for (int i = 0; i < 4; ++i) senders.emplace_back([&, i] { send_until_cut(child, customer, round * 100 + i, known, over); });
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (std::size_t acknowledged = 0; acknowledged < 60U * static_cast<unsigned>(round) && std::chrono::steady_clock::now() < deadline;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      const std::lock_guard lock(known.mutex);
      acknowledged = known.acknowledged.size();
    }
    child.signal(SIGKILL);
    CHECK(child.wait_end() == 128 + SIGKILL);
    over = true;
  }
  REQUIRE(known.acknowledged.size() >= 180);
  Child again(flags);
  again.wait_ready();
  const std::string of_app = " where app_id = '" + AppId::parse(customer.app_id)->text() + "'";
  std::vector<std::string> stored;
  for (const auto& row : probe.rows("select id from messages" + of_app)) stored.push_back(MessageId{*Uuid::parse(row[0])}.wire());
  CHECK(stored.size() >= known.acknowledged.size());
  const auto missing = [&] { return std::count_if(stored.begin(), stored.end(), [&](const std::string& id) { return !taker.has(event_of(id)); }); };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (missing() > 0 && std::chrono::steady_clock::now() < deadline) {
    probe.run("update webhook_deliveries set due_at = now()" + of_app + " and state = 'pending'");   // leases end
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  CHECK(missing() == 0);
  const std::lock_guard lock(taker.mutex);
  CHECK(taker.got.size() == stored.size());   // nothing under an id that is no message
}
