#pragma once
#include <array>
#include <cstdint>
#include <string>

/// Small images for tests, written by hand, so that they lean on no library that is tested.
namespace chat::test {

inline std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
}

inline std::uint32_t crc32_of(const std::string& bytes) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const unsigned char byte : bytes) {
    crc ^= byte;
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

inline std::string png_chunk(const std::string& kind, const std::string& data) {
  return big_endian(static_cast<std::uint32_t>(data.size())) + kind + data + big_endian(crc32_of(kind + data));
}

/// zlib without compression.
inline std::string zlib_stored(const std::string& bytes) {
  std::string out = "\x78\x01";
  std::uint32_t a = 1, b = 0;
  for (const unsigned char byte : bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  for (std::size_t at = 0; at < bytes.size(); at += 0xFFFF) {
    const auto piece = bytes.substr(at, 0xFFFF);
    const auto size = static_cast<std::uint16_t>(piece.size());
    out += at + piece.size() == bytes.size() ? '\1' : '\0';
    out += {static_cast<char>(size), static_cast<char>(size >> 8), static_cast<char>(~size), static_cast<char>(~size >> 8)};
    out += piece;
  }
  return out + big_endian(b << 16 | a);
}

/// A PNG whose left half is red and whose right half is blue. `claims`: what its head says instead, for lies.
inline std::string png(int width, int height, std::array<int, 2> claims = {0, 0}) {
  std::string rows;
  for (int y = 0; y < height; ++y) {
    rows += '\0';
    for (int x = 0; x < width; ++x) rows += x < width / 2 ? std::string("\xFF\0\0", 3) : std::string("\0\0\xFF", 3);
  }
  const auto said_width = static_cast<std::uint32_t>(claims[0] > 0 ? claims[0] : width);
  const auto said_height = static_cast<std::uint32_t>(claims[1] > 0 ? claims[1] : height);
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", big_endian(said_width) + big_endian(said_height) + std::string("\x08\x02\0\0\0", 5)) +
         png_chunk("IDAT", zlib_stored(rows)) + png_chunk("IEND", "");
}

}  // namespace chat::test
