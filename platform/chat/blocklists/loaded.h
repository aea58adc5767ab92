#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/chat/blocklists/blocklists.h"
#include "platform/chat/blocklists/networks.h"
#include "platform/storage/pool.h"

/// Lists as they are in the database, ready to be compiled. Private to the folder.
namespace chat::blocklists {

/// One list with its entries, in little memory. Immutable.
class LoadedList {
 public:
  LoadedList(BlockList list, bool shared, const storage::Rows& entries);

  BlockList list;
  bool shared = false;
  [[nodiscard]] std::string name() const { return (shared ? std::string(kShared) : std::string()) + list.name; }
  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  [[nodiscard]] std::string_view entry(std::size_t i) const { return std::string_view(texts_).substr(i == 0 ? 0 : ends_[i - 1], ends_[i] - (i == 0 ? 0 : ends_[i - 1])); }
  [[nodiscard]] bool is_over(std::size_t i, Timestamp now) const { return !over_.empty() && over_[i] <= now; }
  [[nodiscard]] const Networks& networks() const { return networks_; }   // of a list of addresses
  [[nodiscard]] std::size_t bytes() const;

 private:
  std::string texts_;
  std::vector<std::uint32_t> ends_;            // of each entry in texts_
  std::vector<Timestamp> over_;                // when each ends; empty: none does
  Networks networks_;
};

/// All that one application's rules are made of.
struct Loaded {
  std::int64_t own_version = 0, shared_version = 0;
  std::vector<std::shared_ptr<const LoadedList>> lists;   // the application's, and the operator's that it uses
  std::vector<Use> uses;                       // those of channel types' settings, too

  [[nodiscard]] bool is_empty() const { return lists.empty(); }
};
/// Takes from `known` the lists that have not changed.
/// Errors:  unavailable
Loaded load_lists(storage::Connection& connection, AppId app, const std::vector<std::shared_ptr<const LoadedList>>& known);

}  // namespace chat::blocklists
