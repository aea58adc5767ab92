#pragma once
#include "ops/benchmarks/flags.h"

namespace chat::bench {

/// One channel, many WebSockets that hear it, durable messages sent over REST.
///
///   --sockets 100  --in-flight 16  --seconds 10  --warmup 2  --text-bytes 100
///
/// Shape:   one JSON object on stdout: deliveries_per_second, sends_per_second, age (a send leaving → its copy read here,
///          one copy in 16), frame_bytes, missing (copies of acknowledged messages that never came; must be 0).
void run_fanout(Flags& flags);

/// The denominator: the same shape of load on Redis PUBLISH/SUBSCRIBE.
///
///   --redis 127.0.0.1:6399  --sockets 100  --in-flight 16  --seconds 10  --warmup 2  --payload-bytes 400
void run_redis_fanout(Flags& flags);

}  // namespace chat::bench
