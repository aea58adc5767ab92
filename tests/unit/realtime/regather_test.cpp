#include <catch2/catch.hpp>

#include "tests/unit/realtime/stage.h"

// Members that change without an event of the channel: teams.
namespace chat::realtime {

using namespace std::chrono_literals;
using Heard = std::vector<Stage::Heard>;

namespace {

const std::string kRoom = "messaging:room";

Stage::Heard event(std::int64_t seq) { return {false, seq, ""}; }

void warm(Stage& stage, const std::string& cid, std::set<std::string> members) {
  stage.make_channel(cid, std::move(members));
  stage.publish(stage.commit(cid));
  stage.settle();
}

}  // namespace

TEST_CASE("regather: who is no longer in the database hears nothing more, the others miss nothing and resync nothing", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice"), bob = stage.connect("bob"), carol = stage.connect("carol");
  warm(stage, kRoom, {"alice", "bob"});
  stage.channel(kRoom).members = {"alice", "carol"};
  stage.audiences().regather(stage.app(), kRoom);
  stage.publish(stage.commit(kRoom));
  stage.read_mail();
  CHECK(stage.heard(alice) == Heard{event(1)});           // waits for the members
  stage.settle();
  CHECK(stage.heard(alice) == Heard{event(1), event(2)});
  CHECK(stage.heard(carol) == Heard{event(2)});
  CHECK(stage.heard(bob) == Heard{event(1), {true, 0, "not_found"}});
}

TEST_CASE("regather: a member list that was read before is not taken for the new one", "[unit][realtime]") {
  Stage stage;
  const int bob = stage.connect("bob");
  stage.make_channel(kRoom, {"alice", "bob"});
  stage.publish(stage.commit(kRoom));
  stage.begin_job();                                      // reads bob as a member
  stage.channel(kRoom).members = {"alice"};
  stage.audiences().regather(stage.app(), kRoom);
  stage.settle();
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK(stage.heard(bob).empty());
}

TEST_CASE("regather: a hole is not passed over", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice");
  warm(stage, kRoom, {"alice"});
  const auto second = stage.commit(kRoom), third = stage.commit(kRoom);
  stage.publish(third);
  stage.audiences().regather(stage.app(), kRoom);
  stage.settle();
  CHECK(stage.heard(alice).back() == Stage::Heard{true, 3, "gap"});
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK(stage.heard(alice).back() == event(4));
}

TEST_CASE("regather: all channels of an application, also when the pool takes nothing", "[unit][realtime]") {
  Stage stage;
  const int bob = stage.connect("bob");
  for (int i = 0; i < 20; ++i) warm(stage, "messaging:" + std::to_string(i), {"alice", "bob"});
  CHECK(stage.heard(bob).size() == 20);
  for (int i = 0; i < 20; ++i) stage.channel("messaging:" + std::to_string(i)).members = {"alice"};
  stage.refuse_jobs(true);
  for (int i = 0; i < 8; ++i) stage.audiences().regather_all(stage.app());   // some are given up meanwhile: their sockets are closed
  stage.refuse_jobs(false);
  stage.pass(10s);
  stage.settle();
  for (int i = 0; i < 20; ++i) stage.publish(stage.commit("messaging:" + std::to_string(i)));
  stage.settle();
  std::size_t events = 0;
  for (const auto& heard : stage.heard(bob)) events += !heard.is_resync;
  CHECK(events == 20);                                    // none of those that came after
}

TEST_CASE("regather: who only looks on is told to ask again, members are not", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice");
  warm(stage, kRoom, {"alice"});
  stage.hub().end_watches(scoped(stage.app(), kRoom), kRoom);
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK(stage.heard(alice) == Heard{event(1), event(2)});
}

}  // namespace chat::realtime
