#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "platform/matching/folding.h"

/// What each code point is under one folding. Private to the folder.
namespace chat::matching {

class PointTable {
 public:
  static constexpr std::size_t kPageSize = 256, kPages = 0x110000 / kPageSize;
  static const PointTable& of(const Folding& folding);
  explicit PointTable(const Folding& folding);
  PointTable(const PointTable&) = delete;
  PointTable& operator=(const PointTable&) = delete;

  /// Under most foldings most blocks are the same: each content is kept once, for as long as the process lives.
  struct Page {
    std::array<std::uint16_t, kPageSize + 1> offsets{};
    std::array<bool, kPageSize> mark{};        // what it is begins with a mark, which has an order among its neighbours
    std::string bytes;
  };
  [[nodiscard]] const Page& page(char32_t point) const {
    const auto number = point / kPageSize;
    const auto* found = pages_[number].load(std::memory_order_acquire);
    return found ? *found : make(number);
  }
  [[nodiscard]] std::string_view bytes_of(char32_t point) const {
    const auto& one = page(point);
    const auto i = point % kPageSize;
    return std::string_view(one.bytes).substr(one.offsets[i], one.offsets[i + 1] - one.offsets[i]);
  }

 private:
  const Page& make(std::size_t number) const;
  const Folding folding_;
  mutable std::array<std::atomic<const Page*>, kPages> pages_{};
};

std::uint8_t combining_class(char32_t point);

}  // namespace chat::matching
