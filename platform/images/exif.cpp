#include <cstdint>

#include "platform/images/pixels.h"

namespace chat::images {
namespace {

/// Numbers at places of a text; what lies outside reads as 0.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool little = false;
  [[nodiscard]] unsigned byte(std::size_t at) const { return at < bytes_.size() ? static_cast<unsigned char>(bytes_[at]) : 0U; }
  [[nodiscard]] unsigned two(std::size_t at) const { return little ? byte(at) | byte(at + 1) << 8 : byte(at) << 8 | byte(at + 1); }
  [[nodiscard]] std::uint32_t four(std::size_t at) const {
    return little ? two(at) | static_cast<std::uint32_t>(two(at + 2)) << 16 : static_cast<std::uint32_t>(two(at)) << 16 | two(at + 2);
  }

 private:
  std::string_view bytes_;
};

constexpr unsigned kOrientation = 0x0112;
constexpr unsigned kMaxEntries = 500;

/// Of a TIFF header and its first directory.
int read_orientation(std::string_view tiff) {
  Reader reader(tiff);
  reader.little = tiff.substr(0, 2) == "II";
  const std::size_t directory = reader.four(4);
  const unsigned entries = reader.two(directory);
  for (unsigned i = 0; i < entries && i < kMaxEntries; ++i) {
    const std::size_t at = directory + 2 + i * std::size_t{12};
    if (reader.two(at) != kOrientation) continue;
    const unsigned value = reader.two(at + 8);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace

/// Walks the segments before the image data: FF, marker, length with itself, content.
int jpeg_orientation(std::string_view file) {
  const Reader reader(file);
  std::size_t at = 2;
  while (reader.byte(at) == 0xFF && at + 4 <= file.size()) {
    const unsigned marker = reader.byte(at + 1);
    const std::size_t length = reader.two(at + 2);
    if (marker == 0xDA || length < 2) return 1;
    const std::string_view content = file.substr(at + 4, length - 2);
    if (marker == 0xE1 && content.substr(0, 6) == std::string_view("Exif\0\0", 6)) return read_orientation(content.substr(6));
    at += 2 + length;
  }
  return 1;
}

}  // namespace chat::images
