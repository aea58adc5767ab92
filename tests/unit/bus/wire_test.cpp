#include <catch2/catch.hpp>

#include "platform/bus/wire.h"

namespace chat::bus {
namespace {

std::shared_ptr<const Event> full_event() {
  auto event = std::make_shared<Event>();
  event->created_at = *parse_time("2026-11-28T04:00:00.123456Z");
  event->id = EventId::make(event->created_at);
  event->app = AppId::make(event->created_at);
  event->type = "message.new";
  event->reach = Reach::channel;
  event->channel = ChannelId::make(event->created_at);
  event->cid = "messaging:general";
  event->epoch = "k3v9";
  event->seq = 1'234'567'890'123;
  event->user_id = "alice";
  event->data = std::string("{\"text\":\"nul \0 and \xf0\x9f\x91\x8b\"}", 24);
  event->joined = {"bob", ""};
  event->except = {"eve"};
  event->left = {"carol"};
  return event;
}

void same(const Event& a, const Event& b) {
  CHECK(a.id == b.id);
  CHECK(a.app == b.app);
  CHECK(a.type == b.type);
  CHECK(a.reach == b.reach);
  CHECK(a.channel == b.channel);
  CHECK(a.cid == b.cid);
  CHECK(a.epoch == b.epoch);
  CHECK(a.seq == b.seq);
  CHECK(a.user_id == b.user_id);
  CHECK(a.created_at == b.created_at);
  CHECK(a.data == b.data);
  CHECK(a.joined == b.joined);
  CHECK(a.except == b.except);
  CHECK(a.left == b.left);
}

std::vector<std::string> one_of_each() {
  const SharedEvents events{full_event()};
  return {pack("a", events), pack("a", 7, {"application.changed", AppId::make(system_clock().now()), "suspended"}), pack("a", Known{"b", 300}),
          pack("a", AskRepeat{std::chrono::milliseconds(1'500)}), pack("a", "b", Bus::Events(events)), pack("a", "b", Bus::Missed{true})};
}

}  // namespace

TEST_CASE("bus wire: events come back as they were, in their order", "[unit][bus]") {
  auto devices = std::make_shared<Event>();
  devices->reach = Reach::devices;
  const SharedEvents events{full_event(), devices, full_event()};
  const auto packet = unpack(pack("node-1", events));
  REQUIRE(packet);
  CHECK(packet->from == "node-1");
  const auto& back = std::get<SharedEvents>(packet->body);
  REQUIRE(back.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) same(*events[i], *back[i]);
  const auto repeated = unpack(pack("node-1", "node-2", Bus::Events(events)));
  CHECK(std::get<Repeated>(repeated->body).to == "node-2");
  CHECK(std::get<Repeated>(repeated->body).events.size() == 3);
}

TEST_CASE("bus wire: words, acknowledgements and questions come back as they were", "[unit][bus]") {
  const auto app = AppId::make(system_clock().now());
  const auto told = std::get<Told>(unpack(pack("a", 200, {"application.changed", app, "user_banned x"}))->body);
  CHECK(told.number == 200);
  CHECK(told.control.word == "application.changed");
  CHECK(told.control.app == app);
  CHECK(told.control.detail == "user_banned x");
  const auto known = std::get<Known>(unpack(pack("a", Known{"b", 1'000'000}))->body);
  CHECK(known.to == "b");
  CHECK(known.number == 1'000'000);
  CHECK(std::get<AskRepeat>(unpack(pack("a", AskRepeat{std::chrono::milliseconds(1'500)}))->body).since.count() == 1'500);
  const auto again = std::get<LookAgain>(unpack(pack("a", "", Bus::Missed{true}))->body);
  CHECK(again.to.empty());
  CHECK(again.missed.events);
}

TEST_CASE("bus wire: what is cut, too long or of another version is no packet", "[unit][bus]") {
  for (const auto& whole : one_of_each()) {
    REQUIRE(unpack(whole));
    for (std::size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(unpack(std::string_view(whole).substr(0, size)));
    CHECK_FALSE(unpack(whole + "x"));
    auto newer = whole;
    newer[0] = 2;
    CHECK_FALSE(unpack(newer));
  }
  CHECK_FALSE(unpack(std::string("\x01\x01" "aE\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 14)));   // more events than bytes
  CHECK_FALSE(unpack(std::string("\x01\x01" "aZ", 4)));
}

}  // namespace chat::bus
