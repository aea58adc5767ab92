#include "platform/base/id.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "platform/base/error.h"

namespace chat {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase32 = "0123456789abcdefghjkmnpqrstvwxyz";  // Crockford's, lower case
constexpr std::size_t kSuffix = 26;                                       // characters of a TypeID after '_'

constexpr std::array<std::int8_t, 256> reverse(std::string_view alphabet) {
  std::array<std::int8_t, 256> table{};
  for (auto& entry : table) entry = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}
constexpr auto kHexValue = reverse(kHex);
constexpr auto kBase32Value = reverse(kBase32);

using Wide = unsigned __int128;

Wide to_wide(const Uuid& uuid) {
  Wide value = 0;
  for (const std::uint8_t byte : uuid.bytes) value = value << 8 | byte;
  return value;
}

Uuid from_wide(Wide value) {
  Uuid uuid;
  for (std::size_t i = 16; i-- > 0; value >>= 8) uuid.bytes[i] = static_cast<std::uint8_t>(value);
  return uuid;
}

/// A UUIDv7 without its six fixed bits: 48 bits of milliseconds, then 74 free bits. Order is kept.
constexpr unsigned kFreeBits = 74;
constexpr unsigned kLowBits = 62;
constexpr Wide kLowMask = (Wide{1} << kLowBits) - 1;

Wide squeeze(const Uuid& uuid) {
  const Wide all = to_wide(uuid);
  return (all >> 80) << kFreeBits | ((all >> 64) & 0xFFF) << kLowBits | (all & kLowMask);
}

Uuid stretch(Wide bits) {
  const Wide top = bits >> kFreeBits;
  const Wide middle = bits >> kLowBits & 0xFFF;
  return from_wide(top << 80 | Wide{7} << 76 | middle << 64 | Wide{2} << 62 | (bits & kLowMask));
}

/// Random bytes from the kernel, fetched a page at a time: one system call per few hundred ids.
std::uint64_t random_word() {
  thread_local std::array<std::uint64_t, 256> pool;
  thread_local std::size_t used = pool.size();
  if (used == pool.size()) {
    auto* at = reinterpret_cast<char*>(pool.data());
    for (std::size_t got = 0; got < sizeof pool;) {
      const ssize_t n = getrandom(at + got, sizeof pool - got, 0);
      INVARIANT(n > 0 || errno == EINTR, "the kernel has no randomness");
      if (n > 0) got += static_cast<std::size_t>(n);
    }
    used = 0;
  }
  return std::exchange(pool[used++], 0);
}

/// The largest id made so far, squeezed. A mutex because 128 bits do not fit an atomic everywhere; it is held
/// for a few instructions.
struct Last {
  std::mutex mutex;
  Wide bits = 0;  // guarded by mutex
};
Last& last() {
  static Last instance;
  return instance;
}

bool is_typeid_prefix(std::string_view prefix) {
  if (prefix.size() > 63 || prefix.starts_with('_') || prefix.ends_with('_')) return false;
  return std::all_of(prefix.begin(), prefix.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

}  // namespace

std::string Uuid::text() const {
  std::string out(36, '-');
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) ++at;
    out[at++] = kHex[bytes[i] >> 4];
    out[at++] = kHex[bytes[i] & 15];
  }
  return out;
}

std::optional<Uuid> Uuid::parse(std::string_view text) {
  if (text.size() != 36) return {};
  Uuid uuid;
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid.bytes.size(); ++i) {
    if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return {};
    const int high = kHexValue[static_cast<unsigned char>(text[at++])];
    const int low = kHexValue[static_cast<unsigned char>(text[at++])];
    if (high < 0 || low < 0) return {};
    uuid.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return uuid;
}

Uuid new_uuid7(Timestamp now) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const Wide clock = Wide{static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0))} << kFreeBits;
  // In a new millisecond a random start whose top bit is free, so that the counter has room; within one
  // millisecond a random step, so that neither the next nor the previous id can be guessed.
  const std::uint64_t low = random_word();
  const std::uint64_t high = random_word();
  const Wide start = clock | (Wide{high & 0x7FF} << kLowBits) | (low & static_cast<std::uint64_t>(kLowMask));
  const Wide step = Wide{low >> 32} + 1;
  Last& state = last();
  Wide bits = 0;
  {
    const std::lock_guard lock(state.mutex);
    const bool is_new_millisecond = clock > state.bits;
    state.bits = bits = is_new_millisecond ? start : state.bits + step;
  }
  return stretch(bits);
}

void raise_uuid7_floor(const Uuid& floor) {
  const Wide bits = squeeze(floor);
  Last& state = last();
  const std::lock_guard lock(state.mutex);
  state.bits = std::max(state.bits, bits);
}

Timestamp time_of(const Uuid& uuid7) {
  return Timestamp{std::chrono::milliseconds{static_cast<std::int64_t>(to_wide(uuid7) >> 80)}};
}

Uuid first_uuid7_at(Timestamp at) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch()).count();
  return stretch(Wide{static_cast<std::uint64_t>(std::max<std::int64_t>(ms, 0))} << kFreeBits);
}

std::string typeid_text(std::string_view prefix, const Uuid& uuid) {
  const std::size_t skip = prefix.empty() ? 0 : prefix.size() + 1;
  std::string out(skip + kSuffix, '_');
  prefix.copy(out.data(), prefix.size());
  Wide bits = to_wide(uuid);
  for (std::size_t i = kSuffix; i-- > 0; bits >>= 5) out[skip + i] = kBase32[static_cast<std::size_t>(bits & 31)];
  return out;
}

std::optional<Uuid> parse_typeid(std::string_view prefix, std::string_view wire) {
  const std::size_t skip = prefix.empty() ? 0 : prefix.size() + 1;
  if (wire.size() != skip + kSuffix || !is_typeid_prefix(prefix)) return {};
  if (skip > 0 && (!wire.starts_with(prefix) || wire[skip - 1] != '_')) return {};
  if (wire[skip] > '7') return {};  // 26 characters hold 130 bits; the first may carry three only
  Wide bits = 0;
  for (const char c : wire.substr(skip)) {
    const int value = kBase32Value[static_cast<unsigned char>(c)];
    if (value < 0) return {};
    bits = bits << 5 | static_cast<unsigned>(value);
  }
  return from_wide(bits);
}

}  // namespace chat

std::size_t std::hash<chat::Uuid>::operator()(const chat::Uuid& uuid) const noexcept {
  std::uint64_t halves[2];
  std::memcpy(halves, uuid.bytes.data(), sizeof halves);
  return static_cast<std::size_t>(halves[0] ^ (halves[1] * 0x9E3779B97F4A7C15ULL));
}
