#pragma once
#include <string>
#include <vector>

#include "platform/chat/notifications/notifications.h"
#include "tests/support/push_services.h"
#include "tests/support/service.h"

/// An application with push against real services of ours, and what a second node's worker would have.
namespace chat::test {

inline PushServices& services() { return push_services(); }
inline server::Node& node() { return Service::get().node(); }
inline Probe outside() { return Probe(superuser_database().dsn); }

/// An application with push, and a channel of alice's with bob, who has a phone and is away.
struct Pushing : TestApp {
  Pushing() {
    add_users({"alice", "bob", "carol"});
    server().post("/v1/users", {{"users", {{{"user_id", "alice"}, {"name", "Alice A."}}}}});
    REQUIRE(server().post("/v1/push/providers", {{"provider", "fcm"}, {"service_account", services().service_account()}}).status == 201);
    add_channel("general", {"alice", "bob"});
    add_phone("bob");
  }
  [[nodiscard]] std::string token(const std::string& user) const { return user + "-" + id(); }
  [[nodiscard]] std::string uuid() const { return AppId::parse(id())->text(); }
  void add_phone(const std::string& user) {
    REQUIRE(this->user(user).post("/v1/devices", {{"device_id", "phone"}, {"provider", "fcm"}, {"platform", "android"}, {"token", token(user)}})
                .status == 201);
  }
  /// Until nothing waits any more. What can't be delivered now and is postponed counts as waiting.
  void settle() {
    eventually("the end of all notifications", [&] {
      node().run_job("decide_pushes");
      node().run_job("deliver_pushes");
      return rows("push_queue") + rows("push_deliveries") == 0;
    }, std::chrono::seconds(20));
  }
  /// The texts that the user's phone was told, after all is done.
  std::vector<std::string> told(const std::string& user) {
    settle();
    std::vector<std::string> texts;
    for (const auto& got : services().got(token(user))) texts.push_back(got.body["message"]["notification"]["body"]);
    return texts;
  }
  [[nodiscard]] std::int64_t metered() const {   // -1: counted again it is another number
    return std::stoll(outside().value("select case when sum(l) = sum(n) then sum(l) when sum(l) is null then 0 else -1 end from (select value as l, 0 as n from usage_metrics where meter = 'push' and app_id = '" + uuid() +
                                      "' union all select 0, (counts ->> 'push')::bigint from usage_flushes where counts ? 'push' and app_id = '" + uuid() + "') x")); }
};

/// What a second node would have; nobody is connected to it.
struct Worker {
  crypto::Sealer sealer{std::string(32, 'k')};
  storage::Pool pool{server_database(), 2, 100};
  outbound::Client client{on_loopback()};
  notifications::Senders senders{client, sealer, {services().url(), services().url(), services().url()}, system_clock()};
  notifications::Notifying notifying{senders, system_clock(), std::chrono::milliseconds(0),
                                     [](AppId, const std::vector<std::string>&) { return std::vector<std::string>(); },
                                     [this](storage::Pool::Task task) { return pool.submit(std::move(task)); }};
};

using Texts = std::vector<std::string>;

}  // namespace chat::test
