#include <simdjson.h>

#include <algorithm>
#include <bit>

#include "platform/base/error.h"
#include "platform/base/json.h"

namespace chat::json {

using Node = simdjson::dom::element;
using simdjson::dom::element_type;
static_assert(sizeof(Node) == sizeof(std::array<std::uint64_t, 2>) && std::is_trivially_copyable_v<Node>);

/// The one door between a Value and the library's node.
struct Access {
  static Node node(const Value& value) { return std::bit_cast<Node>(value.node_); }
  static Value value(const Node& node) {
    Value out;
    out.node_ = std::bit_cast<std::array<std::uint64_t, 2>>(node);
    return out;
  }
};

namespace {

constexpr std::size_t kShownKey = 200;  // bytes of a client's key that are repeated in an answer

std::string escaped(std::string_view key) {
  std::string out;
  for (const char c : key.substr(0, kShownKey)) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  if (key.size() <= kShownKey) return out;
  while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0xC0) == 0x80) out.pop_back();
  if (!out.empty() && static_cast<unsigned char>(out.back()) >= 0xC0) out.pop_back();  // a character cut in two
  return out + "…";
}

Error malformed(std::string detail, std::string pointer = {}, std::string field_detail = {}) {
  std::vector<FieldError> fields;
  if (!pointer.empty()) fields.push_back({std::move(pointer), std::move(field_detail)});
  return Error(Code::malformed_json, std::move(detail), std::move(fields));
}

std::string explain(simdjson::error_code code) {
  switch (code) {
    case simdjson::UTF8_ERROR: return "The body is not valid UTF-8.";
    case simdjson::DEPTH_ERROR: return "The body is nested deeper than 32 levels.";
    case simdjson::NUMBER_ERROR: return "The body has a number that is malformed or beyond 64 bits.";
    case simdjson::NUMBER_OUT_OF_RANGE: return "The body has a number beyond 64 bits.";
    case simdjson::STRING_ERROR: return "The body has a string with a malformed escape.";
    case simdjson::UNESCAPED_CHARS: return "The body has a control character in a string that is not escaped.";
    case simdjson::UNCLOSED_STRING: return "The body has a string without an end.";
    case simdjson::CAPACITY: return "The body is too large to be parsed.";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR: return "The body has a word that is not true, false or null.";
    default: return "The body is not valid JSON.";
  }
}

/// What the library lets through and this API does not: deep nesting (exactly), a key twice, U+0000.
class Inspection {
 public:
  explicit Inspection(bool may_have_nul) : may_have_nul_(may_have_nul) {
    path_.reserve(kMaxDepth + 1);
    keys_.reserve(16);
  }

  void visit(const Node& node, std::size_t depth) {
    switch (node.type()) {
      case element_type::ARRAY: visit_array(node, depth + 1); break;
      case element_type::OBJECT: visit_object(node, depth + 1); break;
      case element_type::STRING: check_nul(node.get_string().value_unsafe()); break;
      default: break;
    }
  }

 private:
  void visit_array(const Node& node, std::size_t depth) {
    check_depth(depth);
    std::size_t index = 0;
    const simdjson::dom::array array = node.get_array().value_unsafe();   // named: a loop does not keep a temporary
    for (const Node item : array) {
      path_.push_back({{}, index++});
      visit(item, depth);
      path_.pop_back();
    }
  }

  void visit_object(const Node& node, std::size_t depth) {
    check_depth(depth);
    const simdjson::dom::object object = node.get_object().value_unsafe();
    check_keys(object);
    for (const auto& [key, value] : object) {
      path_.push_back({key, 0});
      check_nul(key);
      visit(value, depth);
      path_.pop_back();
    }
  }

  void check_depth(std::size_t depth) const {
    if (depth > kMaxDepth) throw malformed(explain(simdjson::DEPTH_ERROR));
  }

  void check_nul(std::string_view text) const {
    if (may_have_nul_ && text.find('\0') != std::string_view::npos) {
      throw malformed("The body has the character U+0000, which no text here may hold.", pointer(), "has U+0000");
    }
  }

  void check_keys(const simdjson::dom::object& object) {
    keys_.clear();
    for (const auto& field : object) keys_.push_back(field.key);
    std::sort(keys_.begin(), keys_.end());
    const auto twice = std::adjacent_find(keys_.begin(), keys_.end());
    if (twice == keys_.end()) return;
    path_.push_back({*twice, 0});
    throw malformed("The body has a key twice in one object.", pointer(), "appears more than once");
  }

  std::string pointer() const {
    std::string out = "#";
    for (const Step& step : path_) out += '/' + (step.key.data() ? escaped(step.key) : std::to_string(step.index));
    return out;
  }

  struct Step {
    std::string_view key;  // of an object; without data for an item of an array
    std::size_t index;
  };
  std::vector<Step> path_;
  std::vector<std::string_view> keys_;  // of the object in hand; kept for its memory
  bool may_have_nul_;
};

void refuse_obvious(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    throw malformed("The body is empty; this call needs a JSON document.");
  }
  if (text.starts_with("\xEF\xBB\xBF")) throw malformed("The body starts with a byte order mark; send it without.");
}

}  // namespace

struct Document::Parsed {
  simdjson::dom::document document;
};

Document::Document() : parsed_(std::make_unique<Parsed>()) {}
Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;

Document Document::parse(std::string_view text) {
  refuse_obvious(text);
  thread_local simdjson::dom::parser parser;
  // The library counts a little differently from us; it stops the hopeless, Inspection draws the line.
  if (parser.max_depth() != kMaxDepth + 2) {
    if (const auto code = parser.allocate(text.size(), kMaxDepth + 2)) throw malformed(explain(code));
  }
  Document out;
  const auto result = parser.parse_into_document(out.parsed_->document, text.data(), text.size());
  if (result.error()) throw malformed(explain(result.error()));
  Inspection(text.find("\\u0000") != std::string_view::npos).visit(result.value_unsafe(), 0);
  return out;
}

Value Document::root() const { return Access::value(parsed_->document.root()); }

Kind Value::kind() const {
  switch (Access::node(*this).type()) {
    case element_type::ARRAY: return Kind::array;
    case element_type::OBJECT: return Kind::object;
    case element_type::INT64: return Kind::integer;
    case element_type::UINT64:  // only above 2^63 - 1: no integer of ours
    case element_type::DOUBLE: return Kind::number;
    case element_type::STRING: return Kind::text;
    case element_type::BOOL: return Kind::boolean;
    case element_type::NULL_VALUE: break;
  }
  return Kind::null;
}

namespace {

/// What is read without being checked was checked before it was stored. Where that is not so, whoever asks is refused; others go on.
Error unexpected(const char* wanted) {
  return Error(Code::internal, "What is stored here can't be read.").with_log(std::string("a value in a stored document is not ") + wanted);
}

}  // namespace

std::string_view Value::text() const {
  const auto result = Access::node(*this).get_string();
  if (result.error()) throw unexpected("a text");
  return result.value_unsafe();
}

std::int64_t Value::integer() const {
  const auto result = Access::node(*this).get_int64();
  if (result.error()) throw unexpected("an integer");
  return result.value_unsafe();
}

double Value::number() const {
  const auto result = Access::node(*this).get_double();
  if (result.error()) throw unexpected("a number");
  return result.value_unsafe();
}

bool Value::boolean() const {
  const auto result = Access::node(*this).get_bool();
  if (result.error()) throw unexpected("a boolean");
  return result.value_unsafe();
}

std::vector<Value> Value::items() const {
  const auto result = Access::node(*this).get_array();
  if (result.error()) throw unexpected("an array");
  std::vector<Value> out;
  for (const Node item : result.value_unsafe()) out.push_back(Access::value(item));
  return out;
}

std::vector<std::pair<std::string_view, Value>> Value::members() const {
  const auto result = Access::node(*this).get_object();
  if (result.error()) throw unexpected("an object");
  std::vector<std::pair<std::string_view, Value>> out;
  for (const auto& field : result.value_unsafe()) out.emplace_back(field.key, Access::value(field.value));
  return out;
}

std::optional<Value> Value::find(std::string_view key) const {
  const auto result = Access::node(*this).get_object();
  if (result.error()) throw unexpected("an object");
  const auto found = result.value_unsafe().at_key(key);
  if (found.error()) return std::nullopt;
  return Access::value(found.value_unsafe());
}

std::string Value::raw() const { return simdjson::minify(Access::node(*this)); }

std::string Fields::pointer(std::string_view name) const { return pointer_ + "/" + escaped(name); }

}  // namespace chat::json
