#pragma once
#include <cstdint>

#include "ops/benchmarks/samples.h"

namespace chat::bench {

/// Copies that arrived at subscribers. Every copy is counted; the age of one in `sample_every` is measured.
struct Tally {
  Nanos measure_from = 0, stop_at = 0;
  std::int64_t sample_every = 16;
  std::int64_t received = 0;                       // in all
  std::int64_t bytes = 0;                          // of all of them
  std::int64_t measured = 0;                       // between the two moments
  Samples age;                                     // from leaving the sender to arriving here

  /// `stamp_of` is asked only for a copy whose age is measured.
  template <class StampOf>
  void count(std::size_t size, StampOf&& stamp_of) {
    bytes += static_cast<std::int64_t>(size);
    if (++received % sample_every != 0) {
      measured += at_ >= measure_from && at_ < stop_at;
      return;
    }
    at_ = now();
    measured += at_ >= measure_from && at_ < stop_at;
    if (at_ >= measure_from && at_ < stop_at) age.add(at_ - stamp_of());
  }

 private:
  Nanos at_ = 0;                                   // of the last measured copy: a clock read per copy would cost too much
};

}  // namespace chat::bench
