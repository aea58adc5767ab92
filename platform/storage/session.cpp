#include "platform/storage/session.h"

#include <pqxx/pqxx>

#include "platform/storage/dial.h"
#include "platform/storage/sqlstate.h"
#include "platform/storage/watch.h"

namespace chat::storage {
namespace {

/// Cells are looked up once: each of libpqxx's own accessors copies the row and two shared pointers.
class DriverRows final : public Rows::Source {
 public:
  explicit DriverRows(pqxx::result result)
      : result_(std::move(result)), rows_(static_cast<int>(result_.size())), columns_(static_cast<int>(result_.columns())) {
    cells_.reserve(result_.size() * result_.columns());
    for (const pqxx::row& row : result_)
      for (const pqxx::field& field : row)
        cells_.push_back(field.is_null() ? std::string_view() : std::string_view(field.c_str(), field.size()));
  }
  int size() const override { return rows_; }
  int columns() const override { return columns_; }
  int affected() const override { return static_cast<int>(result_.affected_rows()); }
  bool is_null(int row, int column) const override { return cell(row, column).data() == nullptr; }
  std::string_view value(int row, int column) const override { return cell(row, column); }
  int column(std::string_view name) const override {
    for (int i = 0; i < columns_; ++i)
      if (name == result_.column_name(static_cast<pqxx::row_size_type>(i))) return i;
    return -1;
  }

 private:
  const std::string_view& cell(int row, int column) const {
    return cells_[static_cast<std::size_t>(row) * static_cast<std::size_t>(columns_) + static_cast<std::size_t>(column)];
  }
  pqxx::result result_;
  int rows_;
  int columns_;
  std::vector<std::string_view> cells_;
};

/// libpqxx gives no access to the message alone; in terse form it is "ERROR:  message\n".
std::string primary_message(std::string_view told) {
  if (auto colon = told.find(":  "); colon != std::string_view::npos) told.remove_prefix(colon + 3);
  while (!told.empty() && told.back() == '\n') told.remove_suffix(1);
  return std::string(told);
}

}  // namespace

struct Session::Driver {
  explicit Driver(const std::string& conninfo) : connection(conninfo), work(connection) {}
  pqxx::connection connection;
  pqxx::quiet_errorhandler quiet{connection};
  Watch watch{connection.sock()};
  pqxx::nontransaction work;                // BEGIN and COMMIT are ours: one round trip less, and no silent reconnect
  std::vector<const char*> pointers;
};

// The order matters: the first two do not derive from sql_error, and insufficient_privilege carries no SQLSTATE.
template <class Act>
auto Session::guarded(std::string_view what, Act act) {
  try {
    if (broken_) throw pqxx::broken_connection("used after its end");
    return act();
  } catch (const pqxx::serialization_failure&) {
    throw Repeat{};
  } catch (const pqxx::deadlock_detected&) {
    throw Repeat{};
  } catch (const pqxx::transaction_rollback& e) {
    throw refusal_of({"40000", primary_message(e.what()), what});
  } catch (const pqxx::broken_connection& e) {
    lost(what, e.what());
  } catch (const pqxx::in_doubt_error& e) {
    lost(what, e.what());
  } catch (const pqxx::insufficient_privilege& e) {
    throw refusal_of({"42501", primary_message(e.what()), what});
  } catch (const pqxx::sql_error& e) {
    if (e.sqlstate().empty() || ends_session(e.sqlstate()) || !driver_ || !driver_->connection.is_open())
      lost(what, e.what());
    throw refusal_of({e.sqlstate(), primary_message(e.what()), what});
  } catch (const pqxx::failure& e) {
    lost(what, e.what());
  }
}

template <class Act>
auto Session::watched(std::string_view what, Act act) {
  return guarded(what, [&] {
    struct Waiting {
      Watch& watch;
      ~Waiting() { watch.end(); }
    } waiting{driver_->watch};
    waiting.watch.begin(limit_);
    return act();
  });
}

Session::Session(const DatabaseOptions& options)
    : limit_(options.statement_timeout.count() > 0 ? options.statement_timeout + kAnswerMargin : std::chrono::milliseconds(0)) {
  guarded("connect", [&] {
    driver_ = std::make_unique<Driver>(conninfo(options));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    driver_->connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
    driver_->connection.set_verbosity(pqxx::connection_base::terse);
  });
}

Session::~Session() = default;

template <class Ask>
Rows Session::counted(const Statement& statement, const Params& params, Ask ask) {
  auto& entry = statements_.of(statement);
  driver_->pointers.clear();
  append_pointers(params, driver_->pointers);
  const auto begin = std::chrono::steady_clock::now();
  Rows rows = watched(statement.name, [&] {
    return Rows(std::make_shared<DriverRows>(ask(entry, pqxx::prepare::make_dynamic_params(driver_->pointers))));
  });
  entry.runs->add();
  entry.seconds->add(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  note_executed(statement);
  return rows;
}

Rows Session::execute(const Statement& statement, const Params& params) {
  return counted(statement, params, [&](auto& entry, const auto& values) {
    if (!entry.ready) driver_->connection.prepare(entry.name, entry.text);
    entry.ready = true;                     // libpqxx sends it with the first execution
    return driver_->work.exec_prepared(entry.name, values);
  });
}

Rows Session::execute_composed(const Statement& base, const std::string& text, const Params& params) {
  return counted(base, params, [&](auto&, const auto& values) { return driver_->work.exec_params(text, values); });
}

void Session::run(const std::string& sql, std::string_view what) {
  watched(what, [&] { driver_->work.exec(sql); });
}

void Session::roll_back() noexcept {
  if (broken_) return;
  try {
    run("ROLLBACK", "rollback");
  } catch (...) {                           // whatever it was: a session in an unknown state serves nobody
    broken_ = true;
  }
}

void Session::lost(std::string_view what, const char* told) {
  broken_ = true;
  throw unavailable("connection lost in " + std::string(what) + ": " + primary_message(told));
}

}  // namespace chat::storage
