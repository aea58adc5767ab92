#pragma once
#include <memory>
#include <vector>

#include "platform/storage/pool.h"
#include "platform/storage/rows.h"
#include "platform/storage/statement.h"

namespace chat::storage {

/// One database session in libpq's pipeline mode: a whole transaction in one round trip. For the lanes.
///
/// Statements are prepared on first use. A statement list is sent with BEGIN-less implicit transaction semantics:
/// set_config('chat.app_id'), the steps, Sync; either all of it commits or none.
/// Thread:  one at a time. Blocks the calling thread, with the session's deadlines.
class Pipeline {
 public:
  struct Step {
    const Statement* statement;
    Params params;
  };
  explicit Pipeline(DatabaseOptions options);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// One transaction of `app`. Results in the order of the steps, after the commit is acknowledged.
  /// Errors:  as Transaction, without repeating: serialization_failure is thrown as `Again`;
  ///          a connection lost before the answer → unavailable (whether it committed is then unknown).
  std::vector<Rows> transact(AppId app, const std::vector<Step>& steps);

  struct Again {};                                        // 40001, 40P01: the caller may send the same batch again

 private:
  struct Session;
  std::unique_ptr<Session> session_;
  DatabaseOptions options_;
};

}  // namespace chat::storage
