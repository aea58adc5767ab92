#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

/// Every metric that chatd can register, as the sources say it. A running chatd shows some of them only once there is something to
/// count, so that the sources are the whole list; tests/api/process asks a running chatd whether it tells the same.
namespace chat::test {

struct CatalogueMetric {
  std::string type;                    // counter, gauge, histogram
  std::string help;
  std::set<std::string> labels;
  std::string where;                   // platform/http/gate_metrics.cpp:10
};

/// By name. `mistakes`: calls that can't be read, and names that stand for two things.
std::map<std::string, CatalogueMetric> metric_catalogue(std::vector<std::string>& mistakes);

/// Names of metrics and recording rules in a PromQL expression, without the _bucket, _sum and _count of a histogram of `known`.
std::set<std::string> metrics_in(const std::string& expression, const std::map<std::string, CatalogueMetric>& known);

}  // namespace chat::test
