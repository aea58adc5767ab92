#pragma once
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "platform/storage/pool.h"
#include "platform/storage/prepared.h"
#include "platform/storage/rows.h"
#include "platform/storage/statement.h"

namespace chat::storage {

/// The transaction may succeed when it is run again, whole. Not an Error, so that no body takes it for a refusal.
struct Repeat {};

/// One libpqxx connection, from its opening to its end; never reconnects. Private to this folder.
/// Errors:  Repeat, and the refusals of sqlstate.h. After a lost connection `broken` is true and nothing works any more.
/// Thread:  one at a time.
class Session {
 public:
  explicit Session(const DatabaseOptions& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Prepared at its first execution here.
  Rows execute(const Statement& statement, const Params& params);
  /// Not prepared; counted under `base`.
  Rows execute_composed(const Statement& base, const std::string& text, const Params& params);
  /// Any number of statements without parameters in one round trip. `what` labels a failure.
  void run(const std::string& sql, std::string_view what);
  /// Ends a transaction that failed. Never throws: a session that can't roll back is broken.
  void roll_back() noexcept;
  [[nodiscard]] bool broken() const { return broken_; }

 private:
  template <class Ask>
  Rows counted(const Statement& statement, const Params& params, Ask ask);
  template <class Act>
  auto guarded(std::string_view what, Act act);           // gives libpqxx's exceptions their meaning
  template <class Act>
  auto watched(std::string_view what, Act act);           // guarded, and cut off when no answer comes
  [[noreturn]] void lost(std::string_view what, const char* told);

  struct Driver;
  std::unique_ptr<Driver> driver_;
  PreparedStatements statements_;
  std::chrono::milliseconds limit_;                       // for one answer; 0: none
  bool broken_ = false;
};

}  // namespace chat::storage
