#include "cli/output/style.h"

#include <algorithm>
#include <array>

namespace chat::cli {

std::string Style::paint(Ink ink, std::string_view text) const {
  if (!coloured_ || ink == Ink::plain || text.empty()) return std::string(text);
  static constexpr std::array<std::string_view, 6> kCodes = {"", "1", "2", "32", "33", "31"};
  return "\x1b[" + std::string(kCodes[static_cast<std::size_t>(ink)]) + "m" + std::string(text) + "\x1b[0m";
}

Ink ink_of_state(std::string_view state) {
  static constexpr std::array<std::string_view, 6> kGood = {"active",  "ok",        "applied",
                                                            "created", "unchanged", "yes"};
  static constexpr std::array<std::string_view, 4> kCare = {"warning", "overage", "suspended", "pending"};
  static constexpr std::array<std::string_view, 5> kBad = {"blocked", "deleted", "changed", "failed",
                                                           "refused"};
  const auto in = [&](const auto& words) {
    return std::find(words.begin(), words.end(), state) != words.end();
  };
  if (in(kGood)) return Ink::green;
  if (in(kCare)) return Ink::yellow;
  return in(kBad) ? Ink::red : Ink::plain;
}

}  // namespace chat::cli
