#include <webp/encode.h>

#include <algorithm>
#include <array>
#include <memory>

#include "platform/images/pixels.h"

namespace chat::images {
namespace {

constexpr float kQuality = 80;

/// The mean of a box of pixels; what is transparent does not colour the rest.
std::array<std::uint8_t, 4> mean_of(const Pixels& from, int left, int top, int right, int bottom) {
  std::array<std::uint64_t, 3> sums{};
  std::uint64_t alpha = 0;
  for (int y = top; y < bottom; ++y) {
    const std::uint8_t* pixel = &from.bytes[(static_cast<std::size_t>(y) * static_cast<std::size_t>(from.width) + static_cast<std::size_t>(left)) * 4];
    for (int x = left; x < right; ++x, pixel += 4) {
      for (std::size_t i = 0; i < 3; ++i) sums[i] += std::uint64_t{pixel[i]} * pixel[3];
      alpha += pixel[3];
    }
  }
  if (alpha == 0) return {};
  const auto count = static_cast<std::uint64_t>(right - left) * static_cast<std::uint64_t>(bottom - top);
  auto of = [&](std::size_t i) { return static_cast<std::uint8_t>((sums[i] + alpha / 2) / alpha); };
  return {of(0), of(1), of(2), static_cast<std::uint8_t>((alpha + count / 2) / count)};
}

int scale(int at, int from, int to) { return static_cast<int>(std::int64_t{at} * from / to); }

}  // namespace

Size fit(Size size, int box) {
  const int longest = std::max(size.width, size.height);
  if (longest <= box) return size;
  auto side = [&](int length) { return std::max(1, static_cast<int>((std::int64_t{length} * box + longest / 2) / longest)); };
  return {side(size.width), side(size.height)};
}

Pixels shrink(const Pixels& from, Size to) {
  Pixels small{to.width, to.height, {}};
  small.bytes.reserve(static_cast<std::size_t>(to.width) * static_cast<std::size_t>(to.height) * 4);
  for (int y = 0; y < to.height; ++y) {
    const int top = scale(y, from.height, to.height), bottom = std::max(top + 1, scale(y + 1, from.height, to.height));
    for (int x = 0; x < to.width; ++x) {
      const int left = scale(x, from.width, to.width), right = std::max(left + 1, scale(x + 1, from.width, to.width));
      const auto pixel = mean_of(from, left, top, right, bottom);
      small.bytes.insert(small.bytes.end(), pixel.begin(), pixel.end());
    }
  }
  return small;
}

/// 2 mirrored, 3 upside down, 4 both; 5 to 8 lie on their side.
Pixels turn_upright(const Pixels& from, int orientation) {
  if (orientation < 2 || orientation > 8) return from;
  const bool lies = orientation >= 5;
  Pixels turned{lies ? from.height : from.width, lies ? from.width : from.height, std::vector<std::uint8_t>(from.bytes.size())};
  for (int y = 0; y < turned.height; ++y) {
    for (int x = 0; x < turned.width; ++x) {
      int source_x = lies ? y : x, source_y = lies ? x : y;
      if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8) source_x = from.width - 1 - source_x;
      if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7) source_y = from.height - 1 - source_y;
      const auto source = (static_cast<std::size_t>(source_y) * static_cast<std::size_t>(from.width) + static_cast<std::size_t>(source_x)) * 4;
      const auto target = (static_cast<std::size_t>(y) * static_cast<std::size_t>(turned.width) + static_cast<std::size_t>(x)) * 4;
      std::copy_n(&from.bytes[source], 4, &turned.bytes[target]);
    }
  }
  return turned;
}

std::string encode_webp(const Pixels& pixels) {
  std::uint8_t* made = nullptr;
  const std::size_t size = WebPEncodeRGBA(pixels.bytes.data(), pixels.width, pixels.height, pixels.width * 4, kQuality, &made);
  const std::unique_ptr<std::uint8_t, void (*)(void*)> owner(made, WebPFree);
  return {reinterpret_cast<const char*>(made), size};
}

}  // namespace chat::images
