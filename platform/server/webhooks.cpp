#include "platform/server/webhooks.h"

#include <unordered_map>

#include "platform/base/json.h"
#include "platform/http/openapi.h"
#include "platform/server/pushing.h"
#include "platform/webhooks/deliveries.h"
#include "platform/webhooks/flow.h"

namespace chat::server {
namespace {

constexpr int kMaxSlices = 200;
constexpr std::size_t kMaxQuestions = 2'048;   // at once: who waits for a place holds up a message

std::unordered_map<std::string, std::string> read_examples() {
  std::unordered_map<std::string, std::string> examples;
  const auto document = json::Document::parse(embedded::openapi_json);
  const auto events = document.root().find("x-events");
  INVARIANT(events, "the contract has events");
  for (const auto& [type, event] : events->members())
    if (const auto example = event.find("example")) examples.emplace(type, example->raw());
  return examples;
}

}  // namespace

outbound::Client::Options webhook_options(const config::Settings& settings) {
  auto options = outbound_options(settings);
  options.max_active = webhooks::Flows::kMaxInFlight;
  options.max_active_per_host = 256;
  options.max_active_per_tenant = webhooks::Flows::kMaxEachApp;
  options.user_agent = "chatd-webhooks";
  return options;
}

outbound::Client::Options judge_options(const config::Settings& settings) {
  auto options = outbound_options(settings);
  options.max_active = kMaxQuestions;
  options.max_active_per_host = 128;
  options.max_active_per_tenant = 128;
  options.max_wait = std::chrono::milliseconds(500);
  options.user_agent = "chatd-webhooks";
  return options;
}

void keep_event(storage::Transaction& tx, webhooks::Courier& courier, const bus::Event& event) {
  if (webhooks::keep_event(tx, event)) tx.after_commit([&courier] { courier.wake(); });
}

void wake_for(webhooks::Courier& courier, const tenants::Directory& directory, bus::Bus::Events events) {
  for (const auto& event : events) {
    if (event->seq == 0) continue;
    const auto application = directory.peek(event->app);
    if (!application || application->wants_event(event->type)) return courier.wake();
  }
}

void tell_push(storage::Transaction& tx, bus::Bus& bus, const tenants::Directory& directory, bus::Event event) {
  const auto application = directory.peek(tx.app());
  if (!application || application->wants_event(event.type)) return bus::emit(tx, bus, std::move(event));
  tx.after_commit([&bus, event = std::make_shared<const bus::Event>(std::move(event))] { bus.publish(event); });
}

std::optional<std::string> example_of(const std::string& type) {
  static const auto examples = read_examples();
  const auto found = examples.find(type);
  return found == examples.end() ? std::nullopt : std::optional<std::string>(found->second);
}

void add_webhook_jobs(jobs::Schedule& schedule) {
  schedule.add("sweep_webhooks", std::chrono::minutes(1), [at = std::optional<std::pair<Uuid, Uuid>>()](storage::Connection& connection) mutable {
    if (!at) at.emplace();                     // from the first endpoint on; else from where the last run stopped
    for (int i = 0; i < kMaxSlices && at; ++i)
      connection.transact(AppId{}, storage::Mode::write, [&at, after = *at](storage::Transaction& tx) { at = webhooks::sweep_webhooks(tx, after); });
  });
}

}  // namespace chat::server
