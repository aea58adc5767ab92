#pragma once
#include "ops/benchmarks/flags.h"

namespace chat::bench {

/// Newest 50 of a large and of a small channel, asked in turn on one connection so that noise hits both.
///
///   --large CHANNEL  --small CHANNEL  --user USER  --requests 2000  --warmup-requests 200
///
/// Shape:   one JSON object on stdout: large and small (latency each), messages (in one answer; must be 50).
void run_history(Flags& flags);

}  // namespace chat::bench
