// chat_bench: the project's own load generator. `ops/bench` starts what it needs, runs it and reads its JSON.
#include <sys/resource.h>

#include <functional>
#include <iostream>
#include <map>

#include "ops/benchmarks/fanout.h"
#include "ops/benchmarks/history.h"
#include "ops/benchmarks/send.h"
#include "platform/base/crypto.h"

namespace {

// A thousand sockets need more descriptors than a shell's default.
void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  using namespace chat::bench;
  const std::map<std::string, std::function<void(Flags&)>> kinds{
      {"send", run_send}, {"fanout", run_fanout}, {"redis-fanout", run_redis_fanout}, {"history", run_history}};
  const auto kind = kinds.find(argc > 1 ? argv[1] : "");
  if (kind == kinds.end()) {
    std::cerr << "usage: chat_bench send|fanout|redis-fanout|history --flag value…\n";
    return 2;
  }
  try {
    chat::crypto::start();
    raise_descriptor_limit();
    Flags flags(argc, argv, 2);
    kind->second(flags);
  } catch (const std::exception& failure) {
    std::cerr << "chat_bench: " << failure.what() << "\n";
    return 1;
  }
}
