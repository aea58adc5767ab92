#pragma once
#include <array>
#include <cstdint>
#include <string_view>

/// What can be said of a text by looking at it once. Pure. Private to the folder.
namespace chat::screening {

/// What is left of a text when case, spaces, punctuation and invisible characters are gone, as 32 samples of its runs of four letters:
/// the lowest hash of each residue class, a byte each; 0: there is no such run. Near texts share most of them.
/// Source:  one permutation hashing: Li, Owen, Zhang, "One Permutation Hashing", NIPS 2012.
using Print = std::array<std::uint8_t, 32>;

struct Signs {
  std::int64_t cased = 0, capitals = 0;        // letters of scripts that know capitals; those that are
  std::int64_t links = 0;
  std::int64_t length = 0;                     // code points of what is left
  Print print{};
};

/// Cost:    about 10 ns a byte, no allocation.
Signs read_signs(std::string_view text);

/// In percent: 100 of texts that differ in nothing that counts; 0 when one of them has nothing left.
int similarity(const Print& one, const Print& other);

}  // namespace chat::screening
