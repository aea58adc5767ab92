#include "ops/benchmarks/samples.h"

#include <algorithm>
#include <cmath>

namespace chat::bench {

double Samples::percentile(double percent) const {
  if (values_.empty()) return 0;
  const auto last = static_cast<double>(values_.size() - 1);
  const auto rank = static_cast<std::ptrdiff_t>(std::ceil(percent / 100 * last));
  std::nth_element(values_.begin(), values_.begin() + rank, values_.end());
  return std::round(static_cast<double>(values_[static_cast<std::size_t>(rank)]) / 1000) / 1000;
}

void Samples::write(json::Writer& out) const {
  out.object().field("count", static_cast<std::int64_t>(values_.size()));
  out.key("p50_ms").number(percentile(50)).key("p90_ms").number(percentile(90));
  out.key("p99_ms").number(percentile(99)).key("max_ms").number(percentile(100)).end();
}

}  // namespace chat::bench
