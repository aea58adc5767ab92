#pragma once
#include <optional>
#include <string>
#include <string_view>

/// What a web page says about itself. The HTML parser stays in page.cpp. Private to the folder.
namespace chat::previews {

inline constexpr std::size_t kMaxPageBytes = 256 * 1024;   // read of a page; what it says about itself stands at its top
inline constexpr std::size_t kMaxTitleBytes = 300, kMaxDescriptionBytes = 1'000, kMaxSiteBytes = 100;

struct Page {
  std::string title;                           // of Open Graph, or else of the document; never empty
  std::optional<std::string> description, site_name;
  std::optional<std::string> image;            // an http or https URL
};
/// None: no HTML, or it has no title.
/// Shape:   texts are UTF-8 in one line, cut to their most; whatever the page's encoding is.
/// Source:  the Open Graph protocol (ogp.me), basic metadata; HTML's `description`.
std::optional<Page> read_page(std::string_view html, std::string_view content_type);

}  // namespace chat::previews
