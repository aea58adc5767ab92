#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/json.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"

/// The one grammar of lists: filter, sort, limit, next. Each resource says which fields it allows.
///
///   filter = { field: value | { operator: value, … }, …, "$and" | "$or": [ filter, … ] }
///   operator = $eq $ne $in $nin $gt $gte $lt $lte $exists
///   sort = [ { "field": name, "order": "asc" | "desc" } ]       one field; ties by id in the same order
namespace chat::storage {

enum class FieldType { text, integer, boolean, time };

struct ListField {
  std::string_view name;        // in the API
  std::string_view column;      // an SQL expression over the base statement's tables
  FieldType type = FieldType::text;
  bool sortable = false;        // then the expression must never be NULL
  /// For a set-valued field: a condition with `%` where a text array goes, `exists (… = any (%))`. Then $eq and $in only.
  std::string_view any_of = {};
};

/// What a caller asked for, checked.
struct ListRequest {
  std::string where = "true";   // SQL over `values`, which continue the base statement's parameters
  std::vector<std::string> values;
  const ListField* sort = nullptr;
  bool descending = true;
  int limit = 25;
  std::string scope;            // binds a cursor to this filter and sort
  std::optional<std::vector<std::string>> after;
};

/// Composes the statement of one list.
class Listing {
 public:
  /// `base` ends in a WHERE clause that this continues with AND. It must select the id first.
  /// `id`: the SQL of the id, ties of the sort. The first sortable field is the default order, descending.
  Listing(const Statement& base, std::string_view id, std::vector<ListField> fields)
      : base_(base), id_(id), fields_(std::move(fields)) {}

  /// Reads filter, sort, limit and next from `body`. `owner`: application and list, for the cursor.
  /// Errors:  invalid_field with the pointer of the mistake; gathered in `body` where it can be.
  [[nodiscard]] ListRequest read(json::Fields& body, const Cursors& cursors, const std::string& owner,
                                 int base_parameters) const;

  /// Runs it; asks for one row more than the limit. `read_row` gets each row; the last column is the sort value as text.
  template <class T, class ReadRow>
  Page<T> page(Transaction& tx, Params base_values, const ListRequest& request, const Cursors& cursors, ReadRow read_row) const {
    Page<T> page;
    const Rows rows = run(tx, std::move(base_values), request);
    for (int i = 0; i < rows.size() && i < request.limit; ++i) page.items.push_back(read_row(rows[i]));
    if (rows.size() > request.limit) page.next = next_cursor(rows, request, cursors);
    return page;
  }

 private:
  struct Composer;
  Rows run(Transaction& tx, Params values, const ListRequest& request) const;
  std::string next_cursor(const Rows& rows, const ListRequest& request, const Cursors& cursors) const;
  [[nodiscard]] const ListField* find(std::string_view name) const;

  const Statement& base_;
  std::string_view id_;
  std::vector<ListField> fields_;
};

}  // namespace chat::storage
