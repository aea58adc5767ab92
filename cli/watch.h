#pragma once
#include <chrono>
#include <cstdint>

#include "cli/line/command.h"

namespace chat::cli {

/// Does a verb again and again: redraws at a terminal, appends elsewhere. A server that is away for a while is
/// said so and asked again; every other refusal ends it.
/// Units:   rounds 0: until Ctrl-C
/// Errors:  Failure interrupted at Ctrl-C; what the first round refuses.
void watch(Session& session, const Verb::Run& verb, std::chrono::milliseconds interval, std::int64_t rounds = 0);

}  // namespace chat::cli
