#pragma once
#include <memory>
#include <string>
#include <vector>

#include "billing/metering.h"
#include "platform/base/error.h"
#include "tests/support/database.h"
#include "tests/support/service.h"

/// Nodes that count beside the running service, with a clock that is set.
namespace chat::test {

class SetClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return at; }
  Timestamp at = *parse_time("2031-11-30T23:59:50Z");
};

inline storage::DatabaseOptions impatient() {
  auto options = server_database();
  options.statement_timeout = std::chrono::milliseconds(1000);
  return options;
}

/// One node's counting, beside the running service and of an application that it does not serve.
struct Node {
  explicit Node(TestApp& app, const std::string& limits = "{}") {
    plans.load(connection);
    change(app, limits);
    metering.on_crossing([this](storage::Connection&, const billing::Crossing& crossing) {
      if (refuses) throw Error(Code::unavailable, "not now");
      told.push_back(std::string(billing::word(crossing.meter)) + " " + std::string(billing::word(crossing.level)) + " " + crossing.period + " " +
                     std::to_string(crossing.value));
    });
  }
  void change(TestApp& app, const std::string& limits) {
    auto made = std::make_shared<tenants::Application>();
    made->id = *AppId::parse(app.id());
    made->plan_id = Service::kPlan;
    made->limits_json = limits;
    application = made;
  }
  std::shared_ptr<billing::Account> account() { return accounts.load(connection, application); }
  void call(int times) {
    for (int i = 0; i < times; ++i) {
      account()->begin_call(false, clock.at);
      account()->end_call(true, "", clock.at);
    }
  }
  void flush() { metering.flush(connection); }

  SetClock clock;
  storage::Connection connection{impatient()};
  billing::PlanBook plans;
  billing::Accounts accounts{plans, clock};
  billing::Metering metering{accounts, clock};
  std::shared_ptr<const tenants::Application> application;
  std::vector<std::string> told;
  bool refuses = false;
};

}  // namespace chat::test
