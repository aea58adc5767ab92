#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "platform/http/server.h"

namespace chat::http {

/// Lets browsers' pages of other origins call a door. Who calls is proved by headers and signed links, never by cookies: a page can
/// only do what it has a token for, so `*` gives nothing away.
///
/// Shape:   an origin is "https://app.example.com", with its port when it has one, as browsers send it; "*": any. Empty: none.
/// Errors:  none; to a page of another origin the answer comes without the headers, and its browser keeps it to itself. So it does with
///          what an engine refuses by itself, before anybody handles it (a broken request, a body that is too large).
/// Thread:  any.
/// Source:  https://fetch.spec.whatwg.org/#http-cors-protocol
class Cors {
 public:
  explicit Cors(std::vector<std::string> origins) : origins_(std::move(origins)) {}
  static bool is_origin(std::string_view text);      // or "*"

  /// Answers the browser's question before a request, and says with each answer who may read it.
  [[nodiscard]] OnRequest around(OnRequest serve) const;

 private:
  [[nodiscard]] bool allows(std::string_view origin) const;
  std::vector<std::string> origins_;
};

}  // namespace chat::http
