#include <catch2/catch.hpp>

#include "platform/ephemeral/store.h"

namespace chat::ephemeral {
namespace {

using namespace std::chrono_literals;

constexpr Space kWatchers{"watchers"};
constexpr Space kOnline{"online", true};

class HandClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return now_; }
  void pass(std::chrono::microseconds time) { now_ += time; }

 private:
  Timestamp now_ = system_clock().now();
};

struct Stage {
  HandClock clock;
  std::unique_ptr<Store> store;
  AppId app = AppId::make(clock.now());
  explicit Stage(Bounds bounds = {}) : store(make_local_store(clock, bounds)) {}
  [[nodiscard]] Key key(const std::string& name, Space space = kWatchers) const { return {app, space, name}; }
  [[nodiscard]] std::string who(const Key& key) const {
    std::string names;
    for (const auto& one : store->holders(key)) names += one.member + "=" + one.value + " ";
    return names;
  }
};

}  // namespace

TEST_CASE("ephemeral: who holds is told until it lets go or its time is over", "[unit][ephemeral]") {
  Stage stage;
  stage.store->hold(stage.key("a"), "bob", "x", 10s);
  stage.store->hold(stage.key("a"), "alice", "y", 20s);
  CHECK(stage.who(stage.key("a")) == "alice=y bob=x ");
  stage.clock.pass(10s);
  CHECK(stage.who(stage.key("a")) == "alice=y ");
  CHECK(stage.store->count(stage.key("a")) == 1);
  stage.store->release(stage.key("a"), "alice");
  CHECK(stage.who(stage.key("a")).empty());
  stage.store->release(stage.key("a"), "alice");
  CHECK(stage.store->count(stage.key("a")) == 0);
}

TEST_CASE("ephemeral: holding again replaces the value and the time", "[unit][ephemeral]") {
  Stage stage;
  stage.store->hold(stage.key("a"), "bob", "online", 10s);
  stage.clock.pass(9s);
  stage.store->hold(stage.key("a"), "bob", "away", 10s);
  stage.clock.pass(9s);
  CHECK(stage.who(stage.key("a")) == "bob=away ");
  stage.clock.pass(1s);
  CHECK(stage.who(stage.key("a")).empty());
}

TEST_CASE("ephemeral: applications, spaces and names do not meet", "[unit][ephemeral][tenancy]") {
  Stage stage;
  const Key other_app{AppId::make(stage.clock.now()), kWatchers, "a"};
  stage.store->hold(stage.key("a"), "bob", "", 10s);
  CHECK(stage.store->count(other_app) == 0);
  CHECK(stage.store->count(stage.key("a", kOnline)) == 0);
  CHECK(stage.store->count(stage.key("b")) == 0);
  stage.store->release(other_app, "bob");
  CHECK(stage.store->count(stage.key("a")) == 1);
}

TEST_CASE("ephemeral: many keys are answered in their order", "[unit][ephemeral]") {
  Stage stage;
  stage.store->hold(stage.key("a"), "bob", "", 10s);
  stage.store->hold(stage.key("c"), "bob", "", 10s);
  stage.store->hold(stage.key("c"), "carol", "", 10s);
  const std::vector<Key> keys{stage.key("c"), stage.key("b"), stage.key("a")};
  CHECK(stage.store->count(keys) == std::vector<std::size_t>{2, 0, 1});
  const auto holders = stage.store->holders(keys);
  REQUIRE(holders.size() == 3);
  CHECK(holders[0].size() == 2);
  CHECK(holders[1].empty());
  CHECK(holders[2].front().member == "bob");
}

TEST_CASE("ephemeral: what ended by its time is told once, what was released or renewed is not", "[unit][ephemeral]") {
  Stage stage;
  for (const char* user : {"gone", "left", "here"}) stage.store->hold(stage.key(user, kOnline), "phone", "", 10s);
  stage.store->hold(stage.key("silent"), "phone", "", 10s);
  stage.store->release(stage.key("left", kOnline), "phone");
  stage.clock.pass(5s);
  stage.store->hold(stage.key("here", kOnline), "phone", "", 10s);
  CHECK(stage.store->take_lapsed(kOnline, 10).empty());
  stage.clock.pass(5s);
  const auto lapsed = stage.store->take_lapsed(kOnline, 10);
  REQUIRE(lapsed.size() == 1);
  CHECK(lapsed[0].app == stage.app);
  CHECK(lapsed[0].name == "gone");
  CHECK(lapsed[0].member == "phone");
  CHECK(stage.store->take_lapsed(kOnline, 10).empty());
  CHECK(stage.store->take_lapsed(kWatchers, 10).empty());
}

TEST_CASE("ephemeral: lapses are taken in portions, and the oldest go when nobody takes them", "[unit][ephemeral][limits]") {
  Stage stage({.max_holds = 100, .max_lapsed = 3});
  for (int i = 0; i < 5; ++i) stage.store->hold(stage.key(std::to_string(i), kOnline), "m", "", 1s + i * 1ms);
  stage.clock.pass(2s);
  const auto first = stage.store->take_lapsed(kOnline, 2);
  REQUIRE(first.size() == 2);
  CHECK(first[0].name == "2");
  CHECK(stage.store->take_lapsed(kOnline, 2).size() == 1);
}

TEST_CASE("ephemeral: beyond its bound the store takes no new hold and renews the old ones", "[unit][ephemeral][limits]") {
  Stage stage({.max_holds = 2});
  stage.store->hold(stage.key("a"), "1", "", 10s);
  stage.store->hold(stage.key("a"), "2", "", 10s);
  stage.store->hold(stage.key("a"), "3", "", 10s);
  stage.store->hold(stage.key("a"), "2", "again", 10s);
  CHECK(stage.who(stage.key("a")) == "1= 2=again ");
  stage.clock.pass(10s);
  stage.store->hold(stage.key("a"), "3", "", 10s);
  CHECK(stage.who(stage.key("a")) == "3= ");
}

TEST_CASE("ephemeral: of very many holders those who stay longest are named, and all are counted", "[unit][ephemeral][limits]") {
  Stage stage;
  for (int i = 0; i < 1'200; ++i) stage.store->hold(stage.key("a"), std::to_string(i), "", 10s + i * 1ms);
  CHECK(stage.store->count(stage.key("a")) == 1'200);
  const auto holders = stage.store->holders(stage.key("a"));
  REQUIRE(holders.size() == Store::kMaxHolders);
  CHECK(std::ranges::is_sorted(holders, {}, &Holder::member));
  CHECK(std::ranges::none_of(holders, [](const Holder& one) { return std::stoi(one.member) < 200; }));
}

}  // namespace chat::ephemeral
