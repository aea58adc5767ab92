#include "platform/server/node_metrics.h"

#include <algorithm>

#include "platform/base/metrics.h"

namespace chat::server {
namespace {

using metrics::Sample;
using Read = std::int64_t (*)(const billing::Account&);

/// The largest `top` of them under their own name, the others in one sum.
std::vector<Sample> top_samples(const billing::Accounts& accounts, int top, Read read) {
  std::vector<std::pair<std::int64_t, std::string>> values;
  for (const auto& account : accounts.all()) values.emplace_back(read(*account), account->app().wire());
  std::sort(values.begin(), values.end(), std::greater<>());
  std::vector<Sample> samples;
  double other = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto value = static_cast<double>(values[i].first);
    if (i < static_cast<std::size_t>(top)) samples.push_back({{{"app", values[i].second}}, value});
    else other += value;
  }
  samples.push_back({{{"app", "__other__"}}, other});
  return samples;
}

}  // namespace

void collect_node_metrics(const billing::Accounts& accounts, const std::atomic<int>& top) {
  auto add = [&](const char* name, const char* help, metrics::Type type, Read read) {
    metrics::collect(name, help, type, [&accounts, &top, read] { return top_samples(accounts, top.load(), read); });
  };
  add("chat_application_messages_total", "Messages accepted since the start, by application.", metrics::Type::counter,
      [](const billing::Account& account) { return account.total_messages.load(std::memory_order_relaxed); });
  add("chat_application_api_calls_total", "API calls answered since the start, by application.", metrics::Type::counter,
      [](const billing::Account& account) { return account.total_api_calls.load(std::memory_order_relaxed); });
  add("chat_application_errors_total", "API calls answered with 400 or more since the start, by application.", metrics::Type::counter,
      [](const billing::Account& account) { return account.total_errors.load(std::memory_order_relaxed); });
  add("chat_application_connections", "Open WebSockets, by application.", metrics::Type::gauge,
      [](const billing::Account& account) { return account.connections(); });
  metrics::gauge("chat_build_info", "What runs; always 1.", {{"version", CHAT_VERSION}, {"compiler", __VERSION__}}).set(1);
}

void note_reload(bool successful, Timestamp at) {
  metrics::gauge("chat_config_last_reload_successful", "Whether the last load of the configuration succeeded.").set(successful ? 1 : 0);
  auto& last = metrics::gauge("chat_config_last_reload_success_timestamp_seconds", "When the configuration was last loaded.");
  if (successful) last.set(std::chrono::duration<double>(at.time_since_epoch()).count());
}

}  // namespace chat::server
