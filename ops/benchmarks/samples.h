#pragma once
#include <cstdint>
#include <vector>

#include "ops/benchmarks/loop.h"
#include "platform/base/json.h"

namespace chat::bench {

/// Every latency that was measured, kept whole: percentiles are exact.
class Samples {
 public:
  void add(Nanos value) { values_.push_back(value); }
  void clear() { values_.clear(); }
  [[nodiscard]] std::size_t size() const { return values_.size(); }
  /// Units:   milliseconds; 0 when nothing was measured.
  [[nodiscard]] double percentile(double percent) const;
  /// Writes {"count","p50_ms","p90_ms","p99_ms","max_ms"}.
  void write(json::Writer& out) const;

 private:
  mutable std::vector<Nanos> values_;              // percentile() reorders them
};

}  // namespace chat::bench
