#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/error.h"

/// JSON in (simdjson) and out (RapidJSON), strict. The libraries stay in json_read.cpp and json_write.cpp.
namespace chat::json {

/// Nesting beyond this is refused when parsing.
inline constexpr std::size_t kMaxDepth = 32;

enum class Kind { null, boolean, integer, number, text, array, object };

/// One node of a parsed document; valid while its Document lives.
class Value {
 public:
  [[nodiscard]] Kind kind() const;
  [[nodiscard]] std::string_view text() const;        // INVARIANT: kind is text
  [[nodiscard]] std::int64_t integer() const;         // INVARIANT: kind is integer
  [[nodiscard]] double number() const;                // integer or number
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] std::vector<Value> items() const;     // of an array
  [[nodiscard]] std::vector<std::pair<std::string_view, Value>> members() const;  // of an object, in order
  [[nodiscard]] std::optional<Value> find(std::string_view key) const;            // of an object
  [[nodiscard]] std::string raw() const;              // minified JSON text of this node

 private:
  friend class Document;
  friend struct Access;
  std::array<std::uint64_t, 2> node_{};               // a simdjson::dom::element
};

/// A whole, valid document: UTF-8, depth <= kMaxDepth, no key twice in one object (at any depth),
/// no U+0000 in any string, integers within 64 bits.
class Document {
 public:
  /// Errors:  malformed_json with what is wrong (and the pointer of a duplicate key or NUL)
  static Document parse(std::string_view text);
  ~Document();
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  [[nodiscard]] Value root() const;

 private:
  Document();
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

struct Text {
  std::size_t min_bytes = 0;
  std::size_t max_bytes = 255;
};
struct Range {
  std::int64_t min = INT64_MIN;
  std::int64_t max = INT64_MAX;
};

/// Reads the fields of one object, gathers every mistake, and refuses what it was not asked for.
///
///   json::Fields body(document.root());
///   auto name  = body.text("name", {.min_bytes = 1});      // required
///   auto image = body.find_text("image", {.max_bytes = 2048});
///   body.finish();                                         // throws with all mistakes at once
///
/// Errors:  invalid_field (wrong type, shape, range, missing); unknown_field when only unknown ones are wrong.
/// After a mistake the getters return empty values; `finish` must be called before using them.
/// An explicit `null` counts as absent for find_*; `has` tells it apart.
class Fields {
 public:
  explicit Fields(const Value& object, std::string pointer = "#");

  std::string text(std::string_view name, Text shape = {});
  std::optional<std::string> find_text(std::string_view name, Text shape = {});
  std::optional<std::string> find_word(std::string_view name, const std::vector<std::string>& allowed);
  std::string word(std::string_view name, const std::vector<std::string>& allowed);
  std::optional<std::int64_t> find_integer(std::string_view name, Range range = {});
  std::int64_t integer(std::string_view name, Range range = {});
  std::optional<double> find_number(std::string_view name, double min, double max);
  std::optional<bool> find_boolean(std::string_view name);
  std::optional<Timestamp> find_time(std::string_view name);
  std::optional<Value> find_object(std::string_view name);
  std::optional<std::string> find_raw_object(std::string_view name, std::size_t max_bytes);   // minified
  std::optional<std::vector<Value>> find_array(std::string_view name, std::size_t max_items, std::size_t min_items = 0);
  std::optional<std::vector<std::string>> find_texts(std::string_view name, std::size_t max_items, Text shape);
  std::optional<Value> find_any(std::string_view name);
  bool has(std::string_view name);                     // present, also as null; counts as asked for

  /// Adds a mistake of the caller's own to the list.
  void mistake(std::string_view name, std::string detail);
  /// The same further down: `path` is a pointer below this object, as it is: "members/3".
  void mistake_at(std::string_view path, std::string detail);
  /// Takes over the mistakes of a nested reader.
  void absorb(Fields& nested);
  [[nodiscard]] std::string pointer(std::string_view name) const;
  void finish();
  [[nodiscard]] bool ok() const { return mistakes_.empty(); }
  void check_unknown();                                // notes unknown fields; `finish` calls it
  void refuse_nulls();                                 // of what is stored as it came: elsewhere null means that it is not there

 private:
  std::optional<Value> take(std::string_view name, bool required);
  void note(FieldError mistake);

  std::string pointer_;
  std::vector<std::pair<std::string_view, Value>> members_;
  std::vector<bool> asked_;                            // per member
  std::vector<std::string> names_;                     // all that were asked for, for "did you mean"
  std::vector<FieldError> mistakes_;
  bool only_unknown_ = true;
  bool not_object_ = false;                            // said already; required fields say nothing more
  bool checked_ = false;
};

/// Writes JSON text. Keys and values must alternate as JSON wants it; `raw` splices ready JSON.
///   json::Writer out; out.object().key("id").text(id).end(); return out.take();
class Writer {
 public:
  Writer();
  ~Writer();
  Writer(Writer&&) noexcept;
  Writer& object();
  Writer& array();
  Writer& end();                                       // closes the innermost object or array
  Writer& key(std::string_view name);
  Writer& text(std::string_view value);
  Writer& integer(std::int64_t value);
  Writer& number(double value);
  Writer& boolean(bool value);
  Writer& null();
  Writer& time(Timestamp value);
  Writer& raw(std::string_view json);
  /// key + value in one; the optional_ ones write nothing for nullopt.
  Writer& field(std::string_view name, std::string_view value) { return key(name).text(value); }
  Writer& optional_field(std::string_view name, const std::optional<std::string>& value);
  Writer& field(std::string_view name, std::int64_t value) { return key(name).integer(value); }
  Writer& optional_time(std::string_view name, const std::optional<Timestamp>& value);
  [[nodiscard]] std::string take();

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
};

}  // namespace chat::json
