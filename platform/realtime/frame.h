#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// RFC 6455 frames, the server's side: reads masked client frames, writes unmasked ones. Pure: no sockets, no threads.
///
///   frame   = FIN+RSV+opcode(1) MASK+length(1) [length16(2) | length64(8)] [mask(4)] payload
///   opcode  = 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong
///
/// Source:  RFC 6455 section 5; ops/decisions/0003-own-websocket-writer.md
namespace chat::realtime {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

/// A whole frame as it goes over the wire, header included. Made once, shared by every socket that gets it.
using Bytes = std::shared_ptr<const std::string>;

std::string encode_frame(Opcode opcode, std::string_view payload);
Bytes share_frame(Opcode opcode, std::string_view payload);
/// `reason` is cut to the 123 bytes that a close frame can carry, never inside a UTF-8 character.
std::string encode_close(std::uint16_t code, std::string_view reason);

/// Why a client's bytes cannot be read any further.
struct Violation {
  std::uint16_t code = 1002;   // 1002 protocol, 1007 not UTF-8, 1009 too large
  std::string_view why;        // fixed text
};

/// A control frame, or a data message put together from its fragments.
struct Message {
  Opcode opcode = Opcode::text;     // text, binary, close, ping, pong
  std::string_view payload;         // unmasked; valid during the call only
};

/// Cuts a stream of client bytes into messages. Keeps memory only while a message is incomplete.
///
/// Errors:  Violation for: no mask, RSV bits, unknown opcode, longer length form than needed, fragmented or long control frame,
///          continuation without a start, new message inside a fragmented one, text or close reason that is not UTF-8,
///          close code that may not be sent, a message above max_bytes (seen from the header, before it is buffered).
/// Cost:    unmasks in place; copies only what is incomplete.
class FrameReader {
 public:
  explicit FrameReader(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  /// False stops the reading; what is left of the bytes is dropped.
  using OnMessage = std::function<bool(const Message&)>;

  /// Takes the next bytes, which it may change. After a violation it must not be called again.
  std::optional<Violation> feed(char* bytes, std::size_t size, const OnMessage& on_message);

  [[nodiscard]] std::size_t buffered_bytes() const { return pending_.capacity() + fragments_.capacity(); }

 private:
  struct Header {
    bool final = false;
    Opcode opcode{};
    std::size_t header_bytes = 0;
    std::size_t payload_bytes = 0;
  };
  enum class Step { taken, incomplete, stopped, refused };

  Step take_one(char*& at, const char* end, const OnMessage& on_message);
  std::optional<Header> read_header(const char* at, std::size_t size);
  Step take_data(const Header& header, std::string_view payload, const OnMessage& on_message);
  Step take_control(const Header& header, std::string_view payload, const OnMessage& on_message);
  Step refuse(std::uint16_t code, std::string_view why);

  std::size_t max_bytes_;
  std::string pending_;        // an incomplete frame
  std::string fragments_;      // payload of a fragmented message so far
  Opcode fragmented_{};        // its opcode; continuation: none is open
  std::optional<Violation> violation_;
};

}  // namespace chat::realtime
