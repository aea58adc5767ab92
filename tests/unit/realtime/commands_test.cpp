#include <catch2/catch.hpp>

#include "platform/realtime/commands.h"

namespace chat::realtime {
namespace {

const Options kOptions;

template <class What>
What good(std::string_view text) {
  auto parsed = parse_command(text, kOptions);
  REQUIRE(std::holds_alternative<Parsed>(parsed));
  return std::get<What>(std::get<Parsed>(parsed).command);
}

Code refusal(std::string_view text, const Options& options = kOptions) {
  auto parsed = parse_command(text, options);
  REQUIRE(std::holds_alternative<Refused>(parsed));
  return std::get<Refused>(parsed).error.code();
}

bool is_garbage(std::string_view text) { return std::holds_alternative<Garbage>(parse_command(text, kOptions)); }

}  // namespace

TEST_CASE("commands: each command is understood", "[unit][realtime]") {
  good<PingCommand>(R"({"type":"ping"})");
  const auto auth = good<AuthCommand>(R"({"type":"auth","api_key":"k","token":"t"})");
  CHECK(auth.api_key == "k");
  CHECK(auth.token == "t");
  const auto resume = good<ResumeCommand>(R"({"type":"resume","channels":{"messaging:general":{"epoch":"e1","seq":41}}})");
  REQUIRE(resume.channels.size() == 1);
  CHECK(resume.channels[0].cid == "messaging:general");
  CHECK(resume.channels[0].seq == 41);
  CHECK(good<ResumeCommand>(R"({"type":"resume","channels":{}})").channels.empty());
  const auto part = good<SyncAsk>(R"({"type":"sync","channels":{"a:c":{"epoch":"e","seq":1}},"after":"a:b","until":"a:c"})");
  CHECK(part.after == "a:b");
  CHECK(part.until == "a:c");
  CHECK(refusal(R"({"type":"sync","channels":{"a:c":{"epoch":"e","seq":1}},"after":"a:c"})") == Code::invalid_field);
  CHECK(refusal(R"({"type":"sync","channels":{"a:c":{"epoch":"e","seq":1}},"until":"a:b"})") == Code::invalid_field);
  CHECK(good<WatchCommand>(R"({"type":"watch","cids":["a:b","a:c","a:b"]})").cids.size() == 2);
  CHECK(good<UnwatchCommand>(R"({"type":"unwatch","cids":["a:b"]})").cids.size() == 1);
  CHECK(good<Typing>(R"({"type":"typing.start","cid":"a:b","parent_id":"m"})").parent_id == "m");
  CHECK(good<Typing>(R"({"type":"typing.stop","cid":"a:b"})").stops);
  const auto sync = good<SyncAsk>(R"({"type":"sync","channels":{"a:b":{"epoch":"e","seq":1,"read_seq":0},"a:c":{"epoch":"e","seq":2}},"next":"n"})");
  REQUIRE(sync.known.size() == 2);
  CHECK(sync.known[0].read_seq == 0);
  CHECK_FALSE(sync.known[1].read_seq);
  CHECK(sync.next == "n");
  CHECK(good<SyncAsk>(R"({"type":"sync"})").known.empty());
  CHECK(good<PresenceCommand>(R"({"type":"presence","user_ids":["b","a","b"]})").user_ids == std::vector<std::string>{"a", "b"});
  CHECK(good<PresenceCommand>(R"({"type":"presence","user_ids":[]})").user_ids.empty());
  CHECK(good<StatusCommand>(R"({"type":"status","status":"away"})").away);
}

TEST_CASE("commands: a ref is kept, also by a refusal", "[unit][realtime]") {
  CHECK(std::get<Parsed>(parse_command(R"({"type":"ping","ref":"7"})", kOptions)).ref == "7");
  CHECK(std::get<Refused>(parse_command(R"({"type":"watch","ref":"8"})", kOptions)).ref == "8");
}

TEST_CASE("commands: garbage is told from mistakes", "[unit][realtime]") {
  for (const char* text : {"", "hello", "[]", "42", "{}", R"({"type":1})", R"({"type":"dance"})", R"({"type":"ping")",
                           R"({"type":"ping","type":"ping"})"}) {
    CAPTURE(text);
    CHECK(is_garbage(text));
  }
  CHECK(refusal(R"({"type":"ping","colour":1})") == Code::unknown_field);
  CHECK(refusal(R"({"type":"auth","api_key":"k"})") == Code::invalid_field);
  CHECK(refusal(R"({"type":"resume"})") == Code::invalid_field);
  CHECK(refusal(R"({"type":"resume","channels":{"a:b":{"epoch":"e","seq":-1}}})") == Code::invalid_field);
  CHECK(refusal(R"({"type":"resume","channels":{"a:b":{"epoch":"e","seq":1,"x":2}}})") != Code::internal);
  CHECK(refusal(R"({"type":"resume","channels":{"a:b":7}})") == Code::invalid_field);
  CHECK(refusal(R"({"type":"resume","channels":{"a:b":{"epoch":"e","seq":1,"read_seq":2}}})") == Code::unknown_field);
  CHECK(refusal(R"({"type":"presence"})") == Code::invalid_field);
  CHECK(refusal(R"({"type":"status","status":"busy"})") == Code::invalid_field);
  CHECK(refusal(R"({"type":"typing.start"})") == Code::invalid_field);
  CHECK(refusal(R"({"type":"watch","cids":[]})") == Code::invalid_field);
  CHECK(refusal(R"({"type":"watch","cids":["a:b"],"ref":5})") == Code::invalid_field);
}

TEST_CASE("commands: a resume of too many channels is refused", "[unit][realtime]") {
  Options few;
  few.max_resume_channels = 1;
  CHECK(refusal(R"({"type":"resume","channels":{"a:b":{"epoch":"e","seq":1},"a:c":{"epoch":"e","seq":1}}})", few) ==
        Code::invalid_field);
}

}  // namespace chat::realtime
