#include "tests/db/redis/stage.h"

namespace chat::redis {
namespace {

using namespace std::chrono_literals;
using test::ScratchRedis;
using test::soon;
using test::TestNode;

std::vector<std::string> numbers(std::int64_t from, std::int64_t to) {
  std::vector<std::string> all;
  for (auto seq = from; seq <= to; ++seq) all.push_back("e " + std::to_string(seq));
  return all;
}

/// A node that has just joined asks the others to repeat: what is numbered may come twice, and is dropped by its seq.
std::vector<std::string> without_twins(TestNode& node) {
  std::vector<std::string> once;
  for (auto& one : node.all())
    if (std::ranges::find(once, one) == once.end()) once.push_back(std::move(one));
  return once;
}

/// Everything told while nobody could hear arrives, in whatever order; twins are allowed, too: realtime's sequencer sees to both.
void check_nothing_missing(TestNode& node, std::int64_t from, std::int64_t to) {
  for (const auto& one : numbers(from, to)) soon("heard: " + one, [&] { return node.has(one); });
}

}  // namespace

TEST_CASE("redis bus: what one node tells reaches the other in its order, and itself once", "[db][redis][order]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options()), c(server.options());
  for (int i = 1; i <= 500; ++i) a.tell(i);
  CHECK(a.all() == numbers(1, 500));           // at once, without Redis
  soon("all are there", [&] { return b.has("e 500") && c.has("e 500"); });
  CHECK(without_twins(b) == numbers(1, 500));
  CHECK(without_twins(c) == numbers(1, 500));
  CHECK(a.all().size() == 500);
}

TEST_CASE("redis bus: services with other prefixes do not hear each other", "[db][redis][tenancy]") {
  ScratchRedis server;
  auto other = server.options();
  other.prefix = "other:";
  TestNode a(server.options()), b(server.options()), stranger(other);
  a.tell(1);
  soon("its own service hears it", [&] { return b.has("e 1"); });
  stranger.tell(2);
  CHECK(stranger.all() == numbers(2, 2));
  CHECK_FALSE(b.has("e 2"));
}

TEST_CASE("redis bus: a word reaches every node, one for the others not this one, and an urgent one is known when it was told", "[db][redis]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options()), c(server.options());
  a.bus->control({"urgent", AppId{}, "1", true});
  CHECK(a.has("urgent 1"));
  CHECK(b.has("urgent 1"));
  CHECK(c.has("urgent 1"));
  a.bus->tell_others({"others", AppId{}, "2"});
  a.bus->control({"all", AppId{}, "3"});
  soon("all are heard", [&] { return b.has("all 3") && c.has("all 3"); });
  CHECK(b.has("others 2"));
  CHECK_FALSE(a.has("others 2"));
  CHECK(a.has("all 3"));
}

TEST_CASE("redis bus: an urgent word does not wait for a Redis that hangs or is away", "[db][redis]") {
  ScratchRedis server;
  TestNode a(server.options());
  const auto took = [&] {
    const auto begin = std::chrono::steady_clock::now();
    a.bus->control({"urgent", AppId{}, "", true});
    return std::chrono::steady_clock::now() - begin;
  };
  server.pause();
  CHECK(took() < 1s);
  server.go_on();
  server.kill();
  soon("it is noticed", [&] { return !a.link.is_up(); });
  CHECK(took() < 1s);
}

TEST_CASE("redis bus: what was told while Redis was away is heard when it is back, and words are looked at again", "[db][redis]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  a.tell(1);
  soon("it is heard", [&] { return b.has("e 1"); });
  server.kill();
  for (int i = 2; i <= 300; ++i) a.tell(i);
  b.tell(1'001);
  a.bus->control({"lost", AppId{}, ""});
  server.start();
  check_nothing_missing(b, 1, 300);
  check_nothing_missing(a, 1'001, 1'001);
  soon("both look again", [&] { return a.has("missed") && b.has("missed"); });
  CHECK_FALSE(b.has("missed events"));
}

TEST_CASE("redis bus: a Redis that hangs loses nothing that is told meanwhile", "[db][redis]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  server.pause();
  for (int i = 1; i <= 200; ++i) a.tell(i);
  soon("it is noticed", [&] { return !a.link.is_up() && !b.link.is_up(); });
  for (int i = 201; i <= 400; ++i) a.tell(i);
  server.go_on();
  check_nothing_missing(b, 1, 400);
}

TEST_CASE("redis bus: nothing is lost while Redis dies again and again under load", "[db][redis][slow]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  std::atomic<bool> done{false};
  std::int64_t last = 0;
  std::thread talker([&] {
    while (!done) {
      a.tell(++last);
      std::this_thread::sleep_for(200us);
    }
  });
  for (int i = 0; i < 4; ++i) {
    std::this_thread::sleep_for(100ms);
    server.kill();
    std::this_thread::sleep_for(50ms);
    server.start();
    soon("both are back", [&] { return a.link.is_up() && b.link.is_up(); });
  }
  done = true;
  talker.join();
  check_nothing_missing(b, 1, last);
}

TEST_CASE("redis bus: what no longer can be repeated is said", "[db][redis][limits]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  server.kill();
  soon("it is noticed", [&] { return !a.link.is_up(); });
  for (int i = 1; i <= 20; ++i) a.tell(i, 1'000'000);   // more than the memory of 16 MiB
  server.start();
  soon("the other node knows", [&] { return b.has("missed events"); });
}

TEST_CASE("redis bus: what is no packet is dropped and counted", "[db][redis]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  REQUIRE(a.link.publish("rubbish", {}));
  a.tell(1);
  soon("what follows is heard", [&] { return b.has("e 1"); });
  CHECK(without_twins(b) == numbers(1, 1));
}

}  // namespace chat::redis
