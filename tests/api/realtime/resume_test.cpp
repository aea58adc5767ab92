#include <catch2/catch.hpp>

#include <random>
#include <thread>

#include "tests/api/realtime/house.h"

namespace chat::test {

using namespace std::chrono_literals;
using nlohmann::json;

namespace {

const std::string kRoom = "messaging:general";

json resume_from(House& house, std::int64_t seq, const std::string& cid = kRoom) {
  return {{"type", "resume"}, {"ref", "r"}, {"channels", {{cid, {{"epoch", house.epoch(cid)}, {"seq", seq}}}}}};
}

// Everything up to and including resume.done.
std::vector<json> until_done(WsClient& client) {
  std::vector<json> frames;
  for (;;) {
    auto frame = client.next();
    if (!frame) throw std::runtime_error("no resume.done came; closed: " + std::to_string(client.wait_closed(0ms).value_or(0)));
    frames.push_back(*std::move(frame));
    if (frames.back()["type"] == "resume.done") return frames;
  }
}

json resync_of(WsClient& client, House& house, const json& command) {
  client.send(command);
  const json resync = client.wait_for("resync");
  client.wait_for("resume.done");
  CHECK(resync["cid"] == kRoom);
  static_cast<void>(house);
  return resync["data"];
}

}  // namespace

TEST_CASE("resume: a short outage is served from memory", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice", "bob"});
  WsClient bob = house.ready("bob");
  for (int i = 0; i < 20; ++i) house.commit(kRoom);
  REQUIRE(eventually([&] { return house.copies == 20; }));
  WsClient alice = house.ready("alice");
  alice.send(resume_from(house, 5));
  const auto frames = until_done(alice);
  CHECK(seqs(frames, kRoom) == numbers(6, 20));
  const json channel = frames.back()["data"]["channels"][kRoom];
  CHECK(frames.back()["ref"] == "r");
  CHECK(channel["last_seq"] == 20);
  CHECK_FALSE(channel.contains("unread"));
  CHECK(house.locates + house.missed_loads == 0);
  house.commit(kRoom);
  CHECK(alice.wait_for("message.new")["seq"] == 21);
}

TEST_CASE("resume: a cold channel is served from the database, in portions", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice"});
  for (int i = 0; i < 450; ++i) house.commit(kRoom);      // nobody is connected: the channel stays cold
  WsClient alice = house.ready("alice");
  alice.send(resume_from(house, 10));
  const auto frames = until_done(alice);
  CHECK(seqs(frames, kRoom) == numbers(11, 450));
  CHECK(frames.back()["data"]["channels"][kRoom] == json{{"epoch", house.epoch(kRoom)}, {"last_seq", 450}, {"read_seq", nullptr}, {"unread", 7}});
  CHECK(house.missed_loads == 5);
  house.commit(kRoom);
  CHECK(alice.wait_for("message.new")["seq"] == 451);
}

TEST_CASE("resume: what happens while the database is asked comes after what was missed, once", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice"});
  for (int i = 0; i < 30; ++i) house.commit(kRoom);
  WsClient alice = house.ready("alice");
  house.holds_locates = true;
  alice.send(resume_from(house, 0));
  REQUIRE(eventually([&] { return house.holding == 1; }));
  for (int i = 0; i < 10; ++i) house.commit(kRoom);
  house.holds_locates = false;
  auto frames = until_done(alice);
  house.commit(kRoom);
  frames.push_back(alice.wait_for("message.new"));
  CHECK(seqs(frames, kRoom) == numbers(1, 41));
}

TEST_CASE("resume: an event published late, after it was resumed from the database, is not told twice", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice"});
  const auto late = house.commit_silently(kRoom);
  WsClient alice = house.ready("alice");
  alice.send(resume_from(house, 0));
  CHECK(seqs(until_done(alice), kRoom) == numbers(1, 1));
  house.publish(late);
  house.commit(kRoom);
  CHECK(seqs(alice.drain(400ms), kRoom) == numbers(2, 2));
}

TEST_CASE("resume: what cannot be resumed says why", "[api][realtime]") {
  realtime::Options options = House::quick();
  options.max_resume_events = 50;
  House house(options);
  house.make_channel(kRoom, {"alice"});
  for (int i = 0; i < 100; ++i) house.commit(kRoom);
  WsClient alice = house.ready("alice");

  const json too_old = resync_of(alice, house, resume_from(house, 10));
  CHECK(too_old["reason"] == "too_old");
  CHECK(too_old["last_seq"] == 100);
  CHECK(resync_of(alice, house, resume_from(house, 101))["reason"] == "ahead");
  json other = resume_from(house, 90);
  other["channels"][kRoom]["epoch"] = "another";
  CHECK(resync_of(alice, house, other)["epoch"] == house.epoch(kRoom));
  house.purge_events(kRoom);
  CHECK(resync_of(alice, house, resume_from(house, 90))["reason"] == "too_old");

  WsClient mallory = house.ready("mallory");
  CHECK(resync_of(mallory, house, resume_from(house, 90)) == json{{"reason", "not_found"}});
  house.commit(kRoom);
  CHECK(alice.wait_for("message.new")["seq"] == 101);
  CHECK(mallory.drain(50ms).empty());
}

TEST_CASE("resume: with ?resume=1 nothing numbered comes before it", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice", "bob"});
  WsClient bob = house.ready("bob");
  house.commit(kRoom);
  bob.wait_for("message.new");
  WsClient alice = house.ready("alice", "/v1/connect?resume=1");
  for (int i = 0; i < 5; ++i) house.commit(kRoom);
  house.type_in(kRoom, "bob");
  alice.wait_for("typing.start");                         // ephemeral: not held
  SECTION("the command names the channel") {
    alice.send(resume_from(house, 1));
    auto frames = until_done(alice);
    house.commit(kRoom);
    frames.push_back(alice.wait_for("message.new"));
    CHECK(seqs(frames, kRoom) == numbers(2, 7));
  }
  SECTION("the command does not name it") {
    alice.send({{"type", "resume"}, {"channels", json::object()}});
    house.commit(kRoom);
    std::vector<json> frames;
    while (seqs(frames, kRoom).size() < 6) frames.push_back(*alice.next());
    CHECK(seqs(frames, kRoom) == numbers(2, 7));
  }
  SECTION("the command never comes") {
    CHECK(alice.wait_for("message.new")["seq"] == 2);
  }
}

TEST_CASE("resume: a database that is away is said, and the next try succeeds", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice"});
  for (int i = 0; i < 3; ++i) house.commit(kRoom);
  WsClient alice = house.ready("alice");
  house.database_fails = true;
  alice.send(resume_from(house, 0));
  const json error = alice.wait_for("error");
  CHECK(error["data"]["code"] == "unavailable");
  CHECK(error["data"]["retryable"] == true);
  CHECK(error["ref"] == "r");
  house.database_fails = false;
  alice.send(resume_from(house, 0));
  CHECK(seqs(until_done(alice), kRoom) == numbers(1, 3));
}

TEST_CASE("resume: commands that come meanwhile wait their turn, too many are refused", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice"});
  house.commit(kRoom);
  WsClient alice = house.ready("alice");
  house.holds_locates = true;
  alice.send(resume_from(house, 0));
  REQUIRE(eventually([&] { return house.holding == 1; }));
  for (int i = 0; i < 20; ++i) alice.send({{"type", "unwatch"}, {"cids", {kRoom}}, {"ref", std::to_string(i)}});
  alice.send({{"type", "ping"}});
  for (int i = 16; i < 20; ++i) CHECK(alice.wait_for("error")["ref"] == std::to_string(i));
  alice.wait_for("pong");
  house.holds_locates = false;
  alice.wait_for("resume.done");
  for (int i = 0; i < 16; ++i) CHECK(alice.wait_for("unwatch.done")["ref"] == std::to_string(i));
}

TEST_CASE("resume: a server connection resumes any channel", "[api][realtime]") {
  House house;
  house.make_channel(kRoom, {"alice"});
  for (int i = 0; i < 5; ++i) house.commit(kRoom);
  WsClient server = house.ready("server");
  server.send(resume_from(house, 2));
  auto frames = until_done(server);
  CHECK(frames.front()["app"] == house.app().wire());
  for (int i = 0; i < 3; ++i) {
    house.commit(kRoom);
    frames.push_back(server.wait_for("message.new"));
  }
  CHECK(seqs(frames, kRoom) == numbers(3, 8));
}

TEST_CASE("resume: a reader slower than its resume gets all of it, paced", "[api][realtime]") {
  realtime::Options options = House::quick();
  options.max_queue_bytes = 64 * 1024;
  House house(options);
  house.make_channel(kRoom, {"alice"});
  const std::string text(4'000, 'x');
  for (int i = 0; i < 1'000; ++i) {
    house.commit(kRoom, "message.new", [&](bus::Event& event) { event.data = "{\"text\":\"" + text + "\"}"; });
  }
  WsClient alice = house.connect_deaf("alice", 4096);
  alice.send(resume_from(house, 0));
  REQUIRE(eventually([&] { return house.gateway().counts().queued_bytes > 32 * 1024; }));
  CHECK(house.missed_loads < 10);
  CHECK(house.gateway().counts().queued_bytes < 2 * 1024 * 1024);
  alice.go_on();
  CHECK(seqs(until_done(alice), kRoom) == numbers(1, 1'000));
}

// A client as PROTOCOL.md describes it: it applies position + 1, ignores the rest, resumes after every connect.
TEST_CASE("resume: under publishing from many threads and constant reconnecting nobody misses or repeats an event",
          "[api][realtime][order]") {
  realtime::Options options = House::quick();
  options.ring_bytes = 8 * 1024;                          // so that some resumes need the database
  House house(options);
  house.make_channel(kRoom, {"alice", "bob"});
  WsClient bob = house.ready("bob");
  std::atomic<bool> done{false};
  std::atomic<std::int64_t> position{0};
  // Never so far ahead of a slow client that it must resync (too_old).
  constexpr std::int64_t kMostAhead = 500;
  std::vector<std::thread> publishers;
  for (int i = 0; i < 3; ++i) {
    publishers.emplace_back([&, i] {
      std::mt19937 random(static_cast<unsigned>(i));
      while (!done) {
        if (house.last_seq(kRoom) < position + kMostAhead) house.commit(kRoom);
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 2'000));
      }
    });
  }
  std::mt19937 random(7);
  for (int round = 0; round < 24; ++round) {
    // Now and then more is missing than the ring holds: that comes from the database.
    if (round % 6 == 5) REQUIRE(eventually([&] { return house.last_seq(kRoom) > position + 300; }));
    WsClient alice = house.ready("alice", round % 2 == 0 ? "/v1/connect?resume=1" : "/v1/connect");
    alice.send(resume_from(house, position));
    bool resumed = false;
    std::int64_t ignored = 0;
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(5 + random() % 60);
    while (std::chrono::steady_clock::now() < until || !resumed) {
      const auto frame = alice.next();
      REQUIRE(frame);
      REQUIRE((*frame)["type"] != "resync");
      REQUIRE((*frame)["type"] != "error");
      if ((*frame)["type"] == "resume.done") resumed = true;
      if (!frame->contains("seq")) continue;
      const std::int64_t seq = (*frame)["seq"];
      if (seq == position + 1) position = seq;
      else ++ignored;
      if (resumed || round % 2 == 0) REQUIRE(seq == position);
    }
    if (round % 2 == 0) CHECK(ignored == 0);
  }
  done = true;
  for (auto& publisher : publishers) publisher.join();
  for (std::int64_t seq = 1; seq <= house.last_seq(kRoom); ++seq) REQUIRE(bob.wait_for("message.new")["seq"] == seq);
  CHECK(position > 100);
  CHECK(house.missed_loads > 0);
}

}  // namespace chat::test
