#include "platform/base/id.h"

#include <catch2/catch.hpp>
#include <set>
#include <thread>
#include <unordered_set>
#include <vector>

using namespace chat;
using std::chrono::milliseconds;

namespace {
Uuid uuid(std::string_view text) {
  const auto parsed = Uuid::parse(text);
  REQUIRE(parsed.has_value());
  return *parsed;
}
Timestamp ms(std::int64_t since_1970) { return Timestamp{milliseconds{since_1970}}; }
}  // namespace

TEST_CASE("id: the TypeID specification's valid vectors go both ways", "[unit][base][id]") {
  struct Row {
    const char* prefix;
    const char* wire;
    const char* uuid;
  };
  const Row rows[] = {
      {"", "00000000000000000000000000", "00000000-0000-0000-0000-000000000000"},
      {"", "00000000000000000000000001", "00000000-0000-0000-0000-000000000001"},
      {"", "0000000000000000000000000a", "00000000-0000-0000-0000-00000000000a"},
      {"", "0000000000000000000000000g", "00000000-0000-0000-0000-000000000010"},
      {"", "00000000000000000000000010", "00000000-0000-0000-0000-000000000020"},
      {"", "7zzzzzzzzzzzzzzzzzzzzzzzzz", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
      {"prefix", "prefix_0123456789abcdefghjkmnpqrs", "0110c853-1d09-52d8-d73e-1194e95b5f19"},
      {"prefix", "prefix_01h455vb4pex5vsknk084sn02q", "01890a5d-ac96-774b-bcce-b302099a8057"},
      {"pre_fix", "pre_fix_00000000000000000000000000", "00000000-0000-0000-0000-000000000000"},
  };
  for (const Row& row : rows) {
    INFO(row.wire);
    CHECK(typeid_text(row.prefix, uuid(row.uuid)) == row.wire);
    const auto parsed = parse_typeid(row.prefix, row.wire);
    REQUIRE(parsed.has_value());
    CHECK(parsed->text() == row.uuid);
  }
}

TEST_CASE("id: the TypeID specification's invalid vectors are refused", "[unit][base][id]") {
  const std::string long_prefix(64, 'a');
  const std::pair<std::string, std::string> rows[] = {
      {"PREFIX", "PREFIX_00000000000000000000000000"},
      {"12345", "12345_00000000000000000000000000"},
      {"pre.fix", "pre.fix_00000000000000000000000000"},
      {"préfix", "préfix_00000000000000000000000000"},
      {"  prefix", "  prefix_00000000000000000000000000"},
      {long_prefix, long_prefix + "_00000000000000000000000000"},
      {"", "_00000000000000000000000000"},
      {"", "_"},
      {"prefix", "prefix_1234567890123456789012345"},
      {"prefix", "prefix_123456789012345678901234567"},
      {"prefix", "prefix_1234567890123456789012345 "},
      {"prefix", "prefix_0123456789ABCDEFGHJKMNPQRS"},
      {"prefix", "prefix_123456789-123456789-123456"},
      {"prefix", "prefix_ooooooiiiiiiuuuuuuulllllll"},
      {"prefix", "prefix_i23456789ol23456789oi23456"},
      {"prefix", "prefix_123456789-0123456789-012345"},
      {"prefix", "prefix_8zzzzzzzzzzzzzzzzzzzzzzzzz"},
      {"_prefix", "_prefix_00000000000000000000000000"},
      {"prefix_", "prefix__00000000000000000000000000"},
      {"", ""},
  };
  for (const auto& [prefix, wire] : rows) {
    INFO(wire);
    CHECK_FALSE(parse_typeid(prefix, wire).has_value());
  }
}

TEST_CASE("id: an id of another kind, or without its prefix, is refused", "[unit][base][id]") {
  const MessageId message = MessageId::make(ms(1'700'000'000'000));
  CHECK(message.wire().starts_with("msg_"));
  CHECK(MessageId::parse(message.wire()) == message);
  CHECK_FALSE(UserId::parse(message.wire()).has_value());
  CHECK_FALSE(MessageId::parse(message.wire().substr(4)).has_value());
  CHECK_FALSE(MessageId::parse(message.text()).has_value());
  CHECK_FALSE(MessageId::parse("msg-" + message.wire().substr(4)).has_value());
}

TEST_CASE("id: only the SQL form of a uuid is read", "[unit][base][id]") {
  CHECK(uuid("01890a5d-ac96-774b-bcce-b302099a8057").text() == "01890a5d-ac96-774b-bcce-b302099a8057");
  for (const char* text : {"", "01890a5dac96774bbcceb302099a8057", "{01890a5d-ac96-774b-bcce-b302099a8057}",
                           "01890A5D-AC96-774B-BCCE-B302099A8057", "01890a5d-ac96-774b-bcce-b302099a805",
                           "01890a5d-ac96-774b-bcce-b302099a80570", "01890a5d_ac96_774b_bcce_b302099a8057",
                           "g1890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcceb-302099a8057"}) {
    INFO(text);
    CHECK_FALSE(Uuid::parse(text).has_value());
  }
}

TEST_CASE("id: a new uuid is a version 7 of its millisecond", "[unit][base][id]") {
  const Timestamp now = ms(1'795'262'400'123);
  const Uuid made = new_uuid7(now);
  CHECK(made.bytes[6] >> 4 == 7);
  CHECK(made.bytes[8] >> 6 == 2);
  CHECK(time_of(made) == now);
  CHECK(first_uuid7_at(now) <= made);
  CHECK(first_uuid7_at(now + milliseconds{1}) > made);
  CHECK(first_uuid7_at(now).text() == "01a1fdfa-467b-7000-8000-000000000000");
}

TEST_CASE("id: ids only grow, also in one millisecond and when the clock steps back", "[unit][base][id]") {
  Uuid last = new_uuid7(ms(1'800'000'000'000));
  for (int i = 0; i < 100'000; ++i) {
    const Uuid next = new_uuid7(ms(1'800'000'000'000 - i % 1000));
    REQUIRE(next > last);
    last = next;
  }
  CHECK(time_of(last) == ms(1'800'000'000'000));
}

TEST_CASE("id: ids of one millisecond cannot be guessed from each other", "[unit][base][id]") {
  std::set<std::string> steps;
  for (int i = 0; i < 64; ++i) steps.insert(new_uuid7(ms(1'810'000'000'000)).text().substr(28));
  CHECK(steps.size() == 64);
}

TEST_CASE("id: nothing made after a floor is below it", "[unit][base][id]") {
  const Uuid floor = first_uuid7_at(ms(1'900'000'000'000));
  raise_uuid7_floor(floor);
  const Uuid next = new_uuid7(ms(1'820'000'000'000));
  CHECK(next > floor);
  raise_uuid7_floor(first_uuid7_at(ms(1'000)));
  CHECK(new_uuid7(ms(1'820'000'000'000)) > next);
}

TEST_CASE("id: a floor inside the counter carries over without a repeat", "[unit][base][id]") {
  const Uuid floor = uuid("01ffffff-ffff-7fff-bfff-ffffffffffff");
  raise_uuid7_floor(floor);
  const Uuid next = new_uuid7(ms(1'820'000'000'000));
  CHECK(next > floor);
  CHECK(next.bytes[6] >> 4 == 7);
  CHECK(next.bytes[8] >> 6 == 2);
}

TEST_CASE("id: threads never get the same id, and each sees its own grow", "[unit][base][id]") {
  constexpr std::size_t kEach = 20'000;
  std::vector<std::vector<Uuid>> made(4);
  std::vector<std::thread> threads;
  for (auto& own : made) {
    threads.emplace_back([&own] {
      for (std::size_t i = 0; i < kEach; ++i) own.push_back(new_uuid7(ms(1'830'000'000'000)));
    });
  }
  for (auto& thread : threads) thread.join();
  std::unordered_set<Uuid> all;
  for (const auto& own : made) {
    CHECK(std::is_sorted(own.begin(), own.end()));
    all.insert(own.begin(), own.end());
  }
  CHECK(all.size() == 4 * kEach);
}

TEST_CASE("id: times before 1970 count as 1970", "[unit][base][id]") {
  CHECK(first_uuid7_at(ms(-1)).text() == "00000000-0000-7000-8000-000000000000");
}
