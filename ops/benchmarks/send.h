#pragma once
#include "ops/benchmarks/flags.h"

namespace chat::bench {

/// Acknowledged durable sends through the public door.
///
///   --connections 64  --channels 32  --seconds 10  --warmup 2  --text-bytes 100
///   --rate 0          0: each connection sends again as soon as it is answered. Otherwise so many sends/s in all, on a
///                     fixed timetable; latency then counts from when a send was due, so that a stall is not hidden.
///   --windows 1       so many times --warmup and --seconds, without a pause; says on stderr when one is over
///   --acked-log FILE  the id of each acknowledged message, a line each, flushed at once
///   --reconnect       a lost connection is opened again until the time is over (crash tests)
///
/// Shape:   one JSON object on stdout: acknowledged, per_second, latency, refused (by status), lost_connections; with several windows also the
///          latency of the first, third, … and of those between (turns), and of each (windows).
/// Units:   per_second and latency are of the --seconds after each warm-up.
void run_send(Flags& flags);

}  // namespace chat::bench
