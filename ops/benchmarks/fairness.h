#pragma once
#include "ops/benchmarks/flags.h"

namespace chat::bench {

/// One application's sends while another sends many times what its plan allows.
///
///   --noisy-api-key --noisy-secret-file   the other application
///   --rate 500        sends/s of the first on a fixed timetable, all the time
///   --flood 2500      sends/s of the other on a fixed timetable, in every second window; in between it sends --calm 0
///   --window-ms 500   of a window; the first fifth of each is measured for neither
///   --connections 32  --channels 16       of each
///   --seconds 8       measured of each kind of window  --warmup 2, with floods: the other's burst is used up then
///
/// Shape:   one JSON object on stdout: alone and flooded (latencies of the first, by the window in which a send was due), refused (of
///          the first, by status), flood: {per_second, acknowledged, refused, unsent}. Latency counts from when a send was due.
/// Thread:  one each, so that reading the other's answers is not waited for.
void run_fairness(Flags& flags);

}  // namespace chat::bench
