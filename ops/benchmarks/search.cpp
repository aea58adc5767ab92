#include "ops/benchmarks/search.h"

#include <iostream>
#include <vector>

#include "ops/benchmarks/samples.h"
#include "ops/benchmarks/tenant.h"

namespace chat::bench {
namespace {

constexpr Nanos kPatience = 600 * kSecond;

/// One kind of search. Words repeat after `words` requests, so that it is not one word in memory that is measured.
struct Kind {
  const char* name;
  const char* user;
  std::int64_t first_word, words;
  const char* body;                                // %1, %2: two different words of the range
};
constexpr Kind kKinds[] = {
    {"common_newest", "everywhere", 1, 5, R"({"query":"word%1","sort":[{"field":"created_at"}]})"},
    {"common_relevant", "everywhere", 1, 5, R"({"query":"word%1"})"},
    {"middle_newest", "everywhere", 50, 100, R"({"query":"word%1","sort":[{"field":"created_at"}]})"},
    {"middle_relevant", "everywhere", 50, 100, R"({"query":"word%1"})"},
    {"rare_relevant", "everywhere", 2000, 20000, R"({"query":"word%1"})"},
    {"two_words", "everywhere", 20, 50, R"({"query":"word%1 word%2"})"},
    {"by_author", "everywhere", 1, 50, R"({"query":"word%1","filter":{"user_id":"writer%2"}})"},
    {"in_channel", "everywhere", 1, 50, R"({"query":"word%1","filter":{"cid":"messaging:search-%2"}})"},
    {"few_channels", "somewhere", 1, 50, R"({"query":"word%1","sort":[{"field":"created_at"}]})"},
};
constexpr std::size_t kKindCount = std::size(kKinds);

std::string filled(const Kind& kind, std::int64_t round) {
  std::string body = kind.body;
  const std::int64_t words[] = {kind.first_word + round % kind.words, kind.first_word + (round * 7 + 1) % kind.words};
  for (int i = 0; i < 2; ++i)
    if (auto at = body.find("%" + std::to_string(i + 1)); at != std::string::npos) body.replace(at, 2, std::to_string(words[i]));
  return body;
}

std::int64_t results_in(std::string_view body) {
  std::int64_t count = 0;
  for (auto at = body.find("\"snippet\":"); at != std::string_view::npos; at = body.find("\"snippet\":", at + 1)) ++count;
  return count;
}

}  // namespace

void run_search(Flags& flags) {
  const Tenant tenant(flags);
  const auto requests = flags.number("requests", 100), warmup = flags.number("warmup-requests", 5);
  flags.finish();
  const std::int64_t total = static_cast<std::int64_t>(kKindCount) * (requests + warmup);
  Samples all, latency[kKindCount];
  std::int64_t found[kKindCount] = {};
  std::int64_t asked = 0;
  Nanos asked_at = 0;
  Loop loop;
  Exchange exchange(loop, tenant.endpoint(), [&](const Answer& answer) {
    if (answer.status != 200) throw Failure("search answered " + std::to_string(answer.status) + ": " + std::string(answer.body));
    const auto kind = static_cast<std::size_t>((asked - 1) % static_cast<std::int64_t>(kKindCount));
    if (asked <= static_cast<std::int64_t>(kKindCount) * warmup) return;
    all.add(now() - asked_at);
    latency[kind].add(now() - asked_at);
    found[kind] += results_in(answer.body);
  });
  if (!exchange.open()) throw Failure("nobody listens on the public door");
  const Nanos give_up = now() + kPatience;
  loop.run([&](Nanos at) {
    if (exchange.is_busy()) return at < give_up ? give_up : kStop;
    if (asked == total || at >= give_up) return kStop;
    const auto& kind = kKinds[asked % static_cast<std::int64_t>(kKindCount)];
    const auto request = request_text("POST", "/v1/search/messages", tenant.user_headers(kind.user),
                                      filled(kind, asked / static_cast<std::int64_t>(kKindCount)));
    ++asked;
    asked_at = now();
    exchange.ask(request);
    return give_up;
  });
  if (asked < total) throw Failure("searching took longer than 600 s");

  json::Writer out;
  out.object().key("all");
  all.write(out);
  for (std::size_t i = 0; i < kKindCount; ++i) {
    out.key(kKinds[i].name);
    latency[i].write(out);
    out.key(std::string(kKinds[i].name) + "_found").number(static_cast<double>(found[i]) / static_cast<double>(requests));
  }
  out.end();
  std::cout << out.take() << "\n";
}

}  // namespace chat::bench
