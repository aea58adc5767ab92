#include "platform/realtime/frame.h"

#include <cstring>

#include "platform/base/text.h"

namespace chat::realtime {
namespace {

constexpr std::size_t kMaxControlPayload = 125;
constexpr std::size_t kMaskBytes = 4;

bool is_control(Opcode opcode) { return static_cast<std::uint8_t>(opcode) >= 8; }

bool is_known(std::uint8_t opcode) { return opcode <= 2 || (opcode >= 8 && opcode <= 10); }

// RFC 6455 7.4: 1004-1006 and 1015 are never sent; 1000-2999 only as registered (up to 1014); 3000-4999 are free.
bool may_be_sent(std::uint16_t code) {
  if (code >= 3000) return code < 5000;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

void unmask(char* payload, std::size_t size, const char* mask) {
  std::uint64_t wide = 0;
  for (std::size_t i = 0; i < sizeof wide; i += kMaskBytes) {
    std::memcpy(reinterpret_cast<char*>(&wide) + i, mask, kMaskBytes);
  }
  std::size_t i = 0;
  for (; i + sizeof wide <= size; i += sizeof wide) {
    std::uint64_t block = 0;
    std::memcpy(&block, payload + i, sizeof block);
    block ^= wide;
    std::memcpy(payload + i, &block, sizeof block);
  }
  for (; i < size; ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % kMaskBytes]);
}

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
}

std::uint64_t big_endian(const char* at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(at[i]);
  return value;
}

void release(std::string& buffer) { std::string().swap(buffer); }

}  // namespace

std::string encode_frame(Opcode opcode, std::string_view payload) {
  std::string out;
  out.reserve(payload.size() + 10);
  out.push_back(static_cast<char>(0x80 | static_cast<std::uint8_t>(opcode)));
  if (payload.size() < 126) {
    out.push_back(static_cast<char>(payload.size()));
  } else if (payload.size() <= 0xffff) {
    out.push_back(126);
    append_big_endian(out, payload.size(), 2);
  } else {
    out.push_back(127);
    append_big_endian(out, payload.size(), 8);
  }
  out.append(payload);
  return out;
}

Bytes share_frame(Opcode opcode, std::string_view payload) {
  return std::make_shared<const std::string>(encode_frame(opcode, payload));
}

std::string encode_close(std::uint16_t code, std::string_view reason) {
  std::string payload;
  append_big_endian(payload, code, 2);
  std::size_t size = std::min(reason.size(), kMaxControlPayload - 2);
  while (size > 0 && size < reason.size() && (reason[size] & 0xC0) == 0x80) --size;
  payload.append(reason.substr(0, size));
  return encode_frame(Opcode::close, payload);
}

std::optional<Violation> FrameReader::feed(char* bytes, std::size_t size, const OnMessage& on_message) {
  std::string joined;
  if (!pending_.empty()) {
    pending_.append(bytes, size);
    joined.swap(pending_);
    bytes = joined.data();
    size = joined.size();
  }
  char* at = bytes;
  const char* end = bytes + size;
  Step step = Step::taken;
  while (step == Step::taken && at != end) step = take_one(at, end, on_message);
  if (step == Step::refused) return violation_;
  if (step == Step::incomplete) {
    if (at == joined.data()) pending_.swap(joined);   // keeps what append has reserved: dribbled bytes cost no copies
    else pending_.assign(at, static_cast<std::size_t>(end - at));
  }
  return std::nullopt;
}

FrameReader::Step FrameReader::refuse(std::uint16_t code, std::string_view why) {
  violation_ = Violation{code, why};
  release(pending_);
  release(fragments_);
  return Step::refused;
}

std::optional<FrameReader::Header> FrameReader::read_header(const char* at, std::size_t size) {
  const auto first = static_cast<std::uint8_t>(at[0]);
  Header header;
  header.final = (first & 0x80) != 0;
  if ((first & 0x70) != 0) return refuse(1002, "reserved bits are set"), std::nullopt;
  if (!is_known(first & 0x0F)) return refuse(1002, "unknown opcode"), std::nullopt;
  header.opcode = static_cast<Opcode>(first & 0x0F);
  if (size < 2) return std::nullopt;

  const auto second = static_cast<std::uint8_t>(at[1]);
  if ((second & 0x80) == 0) return refuse(1002, "a client's frame must be masked"), std::nullopt;
  std::uint64_t length = second & 0x7F;
  const std::size_t extended = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (is_control(header.opcode) && (extended != 0 || !header.final)) {
    return refuse(1002, "a control frame must be short and whole"), std::nullopt;
  }
  if (size < 2 + extended) return std::nullopt;
  if (extended != 0) {
    length = big_endian(at + 2, extended);
    if (length <= (extended == 2 ? 125u : 0xffffu)) return refuse(1002, "length is not in its shortest form"), std::nullopt;
  }
  if (!is_control(header.opcode) && (length > max_bytes_ || length + fragments_.size() > max_bytes_)) {
    return refuse(1009, "message is too large"), std::nullopt;
  }
  header.header_bytes = 2 + extended + kMaskBytes;
  header.payload_bytes = static_cast<std::size_t>(length);
  return header;
}

FrameReader::Step FrameReader::take_one(char*& at, const char* end, const OnMessage& on_message) {
  const auto available = static_cast<std::size_t>(end - at);
  const auto header = read_header(at, available);
  if (violation_) return Step::refused;
  if (!header || available < header->header_bytes + header->payload_bytes) return Step::incomplete;
  char* payload = at + header->header_bytes;
  unmask(payload, header->payload_bytes, payload - kMaskBytes);
  at = payload + header->payload_bytes;
  const std::string_view view(payload, header->payload_bytes);
  return is_control(header->opcode) ? take_control(*header, view, on_message) : take_data(*header, view, on_message);
}

FrameReader::Step FrameReader::take_data(const Header& header, std::string_view payload, const OnMessage& on_message) {
  const bool continues = header.opcode == Opcode::continuation;
  const bool open = fragmented_ != Opcode::continuation;
  if (continues && !open) return refuse(1002, "continuation of nothing");
  if (!continues && open) return refuse(1002, "a new message inside a fragmented one");
  if (!header.final || continues) {
    if (!continues) fragmented_ = header.opcode;
    fragments_.append(payload);
    if (!header.final) return Step::taken;
    payload = fragments_;
  }
  const Opcode opcode = continues ? fragmented_ : header.opcode;
  if (opcode == Opcode::text && !text::is_utf8(payload)) return refuse(1007, "text is not UTF-8");
  const bool go_on = on_message(Message{opcode, payload});
  if (continues) {
    fragmented_ = Opcode::continuation;
    release(fragments_);
  }
  return go_on ? Step::taken : Step::stopped;
}

FrameReader::Step FrameReader::take_control(const Header& header, std::string_view payload, const OnMessage& on_message) {
  if (header.opcode == Opcode::close && !payload.empty()) {
    if (payload.size() < 2) return refuse(1002, "a close code has two bytes");
    if (!may_be_sent(static_cast<std::uint16_t>(big_endian(payload.data(), 2)))) {
      return refuse(1002, "a close code that may not be sent");
    }
    if (!text::is_utf8(payload.substr(2))) return refuse(1007, "close reason is not UTF-8");
  }
  return on_message(Message{header.opcode, payload}) ? Step::taken : Step::stopped;
}

}  // namespace chat::realtime
