#include "platform/server/pushing.h"

#include "platform/chat/devices/devices.h"

namespace chat::server {

outbound::Client::Options outbound_options(const config::Settings& settings) {
  outbound::Client::Options options;
  for (const auto& text : settings.list("outbound.allowed_networks"))
    if (auto network = outbound::Network::parse(text)) options.allowed_networks.push_back(*network);   // the schema's check refused others
  options.allows_http = settings.boolean("outbound.allow_http");
  options.ca_file = settings.text("outbound.ca_file");
  return options;
}

notifications::ProviderUrls provider_urls(const config::Settings& settings) {
  return {settings.text("push.fcm_url"), settings.text("push.apns_url"), settings.text("push.apns_sandbox_url")};
}

void add_push_jobs(jobs::Schedule& schedule, const notifications::Notifying& notifying, notifications::Courier& courier) {
  schedule.add("decide_pushes", std::chrono::milliseconds(500),
               [notifying](storage::Connection& connection) { notifications::decide_pushes(connection, notifying); });
  schedule.add("deliver_pushes", std::chrono::milliseconds(250), [&courier](storage::Connection& connection) { courier.deliver(connection); });
  schedule.add("expire_devices", std::chrono::hours(1), devices::expire_devices);
}

}  // namespace chat::server
