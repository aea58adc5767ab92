#include <catch2/catch.hpp>

#include <iostream>

#include "platform/chat/screening/watch.h"

using namespace chat;
using namespace chat::screening;

namespace {

using std::chrono::seconds;

const Timestamp kStart = *parse_time("2031-05-01T12:00:00Z");
// No new ids here: made before main, they would be of a later millisecond than those of the tests of ids.
const AppId kApp{*Uuid::parse("01a1fdfa-467b-7000-8000-000000000001")}, kOther{*Uuid::parse("01a1fdfa-467b-7000-8000-000000000002")};

Rules rules_of(const std::string& array) { return parse_rules(array, 1); }
Seen said(std::string_view text, std::uint64_t nonce = 0, std::int64_t mentions = 0) { return {read_signs(text).print, nonce, mentions, 0b11}; }

}  // namespace

TEST_CASE("watch: the same text of one user is counted in the window, whoever else says it", "[unit][screening]") {
  Watch watch;
  const auto rules = rules_of(R"([{"name":"r","kind":"repeats","then":"flag","window_s":60}])");
  const auto see = [&](const std::string& user, std::string_view text, int second, AppId app = kApp) {
    return watch.see(app, user, rules, said(text), kStart + seconds(second)).of[0];
  };
  CHECK(see("bob", "buy watches now", 0) == 1);
  CHECK(see("bob", "Buy  WATCHES now!", 10) == 2);
  CHECK(see("alice", "buy watches now", 10) == 1);
  CHECK(see("bob", "buy watches now", 10, kOther) == 1);
  CHECK(see("bob", "something else entirely", 20) == 1);
  CHECK(see("bob", "buy watches now", 59) == 3);
  CHECK(see("bob", "buy watches now", 65) == 3);       // the first is out of the window
  CHECK(see("bob", "buy watches now", 300) == 1);
}

TEST_CASE("watch: the same request again is counted once, and asking counts nothing", "[unit][screening]") {
  Watch watch;
  const auto rules = rules_of(R"([{"name":"r","kind":"repeats","then":"flag"},{"name":"m","kind":"message_rate","then":"flag"}])");
  for (int i = 0; i < 5; ++i) {
    const auto counts = watch.see(kApp, "bob", rules, said("buy watches now", 77), kStart + seconds(i));
    CHECK(counts.of[0] == 1);
    CHECK(counts.of[1] == 1);
  }
  for (int i = 0; i < 5; ++i) {
    const auto counts = watch.look(kApp, "bob", rules, said("buy watches now"), kStart + seconds(6));
    CHECK(counts.of[0] == 2);
    CHECK(counts.of[1] == 2);
  }
  CHECK(watch.look(kApp, "nobody", rules, said("buy watches now"), kStart).of[1] == 1);
}

TEST_CASE("watch: the same request again is counted anew in a window that has passed", "[unit][screening]") {
  Watch watch;
  const auto rules = rules_of(R"([{"name":"r","kind":"repeats","then":"flag","window_s":600},{"name":"m","kind":"message_rate","then":"flag","window_s":10}])");
  const auto see = [&](std::uint64_t nonce, int second) { return watch.see(kApp, "bob", rules, said("buy watches now", nonce), kStart + seconds(second)); };
  for (std::uint64_t nonce = 1; nonce <= 5; ++nonce) see(nonce, 0);
  CHECK(see(5, 5).of[1] == 5);
  for (std::uint64_t nonce = 1; nonce <= 5; ++nonce) CHECK(see(nonce, 30).of[1] == static_cast<std::int64_t>(nonce));
  const auto again = see(3, 31);
  CHECK(again.of[1] == 5);
  CHECK(again.of[0] == 5);                     // each stands once among those that are remembered
}

TEST_CASE("watch: messages and mentions are counted in windows of their own, which begin anew with new rules", "[unit][screening]") {
  Watch watch;
  auto rules = rules_of(R"([{"name":"m","kind":"message_rate","then":"flag","window_s":10},{"name":"a","kind":"mentions","then":"flag","window_s":100}])");
  const auto see = [&](std::int64_t mentions, int second) { return watch.see(kApp, "bob", rules, said("hi", 0, mentions), kStart + seconds(second)); };
  CHECK(see(3, 0).of[1] == 3);
  CHECK(see(0, 1).of[0] == 2);
  CHECK(see(4, 2).of[1] == 7);
  CHECK(see(0, 9).of[0] == 4);
  CHECK(see(0, 15).of[0] == 3);                // one, and half of the four before
  CHECK(see(1, 40).of[0] == 1);
  CHECK(see(0, 41).of[1] == 8);
  rules.version = 2;
  CHECK(see(1, 42).of[0] == 1);
}

TEST_CASE("watch: a rule counts what it is about", "[unit][screening]") {
  Watch watch;
  const auto rules = rules_of(R"([{"name":"r","kind":"repeats","then":"flag"},{"name":"m","kind":"message_rate","then":"flag"}])");
  auto elsewhere = said("buy watches now");
  elsewhere.concerns = 0b10;
  watch.see(kApp, "bob", rules, elsewhere, kStart);
  const auto counts = watch.see(kApp, "bob", rules, said("buy watches now"), kStart);
  CHECK(counts.of[0] == 1);
  CHECK(counts.of[1] == 2);
}

TEST_CASE("watch: what one node saw, another counts, and does not tell again", "[unit][screening]") {
  Watch here, there;
  here.remember_told();
  there.remember_told();
  const auto rules = rules_of(R"([{"name":"r","kind":"repeats","then":"flag"}])");
  here.see(kApp, "bob", rules, said("buy watches now", 5), kStart);
  for (const auto& told : here.take_told()) there.see(told.app, told.user_id, rules, told.seen, kStart, true);
  CHECK(there.see(kApp, "bob", rules, said("buy watches now", 6), kStart + seconds(1)).of[0] == 2);
  CHECK(there.take_told().size() == 1);
  CHECK(here.take_told().empty());
}

TEST_CASE("watch: it is bounded, and forgets first who counts no more", "[unit][screening]") {
  Watch watch;
  const auto rules = rules_of(R"([{"name":"r","kind":"repeats","then":"flag"}])");
  watch.see(kApp, "bob", rules, said("buy watches now"), kStart + seconds(500));
  for (std::size_t i = 0; i < 16 * Watch::kMaxPerShard + 5'000; ++i) watch.see(kApp, "user" + std::to_string(i), rules, said("x"), kStart);
  for (int i = 0; i < 2'000; ++i) watch.see(kApp, "late" + std::to_string(i), rules, said("x"), kStart + seconds(500));
  CHECK(watch.users() <= 16 * Watch::kMaxPerShard);
}

TEST_CASE("watch: what counting a message costs", "[.measure]") {
  Watch watch;
  const auto rules = rules_of(R"([{"name":"r","kind":"repeats","then":"flag"},{"name":"m","kind":"message_rate","then":"flag"}])");
  constexpr int kRounds = 200'000;
  const auto one = said("Hello friend, I sell very cheap watches");
  std::int64_t sum = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) sum += watch.see(kApp, "user" + std::to_string(i % 1'000), rules, one, kStart + std::chrono::milliseconds(i)).of[0];
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
  std::cout << "Watch::see: " << took.count() / kRounds << " us\n";
  CHECK(sum > 0);
}
