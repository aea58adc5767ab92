#include <catch2/catch.hpp>

#include "tests/unit/realtime/stage.h"

namespace chat::realtime {

using namespace std::chrono_literals;
using Heard = std::vector<Stage::Heard>;

namespace {

const std::string kRoom = "messaging:room";

Stage::Heard event(std::int64_t seq) { return {false, seq, ""}; }
Stage::Heard resynced(const std::string& reason, std::int64_t seq) { return {true, seq, reason}; }

// A channel that is hot, with seq `last_seq` told.
void warm(Stage& stage, std::set<std::string> members) {
  stage.make_channel(kRoom, std::move(members));
  stage.publish(stage.commit(kRoom));
  stage.settle();
}

}  // namespace

TEST_CASE("audiences: the first event of a cold channel waits for the member list and is told then", "[unit][realtime]") {
  Stage stage;
  stage.make_channel(kRoom, {"alice", "bob"});
  const int alice = stage.connect("alice"), carol = stage.connect("carol");
  stage.publish(stage.commit(kRoom));
  stage.publish(stage.commit(kRoom));
  stage.read_mail();
  CHECK(stage.heard(alice).empty());
  stage.settle();
  CHECK(stage.heard(alice) == Heard{event(1), event(2)});
  CHECK(stage.heard(carol).empty());
}

TEST_CASE("audiences: an application without sockets costs no query", "[unit][realtime]") {
  Stage stage;
  stage.make_channel(kRoom, {"alice"});
  stage.publish(stage.commit(kRoom));
  CHECK(stage.waiting_jobs() == 0);
  CHECK(stage.audiences().hot_channels() == 0);
}

TEST_CASE("audiences: who connects while a channel is loading hears it", "[unit][realtime]") {
  Stage stage;
  stage.make_channel(kRoom, {"alice", "bob"});
  stage.connect("bob");
  stage.publish(stage.commit(kRoom));
  SECTION("before the query") {
    const int alice = stage.connect("alice");
    stage.settle();
    CHECK(stage.heard(alice) == Heard{event(1)});
  }
  SECTION("after the query, before the shard has read of it") {
    stage.run_job();
    const int alice = stage.connect("alice");
    stage.settle();
    CHECK(stage.heard(alice) == Heard{event(1)});
  }
}

TEST_CASE("audiences: events published out of order are told in order", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice");
  warm(stage, {"alice"});
  const auto second = stage.commit(kRoom), third = stage.commit(kRoom), fourth = stage.commit(kRoom);
  stage.publish(fourth);
  stage.publish(third);
  stage.read_mail();
  CHECK(stage.heard(alice) == Heard{event(1)});
  stage.publish(second);
  stage.read_mail();
  CHECK(stage.heard(alice) == Heard{event(1), event(2), event(3), event(4)});
  stage.publish(third);
  stage.settle();
  CHECK(stage.heard(alice).size() == 4);
}

TEST_CASE("audiences: a number that never comes is loaded after 250 ms", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice");
  warm(stage, {"alice"});
  const auto lost = stage.commit(kRoom);
  stage.publish(stage.commit(kRoom));
  stage.pass(200ms);
  CHECK(stage.waiting_jobs() == 0);
  stage.pass(60ms);
  CHECK(stage.waiting_jobs() == 1);
  stage.settle();
  CHECK(stage.heard(alice) == Heard{event(1), event(2), event(3)});
  stage.publish(lost);
  stage.settle();
  CHECK(stage.heard(alice).size() == 3);
}

TEST_CASE("audiences: a hole that cannot be loaded is said, not hidden", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice");
  warm(stage, {"alice"});
  const auto lost = stage.commit(kRoom);
  stage.channel(kRoom).purged.insert(lost->seq);
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK(stage.heard(alice) == Heard{event(1), resynced("gap", 3)});
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK(stage.heard(alice).back() == event(4));
}

TEST_CASE("audiences: an event older than what a channel became hot with causes a resync", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice");
  stage.make_channel(kRoom, {"alice"});
  const auto late = stage.commit(kRoom);
  stage.publish(stage.commit(kRoom));
  stage.settle();
  stage.publish(late);
  stage.settle();
  CHECK(stage.heard(alice) == Heard{event(2), resynced("gap", 2)});
  stage.publish(late);
  stage.settle();
  CHECK(stage.heard(alice).size() == 2);
}

TEST_CASE("audiences: a failing load is repeated, and given up by closing the application's sockets", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice");
  stage.make_channel(kRoom, {"alice"});
  stage.publish(stage.commit(kRoom));
  SECTION("it comes back") {
    for (int i = 0; i < 3; ++i) {
      CHECK(stage.run_job(true));
      stage.pass(2s);
    }
    stage.settle();
    CHECK(stage.heard(alice) == Heard{event(1)});
    CHECK(stage.closed_applications.empty());
  }
  SECTION("it does not") {
    for (int i = 0; i < 20 && stage.closed_applications.empty(); ++i) {
      stage.run_job(true);
      stage.pass(5s);
    }
    CHECK(stage.closed_applications == std::vector<AppId>{stage.app()});
    CHECK(stage.audiences().hot_channels() == 0);
  }
  SECTION("the pool refuses for a while") {
    Stage busy;
    const int bob = busy.connect("bob");
    busy.make_channel(kRoom, {"bob"});
    busy.refuse_jobs(true);
    busy.publish(busy.commit(kRoom));
    busy.pass(300ms);
    busy.refuse_jobs(false);
    busy.settle();
    CHECK(busy.heard(bob) == Heard{event(1)});
  }
}

TEST_CASE("audiences: joining and leaving change who hears, and both hear the event itself", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice"), bob = stage.connect("bob");
  warm(stage, {"alice"});
  stage.publish(stage.commit(kRoom, {"bob"}));
  stage.publish(stage.commit(kRoom));
  stage.publish(stage.commit(kRoom, {}, {"bob"}));
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK(stage.heard(bob) == Heard{event(2), event(3), event(4)});
  CHECK(stage.heard(alice).size() == 5);
  const int again = stage.connect("bob");
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK(stage.heard(again).empty());
}

TEST_CASE("audiences: who left before the channel was loaded hears only the event that says so", "[unit][realtime]") {
  Stage stage;
  const int bob = stage.connect("bob");
  stage.connect("alice");
  stage.make_channel(kRoom, {"alice", "bob"});
  stage.publish(stage.commit(kRoom));
  stage.publish(stage.commit(kRoom, {}, {"bob"}));
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK(stage.heard(bob) == Heard{event(2)});
}

TEST_CASE("audiences: who joined before the channel was loaded, and has left since, hears nothing more", "[unit][realtime]") {
  Stage stage;
  const int bob = stage.connect("bob");
  stage.make_channel(kRoom, {"alice"});
  const auto joins = stage.commit(kRoom, {"bob"});
  stage.commit(kRoom, {}, {"bob"});                 // never published
  stage.publish(joins);
  stage.settle();
  stage.publish(stage.ephemeral(kRoom));
  stage.settle();
  CHECK(stage.heard(bob) == Heard{event(1)});
}

TEST_CASE("audiences: who joins while the channel is being read again stays a member", "[unit][realtime]") {
  Stage stage;
  const int bob = stage.connect("bob");
  warm(stage, {"alice"});
  stage.publish(stage.commit(kRoom, {}, {}, "channel.updated"));
  stage.pass(60ms);
  stage.begin_job();                                // reads the members without bob
  stage.publish(stage.commit(kRoom, {"bob"}));
  stage.run_job();
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK(stage.heard(bob) == Heard{event(3), event(4)});
}

TEST_CASE("audiences: a removal that the bus lost takes effect when the hole is filled", "[unit][realtime]") {
  Stage stage;
  const int bob = stage.connect("bob");
  stage.connect("alice");
  warm(stage, {"alice", "bob"});
  stage.commit(kRoom, {}, {"bob"});
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK(stage.heard(bob) == Heard{event(1), resynced("not_found", 0)});
}

TEST_CASE("audiences: another epoch reloads the channel and tells everybody", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice");
  warm(stage, {"alice"});
  stage.channel(kRoom).epoch = "e2";
  stage.channel(kRoom).last_seq = 40;
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK(stage.heard(alice) == Heard{event(1), resynced("epoch", 41)});
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK(stage.heard(alice).back() == event(42));
}

TEST_CASE("audiences: a channel that is gone is still told to those whom its last event names", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice"), bob = stage.connect("bob");
  stage.make_channel(kRoom, {"alice"});
  const auto last = stage.commit(kRoom, {}, {"alice"}, "channel.deleted");
  stage.channel(kRoom).id = ChannelId::make(system_clock().now());
  stage.publish(last);
  stage.settle();
  CHECK(stage.heard(alice) == Heard{event(1)});
  CHECK(stage.heard(bob).empty());
  CHECK(stage.audiences().hot_channels() == 0);
}

TEST_CASE("audiences: a server connection hears every channel, with the application named", "[unit][realtime]") {
  Stage stage;
  const int server = stage.connect("");
  stage.make_channel(kRoom, {"alice"});
  stage.make_channel("messaging:other", {});
  stage.publish(stage.commit(kRoom));
  const auto other = stage.commit("messaging:other");
  stage.publish(other);
  stage.settle();
  CHECK(stage.heard(server) == Heard{event(1), event(1)});
  CHECK(stage.last_text(server) == bus::render(*other, true));
}

TEST_CASE("audiences: ephemeral events are told at once and never counted", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice");
  warm(stage, {"alice"});
  const auto lost = stage.commit(kRoom);
  stage.publish(stage.commit(kRoom));      // held behind the hole
  stage.publish(stage.ephemeral(kRoom));
  stage.read_mail();
  CHECK(stage.heard(alice) == Heard{event(1), event(0)});
}

TEST_CASE("audiences: memory is bounded by idleness, by number and by bytes", "[unit][realtime]") {
  const auto fill = [](Stage& stage, int channels) {
    stage.connect("alice");
    for (int i = 0; i < channels; ++i) {
      const std::string cid = "messaging:" + std::to_string(i);
      stage.make_channel(cid, {"alice"});
      stage.publish(stage.commit(cid));
      while (stage.run_job()) {}
      stage.read_mail();
    }
  };
  SECTION("idle") {
    Options options;
    options.audience_idle = 1s;
    Stage stage(options);
    fill(stage, 3);
    CHECK(stage.audiences().hot_channels() == 3);
    stage.pass(1100ms);
    CHECK(stage.audiences().hot_channels() == 0);
  }
  SECTION("number") {
    Options options;
    options.max_hot_channels = 5;
    Stage stage(options);
    fill(stage, 20);
    stage.pass(50ms);
    CHECK(stage.audiences().hot_channels() <= 5);
  }
  SECTION("bytes") {
    Options options;
    options.max_rings_bytes = 1'000;
    Stage stage(options);
    fill(stage, 20);
    stage.pass(50ms);
    CHECK(stage.audiences().hot_channels() <= 7);
  }
}

TEST_CASE("audiences: a channel that went cold is heard again, also by its members of old", "[unit][realtime]") {
  Options options;
  options.audience_idle = 1s;
  Stage stage(options);
  const int alice = stage.connect("alice");
  warm(stage, {"alice"});
  stage.pass(2s);
  stage.read_mail();
  CHECK(stage.audiences().hot_channels() == 0);
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK(stage.heard(alice) == Heard{event(1), event(2)});
}

TEST_CASE("audiences: a view is given to members only, and only as far as the ring reaches", "[unit][realtime]") {
  Options options;
  options.ring_bytes = 600;
  Stage stage(options);
  stage.connect("alice");
  warm(stage, {"alice"});
  for (int i = 0; i < 20; ++i) stage.publish(stage.commit(kRoom));
  stage.settle();
  auto& audiences = stage.audiences();
  const auto view = audiences.view(stage.app(), kRoom, "alice", Audiences::Since{"e1", 20});
  REQUIRE(view);
  CHECK(view->last_seq == 21);
  CHECK(view->frames.size() == 1);
  CHECK(audiences.view(stage.app(), kRoom, "alice", Audiences::Since{"e1", 21})->frames.empty());
  CHECK_FALSE(audiences.view(stage.app(), kRoom, "alice", Audiences::Since{"e1", 3}));
  CHECK_FALSE(audiences.view(stage.app(), kRoom, "alice", Audiences::Since{"e0", 20}));
  CHECK_FALSE(audiences.view(stage.app(), kRoom, "alice", Audiences::Since{"e1", 22}));
  CHECK_FALSE(audiences.view(stage.app(), kRoom, "bob", Audiences::Since{"e1", 20}));
  CHECK_FALSE(audiences.view(AppId::make(system_clock().now()), kRoom, "alice", std::nullopt));
}

TEST_CASE("audiences: after a truncation nothing from before it is given from memory", "[unit][realtime]") {
  Stage stage;
  stage.connect("alice");
  warm(stage, {"alice"});
  stage.publish(stage.commit(kRoom));
  bus::Event truncated = *stage.commit(kRoom);
  truncated.type = "channel.truncated";
  stage.publish(std::make_shared<const bus::Event>(truncated));
  stage.publish(stage.commit(kRoom));
  stage.settle();
  CHECK_FALSE(stage.audiences().view(stage.app(), kRoom, "alice", Audiences::Since{"e1", 1}));
  const auto view = stage.audiences().view(stage.app(), kRoom, "alice", Audiences::Since{"e1", 2});
  REQUIRE(view);
  CHECK(view->frames.size() == 2);
}

TEST_CASE("audiences: what the bus lost with nothing behind it is found when they look again", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice"), bob = stage.connect("bob");
  warm(stage, {"alice", "bob"});
  stage.commit(kRoom);                           // lost
  stage.commit(kRoom, {}, {"bob"});              // lost
  const auto fourth = stage.commit(kRoom);       // lost too, as far as the look goes
  stage.settle();
  CHECK(stage.heard(alice) == Heard{event(1)});
  stage.audiences().look_again();
  stage.pass(100ms);
  stage.settle();
  CHECK(stage.heard(alice) == Heard{event(1), event(2), event(3), event(4)});
  CHECK(stage.heard(bob) == Heard{event(1), resynced("not_found", 0)});   // no longer a member
  stage.publish(fourth);                         // repeated after all
  stage.settle();
  CHECK(stage.heard(alice).size() == 4);
}

TEST_CASE("audiences: looking again at what is complete tells nothing, and an event meanwhile is told once", "[unit][realtime]") {
  Stage stage;
  const int alice = stage.connect("alice");
  warm(stage, {"alice"});
  stage.audiences().look_again();
  stage.pass(100ms);
  const auto second = stage.commit(kRoom);
  stage.begin_job();
  stage.publish(second);
  stage.settle();
  CHECK(stage.heard(alice) == Heard{event(1), event(2)});
}

}  // namespace chat::realtime
