#pragma once
#include "ops/benchmarks/flags.h"

namespace chat::bench {

/// Searches of nine kinds asked in turn on one connection, over what search_setup.sql made.
///
///   --requests 100 (of each kind)  --warmup-requests 5
///
/// Shape:   one JSON object on stdout: all (every kind together), then each kind; `found` is the mean of results a page.
void run_search(Flags& flags);

}  // namespace chat::bench
