#include "tests/db/redis/stage.h"

namespace chat::redis {
namespace {

using namespace std::chrono_literals;
using ephemeral::Key;
using ephemeral::Space;
using test::ScratchRedis;
using test::soon;
using test::TestNode;

constexpr Space kWatchers{"watchers"};
constexpr Space kOnline{"online", true};
const AppId kApp = AppId::make(system_clock().now());

Key key(const std::string& name, Space space = kWatchers) { return {kApp, space, name}; }

std::string who(TestNode& node, const Key& what) {
  std::string names;
  for (const auto& one : node.store->holders(what)) names += one.member + "=" + one.value + " ";
  return names;
}

void soon_who(TestNode& node, const Key& what, const std::string& names) {
  soon(names + "hold", [&] { return who(node, what) == names; });
}

}  // namespace

TEST_CASE("redis store: what one node holds the other sees, until it lets go or the time is over", "[db][redis]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  a.store->hold(key("a"), "alice", "x", 10s);
  CHECK(who(a, key("a")) == "alice=x ");
  b.store->hold(key("a"), "bob", "y", 1s);
  soon_who(b, key("a"), "alice=x bob=y ");
  CHECK(a.store->count(key("a")) == 2);
  a.store->hold(key("a"), "alice", "z", 10s);
  soon_who(b, key("a"), "alice=z ");           // replaced, and bob's time is over
  a.store->release(key("a"), "alice");
  soon_who(b, key("a"), "");
  CHECK(b.store->count(key("a")) == 0);
}

TEST_CASE("redis store: a member held by two nodes is there until both let go", "[db][redis]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  a.store->hold(key("a"), "alice", "phone", 10s);
  b.store->hold(key("a"), "alice", "laptop", 20s);
  soon_who(a, key("a"), "alice=laptop ");
  CHECK(a.store->count(key("a")) == 1);
  b.store->release(key("a"), "alice");
  soon_who(a, key("a"), "alice=phone ");
  a.store->release(key("a"), "alice");
  soon_who(b, key("a"), "");
}

TEST_CASE("redis store: applications, spaces and names do not meet", "[db][redis][tenancy]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  a.store->hold(key("a"), "bob", "", 10s);
  soon_who(b, key("a"), "bob= ");
  const std::vector<Key> others{{AppId::make(system_clock().now()), kWatchers, "a"}, key("a", kOnline), key("b"), key("a")};
  CHECK(b.store->count(others) == std::vector<std::size_t>{0, 0, 0, 1});
  CHECK(b.store->holders(others).back().size() == 1);
}

TEST_CASE("redis store: what a killed node held ends by its time, and is told to one of those who ask", "[db][redis]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  {
    TestNode killed(server.options());         // it says nothing when it ends
    killed.store->hold(key("alice", kOnline), "phone", "", 1s);
    killed.store->hold(key("bob", kOnline), "phone", "", 1s);
    killed.store->release(key("bob", kOnline), "phone");
    soon_who(a, key("alice", kOnline), "phone= ");
  }
  CHECK(a.store->take_lapsed(kOnline, 10).empty());
  soon_who(a, key("alice", kOnline), "");
  std::vector<ephemeral::Lapsed> all;
  std::mutex mutex;
  const auto take = [&](TestNode& node) {
    const auto some = node.store->take_lapsed(kOnline, 10);
    const std::lock_guard lock(mutex);
    all.insert(all.end(), some.begin(), some.end());
  };
  std::thread beside([&] { take(b); });
  take(a);
  beside.join();
  REQUIRE(all.size() == 1);
  CHECK(all[0].app == kApp);
  CHECK(all[0].name == "alice");
  CHECK(all[0].member == "phone");
}

TEST_CASE("redis store: a hold that is renewed does not lapse", "[db][redis]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  for (int i = 0; i < 8; ++i) {
    a.store->hold(key("alice", kOnline), "phone", "", 1s);
    std::this_thread::sleep_for(200ms);
    CHECK(b.store->take_lapsed(kOnline, 10).empty());
    CHECK(who(b, key("alice", kOnline)) == "phone= ");
  }
}

TEST_CASE("redis store: without Redis a node answers with what it holds itself, in time", "[db][redis]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  a.store->hold(key("a"), "alice", "", 60s);
  b.store->hold(key("a"), "bob", "", 60s);
  soon_who(a, key("a"), "alice= bob= ");
  server.pause();
  const auto begin = std::chrono::steady_clock::now();
  CHECK(who(a, key("a")) == "alice= ");
  CHECK(a.store->count(key("a")) == 1);
  CHECK(std::chrono::steady_clock::now() - begin < 1s);
  a.store->hold(key("a"), "carol", "", 60s);
  soon("it is noticed", [&] { return !a.link.is_up(); });
  a.store->release(key("a"), "alice");
  server.go_on();
  soon("it is back", [&] { return a.link.is_up() && b.link.is_up(); });
  soon_who(a, key("a"), "bob= carol= ");
}

TEST_CASE("redis store: a Redis that began anew is told again what is held", "[db][redis]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  for (int i = 0; i < 450; ++i) a.store->hold(key("a"), std::to_string(i), "", 60s);
  server.kill();
  soon("it is noticed", [&] { return !a.link.is_up() && !b.link.is_up(); });
  a.store->release(key("a"), "7");
  a.store->hold(key("b"), "new", "", 60s);
  server.start();
  soon("all is back", [&] { return b.store->count(key("a")) == 449; });
  soon_who(b, key("b"), "new= ");
}

TEST_CASE("redis store: a flushed Redis is filled by the renewals", "[db][redis]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  a.store->hold(key("a"), "alice", "", 60s);
  soon_who(b, key("a"), "alice= ");
  REQUIRE(a.link.ask(command({"FLUSHALL"}), 1, 5s));
  CHECK(who(b, key("a")).empty());
  CHECK(who(a, key("a")) == "alice= ");
  a.store->hold(key("a"), "alice", "", 60s);
  soon_who(b, key("a"), "alice= ");
}

TEST_CASE("redis store: nothing stays in Redis when all has ended", "[db][redis][limits]") {
  ScratchRedis server;
  TestNode a(server.options());
  for (int i = 0; i < 20; ++i) a.store->hold(key("k" + std::to_string(i % 5)), std::to_string(i), "", 1s);
  a.store->hold(key("long"), "1", "", 1s);
  a.store->hold(key("long"), "2", "", 2s);
  a.store->hold(key("long"), "3", "", 1s);
  const auto keys = [&] { return (*a.link.ask(command({"DBSIZE"}), 1, 5s))[0].integer; };
  CHECK(keys() == 6);
  soon_who(a, key("long"), "2= ");             // the shorter ones have not shortened it
  soon("Redis is empty", [&] { return keys() == 0; });
}

TEST_CASE("redis store: of very many holders those who stay longest are named, and all are counted", "[db][redis][limits]") {
  ScratchRedis server;
  TestNode a(server.options()), b(server.options());
  for (int i = 0; i < 1'200; ++i) a.store->hold(key("a"), std::to_string(i), "", 60s + i * 10ms);
  soon("all are counted", [&] { return b.store->count(key("a")) == 1'200; });
  const auto holders = b.store->holders(key("a"));
  REQUIRE(holders.size() == ephemeral::Store::kMaxHolders);
  CHECK(std::ranges::none_of(holders, [](const auto& one) { return std::stoi(one.member) < 200; }));
}

}  // namespace chat::redis
