#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "platform/base/clock.h"
#include "platform/base/id.h"

namespace chat::storage {

/// One row of a result; valid while its Rows (or a copy) lives. Columns by position, or by name where clarity wants it.
/// A column that does not exist, or a NULL read as a value, is an INVARIANT: use the optional_ forms for nullable columns.
class Row {
 public:
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] bool boolean(int column) const;
  [[nodiscard]] Uuid uuid(int column) const;
  [[nodiscard]] Timestamp time(int column) const;         // timestamptz; sessions run in UTC, ISO style
  [[nodiscard]] std::string bytes(int column) const;      // bytea
  [[nodiscard]] std::optional<std::string> optional_text(int column) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(int column) const;
  [[nodiscard]] std::optional<Uuid> optional_uuid(int column) const;
  [[nodiscard]] std::optional<Timestamp> optional_time(int column) const;
  [[nodiscard]] int column(std::string_view name) const;
  [[nodiscard]] int size() const;                         // columns

 private:
  friend class Rows;
  Row(const class Rows* rows, int index) : rows_(rows), index_(index) {}
  const class Rows* rows_;
  int index_;
};

/// A result. Cheap to copy; independent of the connection. Both libpqxx and the pipeline make these.
class Rows {
 public:
  /// What a driver's result must offer.
  class Source {
   public:
    virtual ~Source() = default;
    [[nodiscard]] virtual int size() const = 0;
    [[nodiscard]] virtual int columns() const = 0;
    [[nodiscard]] virtual int affected() const = 0;
    [[nodiscard]] virtual bool is_null(int row, int column) const = 0;
    [[nodiscard]] virtual std::string_view value(int row, int column) const = 0;
    [[nodiscard]] virtual int column(std::string_view name) const = 0;   // -1: none
  };
  explicit Rows(std::shared_ptr<const Source> source) : source_(std::move(source)) {}

  [[nodiscard]] int size() const { return source_->size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] int affected() const { return source_->affected(); }
  [[nodiscard]] Row operator[](int index) const { return Row(this, index); }

  class Iterator {
   public:
    Iterator(const Rows* rows, int index) : rows_(rows), index_(index) {}
    Row operator*() const { return (*rows_)[index_]; }
    Iterator& operator++() { ++index_; return *this; }
    bool operator!=(const Iterator& other) const { return index_ != other.index_; }
   private:
    const Rows* rows_;
    int index_;
  };
  [[nodiscard]] Iterator begin() const { return {this, 0}; }
  [[nodiscard]] Iterator end() const { return {this, size()}; }

 private:
  friend class Row;
  std::shared_ptr<const Source> source_;
};

inline int Row::size() const { return rows_->source_->columns(); }

}  // namespace chat::storage
