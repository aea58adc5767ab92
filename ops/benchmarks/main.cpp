// chat_bench: the project's own load generator. `ops/bench` starts what it needs, runs it and reads its JSON.
#include <sys/resource.h>

#include <fstream>
#include <functional>
#include <iostream>
#include <map>

#include "ops/benchmarks/blocklists.h"
#include "ops/benchmarks/fairness.h"
#include "ops/benchmarks/fanout.h"
#include "ops/benchmarks/history.h"
#include "ops/benchmarks/search.h"
#include "ops/benchmarks/send.h"
#include "ops/benchmarks/tenant.h"
#include "ops/benchmarks/webhooks.h"
#include "platform/base/crypto.h"
#include "platform/base/id.h"
#include "platform/base/text.h"

namespace {

using chat::bench::Failure;
using chat::bench::Flags;

// --channel NAME --user USER: makes both.
void run_channel(Flags& flags) {
  const chat::bench::Tenant tenant(flags);
  const auto channel = flags.text("channel"), user = flags.text("user");
  flags.finish();
  tenant.make_users({user});
  tenant.make_channel(channel, {user});
}

// --users NAME,NAME…
void run_users(Flags& flags) {
  const chat::bench::Tenant tenant(flags);
  const auto users = flags.text("users");
  flags.finish();
  tenant.make_users(chat::text::split(users, ','));
}

// --file FILE of message ids as `send --acked-log` writes it: the same ids as PostgreSQL writes them.
void run_uuids(Flags& flags) {
  const auto path = flags.text("file");
  flags.finish();
  std::ifstream in(path);
  if (!in) throw Failure("cannot read " + path);
  for (std::string line; std::getline(in, line);) {
    const auto id = chat::Id<chat::MessageTag>::parse(line);
    if (!id) throw Failure(path + ": not a message id: " + line);
    std::cout << id->text() << "\n";
  }
}

// A thousand sockets need more descriptors than a shell's default.
void raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  using chat::bench::run_blocklists, chat::bench::run_fairness, chat::bench::run_fanout, chat::bench::run_history, chat::bench::run_redis_fanout, chat::bench::run_search,
      chat::bench::run_send, chat::bench::run_webhooks;
  const std::map<std::string, std::function<void(Flags&)>> kinds{
      {"send", run_send}, {"fanout", run_fanout}, {"redis-fanout", run_redis_fanout}, {"history", run_history},
      {"search", run_search}, {"blocklists", run_blocklists}, {"fairness", run_fairness}, {"webhooks", run_webhooks},
      {"users", run_users}, {"channel", run_channel}, {"uuids", run_uuids}};
  const auto kind = kinds.find(argc > 1 ? argv[1] : "");
  if (kind == kinds.end()) {
    std::cerr << "usage: chat_bench send|fanout|redis-fanout|history|search|blocklists|fairness|webhooks|users|channel|uuids --flag value…\n";
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
