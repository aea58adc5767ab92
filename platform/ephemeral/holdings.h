#pragma once
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/ephemeral/store.h"

namespace chat::ephemeral {

/// What one node holds, with the end of each hold. Pure.
/// Thread:  one at a time.
/// Cost:    O(log n) per hold and release; ~200 bytes each.
class Holdings {
 public:
  explicit Holdings(Bounds bounds) : bounds_(bounds) {}

  /// Replaced: the value that was held before. Not taken: there are too many.
  struct Held { bool taken = true; std::string replaced; bool was_held = false; };
  Held hold(const Key& key, std::string_view member, std::string_view value, Timestamp until);
  /// The value that was held; nothing: it was not.
  std::optional<std::string> release(const Key& key, std::string_view member);

  [[nodiscard]] std::vector<Holder> holders(const Key& key, Timestamp now) const;
  [[nodiscard]] std::size_t count(const Key& key, Timestamp now) const;
  /// Value and end of a hold, ended or not.
  [[nodiscard]] std::optional<std::pair<std::string, Timestamp>> find(const Key& key, std::string_view member) const;

  /// Forgets what has ended, at most `most`.
  void sweep(Timestamp now, std::size_t most);
  std::vector<Lapsed> take_lapsed(Space space, std::size_t most);

  using Each = std::function<void(const Key& key, const Holder& holder, Timestamp until)>;
  void for_each(const Each& tell) const;
  [[nodiscard]] std::size_t size() const { return by_end_.size(); }

 private:
  struct Thing;
  struct Place { Thing* thing; std::string_view member; };          // into the maps below, which keep addresses
  using ByEnd = std::multimap<Timestamp, Place>;
  struct Hold { std::string value; ByEnd::iterator by_end; };
  struct Thing { Key key; std::map<std::string, Hold, std::less<>> holds; };

  static std::string text_of(const Key& key);
  [[nodiscard]] const Thing* thing_of(const Key& key) const;
  void remember_lapse(const Thing& thing, std::string_view member);
  void erase(Thing& thing, std::map<std::string, Hold, std::less<>>::iterator hold);

  const Bounds bounds_;
  std::unordered_map<std::string, Thing> things_;                   // by text_of
  ByEnd by_end_;
  std::map<std::string, std::deque<Lapsed>, std::less<>> lapsed_;   // by space
};

}  // namespace chat::ephemeral
