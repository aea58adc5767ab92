#include <catch2/catch.hpp>

#include "platform/bus/feed.h"
#include "tests/db/storage/notes.h"

using namespace chat;
using namespace chat::test;
using bus::Event;
using storage::Transaction;

namespace {

Event sample() {
  Event event;
  event.id = *EventId::parse("evt_01h455vb4pex5vsknk084sn02q");
  event.app = *AppId::parse("app_01h455vb4pex5vsknk084sn02q");
  event.type = "message.new";
  event.cid = "team:a";
  event.epoch = "e1";
  event.seq = 7;
  event.created_at = *parse_time("2026-11-21T12:00:00Z");
  event.data = R"({"message":{"text":"hi"}})";
  return event;
}

}  // namespace

TEST_CASE("bus: an event renders as one frame, the application only where it is wanted", "[unit][bus]") {
  const std::string tail =
      R"("id":"evt_01h455vb4pex5vsknk084sn02q","created_at":"2026-11-21T12:00:00.000000Z","data":{"message":{"text":"hi"}}})";
  CHECK(render(sample()) == R"({"type":"message.new","cid":"team:a","seq":7,"epoch":"e1",)" + tail);
  CHECK(render(sample(), true) ==
        R"({"type":"message.new","app":"app_01h455vb4pex5vsknk084sn02q","cid":"team:a","seq":7,"epoch":"e1",)" + tail);
}

TEST_CASE("bus: an ephemeral event has no seq, one about no channel no cid, an empty one an empty object", "[unit][bus]") {
  Event event = sample();
  event.seq = 0;
  event.cid.clear();
  event.data.clear();
  CHECK(render(event) == R"({"type":"message.new","id":"evt_01h455vb4pex5vsknk084sn02q",)"
                         R"("created_at":"2026-11-21T12:00:00.000000Z","data":{}})");
}

TEST_CASE("bus: texts are escaped", "[unit][bus]") {
  Event event = sample();
  event.cid = "team:\"\\\n";
  CHECK(render(event).find(R"("cid":"team:\"\\\n")") != std::string::npos);
}

TEST_CASE("bus: an emitted event reaches every subscriber after the commit, and nobody after a rollback", "[db][bus]") {
  Notes notes;
  auto local = bus::make_local_bus();
  std::vector<std::string> seen;
  local->subscribe([&](bus::Bus::Events events) { seen.push_back(events.front()->type + " " + notes.count()); }, {});
  local->subscribe([&](bus::Bus::Events) { seen.push_back("second"); },
                   [&](const bus::Bus::Control& control) { seen.push_back(control.word); });
  notes.write([&](Transaction& tx) {
    tx.run(kAddNote, notes.app, 1, "one");
    emit(tx, *local, sample());
    CHECK(seen.empty());
  });
  refusal([&] {
    notes.write([&](Transaction& tx) {
      emit(tx, *local, sample());
      throw forbidden("no");
    });
  });
  local->control({"application.changed", notes.app, ""});
  CHECK(seen == std::vector<std::string>{"message.new 1", "second", "application.changed"});
}
