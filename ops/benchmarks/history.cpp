#include "ops/benchmarks/history.h"

#include <array>
#include <iostream>

#include "ops/benchmarks/samples.h"
#include "ops/benchmarks/tenant.h"

namespace chat::bench {
namespace {

constexpr Nanos kPatience = 120 * kSecond;

std::int64_t messages_in(std::string_view body) {
  std::int64_t count = 0;
  for (auto at = body.find("\"id\":\"msg_"); at != std::string_view::npos; at = body.find("\"id\":\"msg_", at + 1)) ++count;
  return count;
}

}  // namespace

void run_history(Flags& flags) {
  const Tenant tenant(flags);
  const std::array<std::string, 2> channels{flags.text("large"), flags.text("small")};
  const std::string user = flags.text("user");
  const auto requests = flags.number("requests", 2000), warmup = flags.number("warmup-requests", 200);
  flags.finish();

  std::array<std::string, 2> request;
  for (std::size_t i = 0; i < 2; ++i)
    request[i] = request_text("GET", "/v1/channels/messaging/" + channels[i] + "/messages?limit=50",
                              tenant.user_headers(user), "");
  std::array<Samples, 2> latency;
  std::int64_t asked = 0, messages = 0;
  Nanos asked_at = 0;
  Loop loop;
  Exchange exchange(loop, tenant.endpoint(), [&](const Answer& answer) {
    if (answer.status != 200) throw Failure("history answered " + std::to_string(answer.status) + ": " + std::string(answer.body));
    if (asked > 2 * warmup) latency[static_cast<std::size_t>((asked - 1) % 2)].add(now() - asked_at);
    messages = messages_in(answer.body);
  });
  if (!exchange.open()) throw Failure("nobody listens on the public door");

  const std::int64_t total = 2 * (warmup + requests);
  const Nanos give_up = now() + kPatience;
  loop.run([&](Nanos at) {
    if (exchange.is_busy()) return at < give_up ? give_up : kStop;
    if (asked == total || at >= give_up) return kStop;
    asked_at = now();
    exchange.ask(request[static_cast<std::size_t>(asked++ % 2)]);
    return give_up;
  });
  if (asked < total) throw Failure("history took longer than 120 s");

  json::Writer out;
  out.object().field("messages", messages);
  out.key("large");
  latency[0].write(out);
  out.key("small");
  latency[1].write(out);
  out.end();
  std::cout << out.take() << "\n";
}

}  // namespace chat::bench
