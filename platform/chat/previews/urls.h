#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// URLs in texts. Private to the folder.
namespace chat::previews {

inline constexpr std::size_t kMaxUrls = 3;     // of one message
inline constexpr std::size_t kMaxUrlBytes = 2'048;

/// The first kMaxUrls http and https URLs of a text, each once; too long ones are passed over. Punctuation that ends a sentence, and a
/// closing bracket without its opening one, belong to the text.
std::vector<std::string> find_urls(std::string_view text);

/// Where a Location header leads from `base`: an absolute URL, or a path of the same host. None: nowhere that is followed.
std::optional<std::string> resolve_location(const std::string& base, std::string_view location);

}  // namespace chat::previews
