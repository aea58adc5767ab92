#pragma once
#include <string>
#include <string_view>

namespace chat::cli {

enum class Ink { plain, bold, dim, green, yellow, red };

/// Colour for one stream, or none.
class Style {
 public:
  explicit Style(bool coloured = false) : coloured_(coloured) {}
  [[nodiscard]] std::string paint(Ink ink, std::string_view text) const;
  [[nodiscard]] bool coloured() const { return coloured_; }

 private:
  bool coloured_;
};

/// active, ok, applied … green; warning, suspended, pending … yellow; blocked, deleted, changed, failed …
/// red.
Ink ink_of_state(std::string_view state);

}  // namespace chat::cli
