#include "platform/base/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>

#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/process_metrics.h"

namespace chat::metrics {
namespace {

class OneCounter final : public Counter {
 public:
  explicit OneCounter(prometheus::Counter& inner) : inner_(inner) {}
  void add(double value) override { inner_.Increment(value); }
  double value() const override { return inner_.Value(); }

 private:
  prometheus::Counter& inner_;
};

class OneGauge final : public Gauge {
 public:
  explicit OneGauge(prometheus::Gauge& inner) : inner_(inner) {}
  void set(double value) override { inner_.Set(value); }
  void add(double value) override { inner_.Increment(value); }
  double value() const override { return inner_.Value(); }

 private:
  prometheus::Gauge& inner_;
};

class OneHistogram final : public Histogram {
 public:
  explicit OneHistogram(prometheus::Histogram& inner) : inner_(inner) {}
  void observe(double seconds) override { inner_.Observe(seconds); }

 private:
  prometheus::Histogram& inner_;
};

constexpr std::string_view kOverflow = "__other__";  // the label values of the child that the surplus shares
constexpr std::string_view kDroppedName = "chat_metrics_dropped_series_total";
constexpr std::string_view kDroppedHelp = "Label sets that were refused a series of their own, by metric.";

using LabelMap = std::map<std::string, std::string>;

/// All metrics of one name and their children, at most kMaxChildren and one for the rest.
template <class Wrapper, class Inner>
class Family {
 public:
  explicit Family(prometheus::Family<Inner>& inner) : inner_(inner) {}

  template <class... Arguments>
  Wrapper& child(const Labels& labels, bool& is_dropped, const Arguments&... arguments) {
    LabelMap key(labels.begin(), labels.end());
    auto found = children_.find(key);
    if (found == children_.end() && children_.size() >= kMaxChildren) {
      is_dropped = true;
      for (auto& [name, value] : key) value = kOverflow;
      found = children_.find(key);
    }
    if (found == children_.end()) {
      auto made = std::make_unique<Wrapper>(inner_.Add(key, arguments...));
      found = children_.emplace(std::move(key), std::move(made)).first;
    }
    return *found->second;
  }

 private:
  prometheus::Family<Inner>& inner_;
  std::map<LabelMap, std::unique_ptr<Wrapper>> children_;
};

using Counters = Family<OneCounter, prometheus::Counter>;
using Gauges = Family<OneGauge, prometheus::Gauge>;
using Histograms = Family<OneHistogram, prometheus::Histogram>;

struct Collected {
  std::string name;
  std::string help;
  Type type;
  std::function<std::vector<Sample>()> read;
};

struct Store {
  prometheus::Registry registry;
  std::mutex mutex;                                    // guards the three maps
  std::map<std::string, Counters, std::less<>> counters;
  std::map<std::string, Gauges, std::less<>> gauges;
  std::map<std::string, Histograms, std::less<>> histograms;
  std::mutex collected_mutex;                          // guards what follows; held while callbacks run
  std::vector<Collected> collected;
};

/// Never destroyed: threads may still count while the process ends.
Store& store() {
  static Store* const instance = new Store;
  return *instance;
}

template <class Builder, class Families>
auto& family(Families& families, Builder builder, std::string_view name, std::string_view help) {
  auto found = families.find(name);
  if (found == families.end()) {
    auto& made = builder.Name(std::string(name)).Help(std::string(help)).Register(store().registry);
    using Kind = typename Families::mapped_type;
    found = families.emplace(std::string(name), Kind(made)).first;
  }
  return found->second;
}

void count_dropped(std::string_view name, double count = 1) {
  counter(kDroppedName, kDroppedHelp, {{"metric", std::string(name)}}).add(count);
}

const std::vector<double>& default_buckets() {
  static const std::vector<double> buckets = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                              0.1,    0.25,  0.5,    1,     2.5,  5,     10};
  return buckets;
}

prometheus::ClientMetric to_metric(const Sample& sample, Type type) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  if (type == Type::counter) {
    metric.counter.value = sample.value;
  } else {
    metric.gauge.value = sample.value;
  }
  return metric;
}

prometheus::MetricFamily to_family(const std::string& name, const std::string& help, Type type,
                                   const std::vector<Sample>& samples) {
  prometheus::MetricFamily out;
  out.name = name;
  out.help = help;
  out.type = type == Type::counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  const std::size_t kept = std::min(samples.size(), kMaxChildren);
  for (std::size_t i = 0; i < kept; ++i) out.metric.push_back(to_metric(samples[i], type));
  if (samples.size() > kept) count_dropped(name, static_cast<double>(samples.size() - kept));
  return out;
}

/// A reader that fails costs its own family only, never the scrape.
void append_collected(std::vector<prometheus::MetricFamily>& families) {
  const std::lock_guard lock(store().collected_mutex);
  for (const Collected& one : store().collected) {
    try {
      auto family = to_family(one.name, one.help, one.type, one.read());
      if (!family.metric.empty()) families.push_back(std::move(family));
    } catch (const std::exception& failure) {
      log::error("metrics.collect_failed", {{"metric", one.name}, {"why", failure.what()}});
    }
  }
}

void append_process(std::vector<prometheus::MetricFamily>& families) {
  for (const ProcessMetric& one : process_metrics()) {
    families.push_back(to_family(one.name, one.help, one.type, {Sample{{}, one.value}}));
  }
}

}  // namespace

Counter& counter(std::string_view name, std::string_view help, const Labels& labels) {
  bool is_dropped = false;
  Counter* child = nullptr;
  {
    const std::lock_guard lock(store().mutex);
    child = &family(store().counters, prometheus::BuildCounter(), name, help).child(labels, is_dropped);
  }
  if (is_dropped && name != kDroppedName) count_dropped(name);
  return *child;
}

Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels) {
  bool is_dropped = false;
  Gauge* child = nullptr;
  {
    const std::lock_guard lock(store().mutex);
    child = &family(store().gauges, prometheus::BuildGauge(), name, help).child(labels, is_dropped);
  }
  if (is_dropped) count_dropped(name);
  return *child;
}

Histogram& histogram(std::string_view name, std::string_view help, const Labels& labels,
                     const std::vector<double>& buckets) {
  bool is_dropped = false;
  Histogram* child = nullptr;
  {
    const std::lock_guard lock(store().mutex);
    auto& histograms = family(store().histograms, prometheus::BuildHistogram(), name, help);
    child = &histograms.child(labels, is_dropped, buckets.empty() ? default_buckets() : buckets);
  }
  if (is_dropped) count_dropped(name);
  return *child;
}

void collect(std::string_view name, std::string_view help, Type type, std::function<std::vector<Sample>()> read) {
  const std::lock_guard lock(store().collected_mutex);
  auto& all = store().collected;
  const bool is_taken = std::any_of(all.begin(), all.end(), [&](const Collected& one) { return one.name == name; });
  INVARIANT(!is_taken, "a metric of this name is collected already");
  all.push_back({std::string(name), std::string(help), type, std::move(read)});
}

void forget_collected() {
  const std::lock_guard lock(store().collected_mutex);
  store().collected.clear();
}

std::string expose() {
  std::vector<prometheus::MetricFamily> families;
  append_collected(families);
  append_process(families);
  auto counted = store().registry.Collect();  // last: what was dropped above shows in this scrape
  std::move(counted.begin(), counted.end(), std::back_inserter(families));
  std::sort(families.begin(), families.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace chat::metrics
