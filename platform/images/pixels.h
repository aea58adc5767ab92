#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Private to the folder.
namespace chat::images {

/// Eight bits each of red, green, blue and alpha; rows from the top.
struct Pixels {
  int width = 0, height = 0;
  std::vector<std::uint8_t> bytes;
};

struct Size {
  int width = 0, height = 0;
};

// decode.cpp: what the file claims; then its pixels, with both sides at least twice `box` where it has so many. Nothing: damaged.
std::optional<Size> jpeg_size(std::string_view file);
std::optional<Size> png_size(std::string_view file);
std::optional<Size> gif_size(std::string_view file);
std::optional<Size> webp_size(std::string_view file, bool& moves);
std::optional<Pixels> decode_jpeg(std::string_view file, int box);
std::optional<Pixels> decode_png(std::string_view file);
std::optional<Pixels> decode_webp(std::string_view file, int box);

// exif.cpp: 1 (upright) to 8, as EXIF 2.3 counts them.
int jpeg_orientation(std::string_view file);

// shrink.cpp
Size fit(Size size, int box);                              // never larger than it was
Pixels shrink(const Pixels& from, Size to);                // the mean of what falls on each pixel
Pixels turn_upright(const Pixels& from, int orientation);
std::string encode_webp(const Pixels& pixels);             // "": could not

}  // namespace chat::images
