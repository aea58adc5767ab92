#include "platform/images/images.h"

#include <algorithm>

#include "platform/images/pixels.h"

namespace chat::images {
namespace {

constexpr int kLargestBox = kBoxes[std::size(kBoxes) - 1];

/// A kind of image that is decoded.
struct Decoder {
  std::string_view media_type;
  std::optional<Size> (*size)(std::string_view);
  std::optional<Pixels> (*decode)(std::string_view);
};
constexpr Decoder kDecoders[] = {
    {"image/jpeg", jpeg_size, [](std::string_view file) { return decode_jpeg(file, kLargestBox); }},
    {"image/png", png_size, decode_png},
    {"image/gif", gif_size, nullptr},
    {"image/webp",
     [](std::string_view file) {
       bool moves = false;
       return webp_size(file, moves);
     },
     [](std::string_view file) {
       bool moves = false;
       if (!webp_size(file, moves) || moves) return std::optional<Pixels>();
       return decode_webp(file, kLargestBox);
     }},
};

/// The larger one first, so that the smaller is made from it.
void add_thumbnails(Picture& picture, Pixels pixels, int orientation) {
  pixels = turn_upright(shrink(pixels, fit({pixels.width, pixels.height}, kLargestBox)), orientation);
  for (auto box = std::rbegin(kBoxes); box != std::rend(kBoxes); ++box) {
    const bool is_needed = *box == kBoxes[0] || std::max(picture.width, picture.height) > kBoxes[0];
    if (!is_needed) continue;
    const Pixels small = shrink(pixels, fit({pixels.width, pixels.height}, *box));
    auto bytes = encode_webp(small);
    if (!bytes.empty()) picture.thumbnails.insert(picture.thumbnails.begin(), {*box, small.width, small.height, std::move(bytes)});
  }
}

}  // namespace

Picture look_at(std::string_view file, std::string_view media_type, std::int64_t max_pixels) {
  Picture picture;
  for (const auto& decoder : kDecoders) {
    if (decoder.media_type != media_type) continue;
    const auto size = decoder.size(file);
    if (!size || size->width <= 0 || size->height <= 0) return picture;
    const int orientation = media_type == "image/jpeg" ? jpeg_orientation(file) : 1;
    picture.width = orientation >= 5 ? size->height : size->width;
    picture.height = orientation >= 5 ? size->width : size->height;
    picture.too_large = std::int64_t{size->width} * size->height > max_pixels;
    if (picture.too_large || !decoder.decode) return picture;
    if (auto pixels = decoder.decode(file)) add_thumbnails(picture, std::move(*pixels), orientation);
  }
  return picture;
}

}  // namespace chat::images
