#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "platform/base/id.h"
#include "platform/storage/rows.h"
#include "platform/storage/statement.h"

namespace chat::storage {

/// A running transaction of one application: `chat.app_id` is set for it alone, so row-level security
/// shows and accepts only that application's rows. Made by Connection::transact only.
///
/// Errors:  a failed statement ends the transaction: 40001 and 40P01 repeat the whole body; 23505 → conflict;
///          lost connection, timeouts (57014, 55P03), 53xxx → unavailable; a raised SQLSTATE 'CH' + 3 digits is a refusal
///          of our own SQL functions; anything else → internal. By SQLSTATE, never by text.
/// Thread:  one at a time.
class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  virtual ~Transaction() = default;

  [[nodiscard]] AppId app() const { return app_; }
  /// Makes the rest of this transaction act for `app`. Only the operator's door may: it comes in with the nil application.
  virtual void enter(AppId app) = 0;

  template <class... Values>
  Rows query(const Statement& statement, const Values&... values) {
    return execute(statement, Params::of(values...));
  }
  /// At most one row; two are an INVARIANT.
  template <class... Values>
  std::optional<Rows> find(const Statement& statement, const Values&... values) {
    Rows rows = execute(statement, Params::of(values...));
    check_at_most_one(statement, rows);
    return rows.empty() ? std::nullopt : std::optional<Rows>(std::move(rows));
  }
  /// Rows affected.
  template <class... Values>
  int run(const Statement& statement, const Values&... values) {
    return execute(statement, Params::of(values...)).affected();
  }
  virtual Rows execute(const Statement& statement, const Params& params) = 0;
  /// Runs `text`, which was composed from `base` (see listing.h), without preparing it: there is no end of such texts.
  virtual Rows execute_composed(const Statement& base, const std::string& text, const Params& params) = 0;

  /// A savepoint around `body`: if it throws, its writes are undone and the error goes on.
  virtual void nested(const std::function<void()>& body) = 0;

  /// Runs after a successful commit, in order of registration, on this thread. Never after a rollback.
  void after_commit(std::function<void()> action) { after_commit_.push_back(std::move(action)); }

 protected:
  explicit Transaction(AppId app) : app_(app) {}
  static void check_at_most_one(const Statement& statement, const Rows& rows);
  AppId app_;
  std::vector<std::function<void()>> after_commit_;
};

}  // namespace chat::storage
