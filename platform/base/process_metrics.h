#pragma once
#include <string>
#include <vector>

#include "platform/base/metrics.h"

namespace chat::metrics {

/// The process_* metrics that every Prometheus client library offers; prometheus-cpp 1.0 does not.
/// Source:  https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
struct ProcessMetric {
  std::string name;
  std::string help;
  Type type;
  double value = 0;
};

/// What the kernel does not tell is left out.
/// Cost:    a few reads of /proc and one directory entry per open descriptor.
std::vector<ProcessMetric> process_metrics();

}  // namespace chat::metrics
