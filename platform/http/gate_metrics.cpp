#include "platform/http/gate_metrics.h"

#include <algorithm>

namespace chat::http {

RouteMetrics::RouteMetrics(std::string door, std::string given_operation)
    : operation(std::move(given_operation)),
      door_(std::move(door)),
      duration_(metrics::histogram("chat_http_request_duration_seconds", "Time from a whole request to its answer.",
                                   {{"door", door_}, {"operation", operation}})) {}

metrics::Counter& RouteMetrics::of_class(int status) {
  const auto hundreds = static_cast<std::size_t>(std::clamp(status / 100, 1, 5));
  auto& slot = classes_[hundreds - 1];
  metrics::Counter* counter = slot.load(std::memory_order_acquire);
  if (!counter) {
    counter = &metrics::counter(
        "chat_http_requests_total", "Requests answered.",
        {{"door", door_}, {"operation", operation}, {"code_class", std::to_string(hundreds) + "xx"}});
    slot.store(counter, std::memory_order_release);
  }
  return *counter;
}

void RouteMetrics::record(int status, double seconds) {
  of_class(status).add();
  duration_.observe(seconds);
}

GateMetrics::GateMetrics(const std::string& door, const Router& router)
    : unmatched_(std::make_unique<RouteMetrics>(door, "none")),
      in_flight_(metrics::gauge("chat_http_requests_in_flight", "Requests accepted and not yet answered.",
                                {{"door", door}})),
      body_bytes_(metrics::counter("chat_http_request_body_bytes_total", "Bytes of request bodies.",
                                   {{"door", door}})) {
  for (const Route* route : router.routes()) routes_[route] = std::make_unique<RouteMetrics>(door, route->operation);
}

void GateMetrics::enter(std::size_t body_bytes) {
  in_flight_.add(1);
  if (body_bytes > 0) body_bytes_.add(static_cast<double>(body_bytes));
}

}  // namespace chat::http
