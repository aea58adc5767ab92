#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chat::storage {

/// One page of a list. `next` empty: the end.
template <class T>
struct Page {
  std::vector<T> items;
  std::optional<std::string> next;
};

/// Seals and opens cursors. A cursor is a position (sort values of the last item), bound by HMAC to the application,
/// the list and its filter and sort, so it can't be forged, moved to another tenant or mixed with another query.
class Cursors {
 public:
  explicit Cursors(std::string key);                      // >= 32 bytes, the same on every node
  /// `scope`: "<app>|<list>|<filter>|<sort>", whatever must not change between pages.
  [[nodiscard]] std::string seal(std::string_view scope, const std::vector<std::string>& position) const;
  /// Errors:  invalid_field query:next (or `pointer`) when it is not a cursor of this scope.
  [[nodiscard]] std::vector<std::string> open(std::string_view scope, std::string_view cursor,
                                              std::string_view pointer = "#/next") const;
 private:
  std::string key_;
};

}  // namespace chat::storage
