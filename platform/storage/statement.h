#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/id.h"

namespace chat::storage {

/// One named SQL statement from a .sql file, embedded at build time as `<namespace>::sql::<name>`.
/// `name` is "<file>.<statement>" and labels metrics, logs and the SQL coverage of the tests.
struct Statement {
  std::string_view name;
  std::string_view text;
};

/// The parameters of one execution, in PostgreSQL's text form; nullopt is NULL.
class Params {
 public:
  template <class... Values>
  static Params of(const Values&... values) {
    Params params;
    params.values_.reserve(sizeof...(values));
    (params.add(values), ...);
    return params;
  }
  void add(std::string_view text) { values_.emplace_back(std::string(text)); }
  void add(const char* text) { values_.emplace_back(text); }
  void add(const std::string& text) { values_.emplace_back(text); }
  void add(bool flag) { values_.emplace_back(flag ? "t" : "f"); }
  void add(const Uuid& uuid) { values_.emplace_back(uuid.text()); }
  void add(Timestamp at) { values_.emplace_back(format_time(at)); }
  void add(std::nullopt_t) { values_.emplace_back(std::nullopt); }
  template <class Tag>
  void add(const Id<Tag>& id) { add(id.uuid); }
  template <class Number>
    requires std::is_arithmetic_v<Number>
  void add(Number number) { values_.emplace_back(std::to_string(number)); }
  template <class T>
  void add(const std::optional<T>& value) {
    if (value) add(*value); else values_.emplace_back(std::nullopt);
  }
  [[nodiscard]] const std::vector<std::optional<std::string>>& values() const { return values_; }

 private:
  std::vector<std::optional<std::string>> values_;
};

/// Bytes as a parameter of type bytea.
std::string bytea(std::string_view bytes);

/// Marks a statement as executed, for the SQL coverage test (a file per statement below $CHAT_SQL_COVERAGE).
void note_executed(const Statement& statement);

}  // namespace chat::storage
