#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>

#include "platform/base/metrics.h"
#include "platform/http/router.h"

namespace chat::http {

/// Rate, errors and duration of one route at one door.
class RouteMetrics {
 public:
  RouteMetrics(std::string door, std::string given_operation);
  void record(int status, double seconds);

  const std::string operation;

 private:
  metrics::Counter& of_class(int status);

  const std::string door_;
  /// 1xx … 5xx, looked up when a status of that class first occurs: most routes have two, and series are bounded.
  std::array<std::atomic<metrics::Counter*>, 5> classes_{};
  metrics::Histogram& duration_;
};

/// The metrics of a door: everything looked up once, nothing per request. Thread: any.
class GateMetrics {
 public:
  GateMetrics(const std::string& door, const Router& router);
  RouteMetrics& of(const Route& route) { return *routes_.at(&route); }
  RouteMetrics& unmatched() { return *unmatched_; }
  void enter(std::size_t body_bytes);
  void leave() { in_flight_.add(-1); }

 private:
  std::unordered_map<const Route*, std::unique_ptr<RouteMetrics>> routes_;
  std::unique_ptr<RouteMetrics> unmatched_;
  metrics::Gauge& in_flight_;
  metrics::Counter& body_bytes_;
};

}  // namespace chat::http
