#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Prometheus metrics (prometheus-cpp behind metrics.cpp). Look a metric up once and keep the reference.
namespace chat::metrics {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double value = 1) = 0;
  [[nodiscard]] virtual double value() const = 0;
};
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
  virtual void add(double value) = 0;
  [[nodiscard]] virtual double value() const = 0;
};
class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double seconds) = 0;
};

/// The same name and labels give the same object for the life of the process. Labels must be bounded:
/// at most kMaxChildren per name; further ones count in `chat_metrics_dropped_series_total` and share one child.
inline constexpr std::size_t kMaxChildren = 500;
Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
/// Buckets in seconds: 0.0005 … 10 unless given.
Histogram& histogram(std::string_view name, std::string_view help, const Labels& labels = {},
                     const std::vector<double>& buckets = {});

/// Samples computed at scrape time, for gauges of state and for per-application series.
struct Sample {
  Labels labels;
  double value = 0;
};
enum class Type { counter, gauge };
void collect(std::string_view name, std::string_view help, Type type, std::function<std::vector<Sample>()> read);
void forget_collected();                            // before what the callbacks read goes away

std::string expose();                               // text format 0.0.4, with process_* of this process

}  // namespace chat::metrics
