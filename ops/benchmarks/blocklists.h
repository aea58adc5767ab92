#pragma once
#include "ops/benchmarks/flags.h"

namespace chat::bench {

/// What a message of 1 KB costs the block lists: reading, folding, looking for `--entries` words, proving the borders of what was found.
/// Needs no server. Writes {"entries","compile_ms","change_ms","latin":{…},"mixed":{…},"dirty":{…},"tricks":{…}}; each of the last has
/// p50_us, p99_us, max_us, finds_per_message.
void run_blocklists(Flags& flags);

}  // namespace chat::bench
