#pragma once
#include <string>
#include <string_view>
#include <unordered_map>

#include "platform/base/metrics.h"
#include "platform/storage/statement.h"

namespace chat::storage {

/// The statements that one session knows by name, with their counters. Private to this folder.
/// Thread:  one at a time; dies with its session.
class PreparedStatements {
 public:
  struct Entry {
    std::string name;
    std::string text;
    bool ready = false;                 // the server has it
    metrics::Counter* runs;
    metrics::Counter* seconds;
  };
  /// One name with two texts is an INVARIANT. Entries keep their address.
  Entry& of(const Statement& statement);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries_;
};

/// Parameters as libpq wants them: pointers into `params`, null for NULL.
/// Errors:  malformed_request when a text holds U+0000, which PostgreSQL can't store.
void append_pointers(const Params& params, std::vector<const char*>& out);

}  // namespace chat::storage
