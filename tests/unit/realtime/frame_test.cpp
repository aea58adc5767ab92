#include <catch2/catch.hpp>

#include <random>

#include "platform/realtime/frame.h"

namespace chat::realtime {
namespace {

struct Read {
  std::vector<std::pair<Opcode, std::string>> messages;
  std::optional<Violation> violation;
};

// What a client sends: masked, in any pieces.
std::string client_frame(int first_byte, std::string_view payload, std::uint32_t mask = 0x37fa213d) {
  std::string out(1, static_cast<char>(first_byte));
  std::string plain = encode_frame(Opcode::text, payload);
  const std::size_t header = plain.size() - payload.size();
  plain[1] = static_cast<char>(plain[1] | 0x80);
  out.append(plain, 1, header - 1);
  std::string key;
  for (int shift = 24; shift >= 0; shift -= 8) key.push_back(static_cast<char>(mask >> shift));
  out += key;
  for (std::size_t i = 0; i < payload.size(); ++i) out.push_back(static_cast<char>(payload[i] ^ key[i % 4]));
  return out;
}

Read read_in_pieces(const std::string& bytes, const std::vector<std::size_t>& cuts, std::size_t max_bytes = 1 << 20) {
  FrameReader reader(max_bytes);
  Read read;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= cuts.size() && !read.violation; ++i) {
    const std::size_t to = i < cuts.size() ? cuts[i] : bytes.size();
    std::string piece = bytes.substr(from, to - from);
    read.violation = reader.feed(piece.data(), piece.size(), [&](const Message& message) {
      read.messages.emplace_back(message.opcode, std::string(message.payload));
      return true;
    });
    from = to;
  }
  return read;
}

Read read_whole(const std::string& bytes, std::size_t max_bytes = 1 << 20) { return read_in_pieces(bytes, {}, max_bytes); }

std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out.push_back(static_cast<char>(value));
  return out;
}

std::uint16_t violation_of(const std::string& input, std::size_t max_bytes = 1 << 20) {
  const Read read = read_whole(input, max_bytes);
  return read.violation ? read.violation->code : std::uint16_t{0};
}

}  // namespace

TEST_CASE("frame: the examples of RFC 6455 section 5.7 are read and written", "[unit][realtime]") {
  CHECK(encode_frame(Opcode::text, "Hello") == bytes({0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}));
  CHECK(encode_frame(Opcode::ping, "Hello") == bytes({0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f}));
  CHECK(encode_frame(Opcode::binary, std::string(256, 'x')).substr(0, 4) == bytes({0x82, 0x7E, 0x01, 0x00}));
  CHECK(encode_frame(Opcode::binary, std::string(65536, 'x')).substr(0, 10) ==
        bytes({0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0}));

  const auto hello = bytes({0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58});
  const Read read = read_whole(hello);
  REQUIRE(read.messages.size() == 1);
  CHECK(read.messages[0] == std::pair(Opcode::text, std::string("Hello")));
}

TEST_CASE("frame: lengths at the borders of their three forms survive", "[unit][realtime]") {
  for (const std::size_t size : {0u, 1u, 125u, 126u, 127u, 65535u, 65536u, 70000u}) {
    const std::string payload(size, 'a');
    const Read read = read_whole(client_frame(0x82, payload));
    REQUIRE(read.messages.size() == 1);
    CHECK(read.messages[0].second == payload);
  }
}

TEST_CASE("frame: cutting the stream anywhere changes nothing", "[unit][realtime]") {
  const std::string stream = client_frame(0x01, "Hel") + client_frame(0x89, "ping") + client_frame(0x80, "lo") +
                             client_frame(0x81, std::string(200, 'z')) + client_frame(0x82, bytes({0, 255, 1})) +
                             client_frame(0x88, bytes({0x03, 0xE8}) + "bye");
  const Read expected = read_whole(stream);
  REQUIRE(expected.messages.size() == 5);
  CHECK(expected.messages[0] == std::pair(Opcode::ping, std::string("ping")));
  CHECK(expected.messages[1] == std::pair(Opcode::text, std::string("Hello")));
  for (std::size_t cut = 1; cut < stream.size(); ++cut) CHECK(read_in_pieces(stream, {cut}).messages == expected.messages);
  std::vector<std::size_t> every_byte;
  for (std::size_t cut = 1; cut < stream.size(); ++cut) every_byte.push_back(cut);
  CHECK(read_in_pieces(stream, every_byte).messages == expected.messages);
}

TEST_CASE("frame: random streams in random pieces equal the messages they were made of", "[unit][realtime]") {
  std::mt19937 random(20261121);
  for (int round = 0; round < 300; ++round) {
    std::string stream;
    std::vector<std::pair<Opcode, std::string>> expected;
    for (int i = 0; i < 8; ++i) {
      std::string payload(random() % 400, '\0');
      for (auto& c : payload) c = static_cast<char>('a' + random() % 26);
      const auto fragments = 1 + random() % 4;
      std::size_t from = 0;
      for (unsigned part = 0; part < fragments; ++part) {
        const bool last = part + 1 == fragments;
        const std::size_t size = last ? payload.size() - from : random() % (payload.size() - from + 1);
        stream += client_frame((last ? 0x80 : 0) | (part == 0 ? 1 : 0), payload.substr(from, size), static_cast<std::uint32_t>(random()));
        from += size;
        if (!last && random() % 2 == 0) {
          stream += client_frame(0x8A, "p", static_cast<std::uint32_t>(random()));
          expected.emplace_back(Opcode::pong, "p");
        }
      }
      expected.emplace_back(Opcode::text, payload);
    }
    std::vector<std::size_t> cuts;
    for (std::size_t at = random() % 50; at < stream.size(); at += 1 + random() % 300) cuts.push_back(at);
    const Read read = read_in_pieces(stream, cuts);
    CHECK(!read.violation);
    CHECK(read.messages == expected);
  }
}

TEST_CASE("frame: what RFC 6455 forbids is refused with its code", "[unit][realtime]") {
  CHECK(violation_of(encode_frame(Opcode::text, "unmasked")) == 1002);
  CHECK(violation_of(client_frame(0xC1, "rsv1")) == 1002);
  CHECK(violation_of(client_frame(0x91, "rsv3")) == 1002);
  CHECK(violation_of(client_frame(0x83, "opcode 3")) == 1002);
  CHECK(violation_of(client_frame(0x8B, "opcode 11")) == 1002);
  CHECK(violation_of(client_frame(0x09, "fragmented ping")) == 1002);
  CHECK(violation_of(client_frame(0x89, std::string(126, 'x'))) == 1002);
  CHECK(violation_of(client_frame(0x80, "continues nothing")) == 1002);
  CHECK(violation_of(client_frame(0x01, "open") + client_frame(0x81, "another")) == 1002);
  CHECK(violation_of(client_frame(0x88, "x")) == 1002);
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 2999, 5000}) {
    CHECK(violation_of(client_frame(0x88, bytes({code >> 8, code & 0xff}))) == 1002);
  }
  CHECK(violation_of(client_frame(0x88, bytes({0x0F, 0xA0}) + "\xff")) == 1007);
  CHECK(violation_of(client_frame(0x81, "\xc3\x28")) == 1007);
  CHECK(violation_of(client_frame(0x01, "\xc3") + client_frame(0x80, "(")) == 1007);
}

TEST_CASE("frame: a character cut by fragments is whole again", "[unit][realtime]") {
  const Read read = read_whole(client_frame(0x01, "\xc3") + client_frame(0x80, "\xa9"));
  REQUIRE(read.messages.size() == 1);
  CHECK(read.messages[0].second == "\xc3\xa9");
}

TEST_CASE("frame: a length in a longer form than needed is refused", "[unit][realtime]") {
  CHECK(violation_of(bytes({0x81, 0xFE, 0x00, 0x05, 0, 0, 0, 0}) + "Hello") == 1002);
  CHECK(violation_of(bytes({0x81, 0xFF, 0, 0, 0, 0, 0, 0, 0x00, 0xFF, 0, 0, 0, 0})) == 1002);
  CHECK(violation_of(bytes({0x81, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0})) == 1009);
}

TEST_CASE("frame: a message that is too large is refused before its payload arrives", "[unit][realtime]") {
  CHECK(violation_of(client_frame(0x81, std::string(101, 'x')).substr(0, 8), 100) == 1009);
  CHECK(violation_of(client_frame(0x01, std::string(60, 'x')) + client_frame(0x80, std::string(41, 'x')).substr(0, 8), 100) == 1009);
  CHECK(read_whole(client_frame(0x81, std::string(100, 'x')), 100).messages.size() == 1);
}

TEST_CASE("frame: nothing is kept while no message is open", "[unit][realtime]") {
  FrameReader reader(1 << 20);
  const std::string frame = client_frame(0x01, std::string(5000, 'x')) + client_frame(0x80, std::string(5000, 'x'));
  for (const std::size_t cut : {std::size_t{1}, std::size_t{3000}, std::size_t{7000}, frame.size()}) {
    std::string head = frame.substr(0, cut), tail = frame.substr(cut);
    const auto ignore = [](const Message&) { return true; };
    REQUIRE(!reader.feed(head.data(), head.size(), ignore));
    if (!tail.empty()) REQUIRE(!reader.feed(tail.data(), tail.size(), ignore));
    CHECK(reader.buffered_bytes() <= 2 * std::string().capacity());
  }
}

TEST_CASE("frame: a listener that stops hears no further message", "[unit][realtime]") {
  FrameReader reader(1 << 20);
  std::string stream = client_frame(0x81, "one") + client_frame(0x81, "two");
  int heard = 0;
  reader.feed(stream.data(), stream.size(), [&](const Message&) { return ++heard < 1; });
  CHECK(heard == 1);
}

TEST_CASE("frame: a close reason is cut to what fits, between characters", "[unit][realtime]") {
  const std::string frame = encode_close(4506, std::string(122, 'x') + "\xc3\xa9");
  CHECK(frame.size() == 2 + 2 + 122);
  CHECK(frame.substr(0, 4) == bytes({0x88, 124, 4506 >> 8, 4506 & 0xff}));
  CHECK(encode_close(1000, "bye") == bytes({0x88, 5, 0x03, 0xE8}) + "bye");
}

}  // namespace chat::realtime
