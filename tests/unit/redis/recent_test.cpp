#include <catch2/catch.hpp>

#include "platform/redis/recent.h"

namespace chat::redis {
namespace {

using namespace std::chrono_literals;

void tell(Recent& recent, std::int64_t seq, std::chrono::steady_clock::time_point at, std::size_t bytes = 0) {
  auto event = std::make_shared<bus::Event>();
  event->seq = seq;
  event->data.resize(bytes);
  const std::shared_ptr<const bus::Event> shared = event;
  recent.add(bus::Bus::Events(&shared, 1), at);
}

std::string seqs(const std::optional<bus::SharedEvents>& events) {
  if (!events) return "forgotten";
  std::string out;
  for (const auto& event : *events) out += std::to_string(event->seq) + " ";
  return out;
}

const std::chrono::steady_clock::time_point kStart{1h};

}  // namespace

TEST_CASE("redis bus: numbered events since a moment are repeated in their order, ephemeral ones are not", "[unit][redis]") {
  Recent recent;
  CHECK(seqs(recent.since(kStart)).empty());
  for (int i = 1; i <= 4; ++i) tell(recent, i == 3 ? 0 : i, kStart + i * 1s);
  CHECK(seqs(recent.since(kStart)) == "1 2 4 ");
  CHECK(seqs(recent.since(kStart + 2s)) == "2 4 ");
  CHECK(seqs(recent.since(kStart + 5s)).empty());
}

TEST_CASE("redis bus: what no longer fits is forgotten, and known to be", "[unit][redis][limits]") {
  Recent recent({.max_bytes = 3'000, .max_age = 10s});
  for (int i = 1; i <= 4; ++i) tell(recent, i, kStart + i * 1s, 1'000);   // 1,400 each
  CHECK(seqs(recent.since(kStart + 2s)) == "forgotten");
  CHECK(seqs(recent.since(kStart + 3s)) == "3 4 ");
  tell(recent, 5, kStart + 20s);
  CHECK(seqs(recent.since(kStart + 3s)) == "forgotten");
  CHECK(seqs(recent.since(kStart + 5s)) == "5 ");
}

}  // namespace chat::redis
