#pragma once
#include "ops/benchmarks/flags.h"

namespace chat::bench {

/// Receivers of webhooks: as many ports of loopback as asked for, the first of which take calls and never answer.
///
///   --port P (the first)  --ports 1  --hang 0  --expect N (deliveries; then it ends)  --patience-s 60 (without one)
///
/// Shape:   one JSON object on stdout: received, per_second (from the first to the last), seconds, latency from the event to its
///          arrival at a port that answers. Prints "ready" on stderr when all ports listen.
void run_webhooks(Flags& flags);

}  // namespace chat::bench
