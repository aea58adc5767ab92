#include <signal.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/api/process/child.h"
#include "tests/api/process/customer.h"
#include "tests/support/database.h"
#include "tests/support/http_client.h"

using namespace chat;
using namespace chat::test;
using Json = nlohmann::json;

namespace {

constexpr int kRecipients = 600;

Json call(const Child& child, const Customer& customer, const std::string& method, const std::string& path, const Json& body) {
  HttpClient client(child.public_port());
  const auto answer = client.request(method, path, customer.headers(""), method == "GET" ? "" : body.dump());
  INFO(method << " " << path << " " << answer.body);
  REQUIRE(answer.status / 100 == 2);
  return answer.body.empty() ? Json() : Json::parse(answer.body);
}

Json make_campaign(const Child& child, const Customer& customer) {
  Json names = Json::array();
  for (int page = 0; page < kRecipients / 100; ++page) {
    Json users = Json::array();
    for (int i = 0; i < 100; ++i) {
      names.push_back("u" + std::to_string(page * 100 + i));
      users.push_back({{"user_id", names.back()}});
    }
    call(child, customer, "POST", "/v1/users", {{"users", users}});
  }
  return call(child, customer, "POST", "/v1/campaigns",
              {{"name", "crash"}, {"sender_id", "alice"}, {"recipients", names}, {"rate", 300}, {"variants", {{{"text", "Hi {{user.id}}"}}}}})["campaign"];
}

/// Every 5 ms until it holds, for 60 s.
template <class Holds>
void wait_for(const Holds& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!holds()) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

TEST_CASE("campaigns: kill -9 in the middle, twice: each recipient has exactly one message, and each is counted once", "[api][process][crash][campaigns]") {
  Probe probe(superuser_database().dsn);
  Customer customer;
  Json campaign;
  std::string app;
  const auto count = [&](const std::string& what) { return std::stoi(probe.value("select count(*) from " + what + " and app_id = '" + app + "'")); };
  for (int deaths = 0; deaths < 2; ++deaths) {
    Child child;
    child.wait_ready();
    if (deaths == 0) {
      customer = make_customer(child, "campaigns-crash", {});
      app = AppId::parse(customer.app_id)->text();
      campaign = make_campaign(child, customer);
      call(child, customer, "POST", "/v1/campaigns/" + campaign["id"].get<std::string>() + "/start", Json::object());
    }
    const int before = count("messages where true");
    wait_for([&] { return count("messages where true") >= before + 100; });
    child.signal(SIGKILL);
    CHECK(child.wait_end() == 128 + SIGKILL);
    CHECK(count("campaign_recipients where state = 'waiting'") > 0);
    // The claims of the dead one would be over in a minute.
    probe.run("update campaign_recipients set claimed_until = now() where state = 'waiting' and claimed_until is not null and app_id = '" + app + "'");
    probe.run("update campaigns set next_at = now() where app_id = '" + app + "'");
  }
  Child again;
  again.wait_ready();
  wait_for([&] { return count("campaigns where status = 'completed'") == 1; });
  CHECK(count("messages where true") == kRecipients);
  CHECK(count("campaign_recipients where state = 'sent'") == kRecipients);
  CHECK(probe.value("select count(distinct text) from messages where app_id = '" + app + "'") == std::to_string(kRecipients));
  CHECK(probe.value("select sum(value) from usage_metrics where meter = 'campaign_recipients' and app_id = '" + app + "'") == std::to_string(kRecipients));
  const auto progress = call(again, customer, "GET", "/v1/campaigns/" + campaign["id"].get<std::string>(), {})["campaign"]["progress"];
  CHECK(progress["sent"] == kRecipients);
  CHECK(progress["waiting"] == 0);
}
