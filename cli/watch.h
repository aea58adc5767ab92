#pragma once
#include <chrono>

#include "cli/line/command.h"

namespace chat::cli {

/// Does a verb again and again: redraws at a terminal, appends elsewhere. A server that is away for a while is
/// said so and asked again; every other refusal ends it.
/// Errors:  Failure interrupted at Ctrl-C; what the first round refuses.
[[noreturn]] void watch(Session& session, const Verb::Run& verb, std::chrono::milliseconds interval);

}  // namespace chat::cli
