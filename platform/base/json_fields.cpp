#include <algorithm>
#include <iterator>
#include <utility>

#include "platform/base/json.h"
#include "platform/base/text.h"

namespace chat::json {
namespace {

constexpr std::size_t kMostMistakes = 64;  // an answer to a hostile body stays small

std::string in_bytes(Text shape) {
  if (shape.min_bytes == 0) return "must be at most " + std::to_string(shape.max_bytes) + " bytes";
  return "must be " + std::to_string(shape.min_bytes) + " to " + std::to_string(shape.max_bytes) + " bytes";
}

/// What is wrong with a text value, or empty.
std::string wrong_text(const Value& value, Text shape) {
  if (value.kind() != Kind::text) return "must be a string";
  const std::size_t size = value.text().size();
  if (size >= shape.min_bytes && size <= shape.max_bytes) return {};
  return in_bytes(shape) + ", is " + std::to_string(size);
}

std::string in_range(const std::string& what, const std::string& min, const std::string& max) {
  return "must be " + what + " from " + min + " to " + max;
}

std::string integer_range(Range range) {
  if (range.min == INT64_MIN && range.max == INT64_MAX) return "must be an integer";
  return in_range("an integer", std::to_string(range.min), std::to_string(range.max));
}

std::string one_of(std::string_view given, const std::vector<std::string>& allowed) {
  std::string out = "must be one of ";
  for (const std::string& word : allowed) out += (&word == allowed.data() ? "" : ", ") + word;
  const std::string meant = text::nearest(given, allowed);
  return meant.empty() ? out : out + "; did you mean " + meant + "?";
}

}  // namespace

Fields::Fields(const Value& object, std::string pointer) : pointer_(std::move(pointer)) {
  if (object.kind() == Kind::object) {
    members_ = object.members();
    asked_.resize(members_.size());
  } else {
    mistakes_.push_back({pointer_, "must be an object"});
    only_unknown_ = false;
    not_object_ = true;
  }
}

std::optional<Value> Fields::take(std::string_view name, bool required) {
  names_.emplace_back(name);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (members_[i].first != name) continue;
    asked_[i] = true;
    if (members_[i].second.kind() != Kind::null) return members_[i].second;
    if (required) mistake(name, "is required and must not be null");
    return std::nullopt;
  }
  if (required && !not_object_) mistake(name, "is required");
  return std::nullopt;
}

std::string Fields::text(std::string_view name, Text shape) {
  const auto value = take(name, true);
  if (!value) return {};
  if (std::string wrong = wrong_text(*value, shape); !wrong.empty()) {
    mistake(name, std::move(wrong));
    return {};
  }
  return std::string(value->text());
}

std::optional<std::string> Fields::find_text(std::string_view name, Text shape) {
  const auto value = take(name, false);
  if (!value) return std::nullopt;
  if (std::string wrong = wrong_text(*value, shape); !wrong.empty()) {
    mistake(name, std::move(wrong));
    return std::nullopt;
  }
  return std::string(value->text());
}

std::optional<std::string> Fields::find_word(std::string_view name, const std::vector<std::string>& allowed) {
  const auto value = take(name, false);
  if (!value) return std::nullopt;
  const bool is_text = value->kind() == Kind::text;
  if (is_text && std::find(allowed.begin(), allowed.end(), value->text()) != allowed.end()) {
    return std::string(value->text());
  }
  mistake(name, is_text ? one_of(value->text(), allowed) : one_of("", allowed));
  return std::nullopt;
}

std::string Fields::word(std::string_view name, const std::vector<std::string>& allowed) {
  const std::size_t before = mistakes_.size();
  auto found = find_word(name, allowed);
  if (!found && mistakes_.size() == before && !not_object_) mistake(name, "is required, " + one_of("", allowed));
  return std::move(found).value_or(std::string());
}

std::optional<std::int64_t> Fields::find_integer(std::string_view name, Range range) {
  const auto value = take(name, false);
  if (!value) return std::nullopt;
  if (value->kind() == Kind::integer) {
    const std::int64_t number = value->integer();
    if (number >= range.min && number <= range.max) return number;
  }
  mistake(name, integer_range(range));
  return std::nullopt;
}

std::int64_t Fields::integer(std::string_view name, Range range) {
  const std::size_t before = mistakes_.size();
  const auto found = find_integer(name, range);
  if (!found && mistakes_.size() == before && !not_object_) mistake(name, "is required, " + integer_range(range));
  return found.value_or(0);
}

std::optional<double> Fields::find_number(std::string_view name, double min, double max) {
  const auto value = take(name, false);
  if (!value) return std::nullopt;
  if (value->kind() == Kind::integer || value->kind() == Kind::number) {
    const double number = value->number();
    if (number >= min && number <= max) return number;
  }
  Writer low, high;
  mistake(name, in_range("a number", low.number(min).take(), high.number(max).take()));
  return std::nullopt;
}

std::optional<bool> Fields::find_boolean(std::string_view name) {
  const auto value = take(name, false);
  if (!value) return std::nullopt;
  if (value->kind() == Kind::boolean) return value->boolean();
  mistake(name, "must be true or false");
  return std::nullopt;
}

std::optional<Timestamp> Fields::find_time(std::string_view name) {
  const auto value = take(name, false);
  if (!value) return std::nullopt;
  if (value->kind() == Kind::text) {
    if (const auto at = parse_time(value->text())) return at;
  }
  mistake(name, "must be an RFC 3339 time such as 2026-11-21T12:00:00Z");
  return std::nullopt;
}

std::optional<Value> Fields::find_object(std::string_view name) {
  const auto value = take(name, false);
  if (!value || value->kind() == Kind::object) return value;
  mistake(name, "must be an object");
  return std::nullopt;
}

std::optional<std::string> Fields::find_raw_object(std::string_view name, std::size_t max_bytes) {
  const auto value = find_object(name);
  if (!value) return std::nullopt;
  std::string json = value->raw();
  if (json.size() <= max_bytes) return json;
  mistake(name, "must be at most " + std::to_string(max_bytes) + " bytes of JSON, is " + std::to_string(json.size()));
  return std::nullopt;
}

std::optional<std::vector<Value>> Fields::find_array(std::string_view name, std::size_t max_items,
                                                     std::size_t min_items) {
  const auto value = take(name, false);
  if (!value) return std::nullopt;
  if (value->kind() != Kind::array) {
    mistake(name, "must be an array");
    return std::nullopt;
  }
  auto items = value->items();
  if (items.size() >= min_items && items.size() <= max_items) return items;
  mistake(name, "must have " + std::to_string(min_items) + " to " + std::to_string(max_items) + " items, has " +
                    std::to_string(items.size()));
  return std::nullopt;
}

std::optional<std::vector<std::string>> Fields::find_texts(std::string_view name, std::size_t max_items, Text shape) {
  const auto items = find_array(name, max_items);
  if (!items) return std::nullopt;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < items->size(); ++i) {
    if (std::string wrong = wrong_text((*items)[i], shape); !wrong.empty()) {
      note({pointer(name) + "/" + std::to_string(i), std::move(wrong)});
    } else {
      texts.emplace_back((*items)[i].text());
    }
  }
  if (texts.size() != items->size()) return std::nullopt;
  return texts;
}

void Fields::refuse_nulls() {
  for (const auto& [name, value] : members_)
    if (value.kind() == Kind::null) mistake(name, "must not be null; leave it out");
}

std::optional<Value> Fields::find_any(std::string_view name) { return take(name, false); }

bool Fields::has(std::string_view name) {
  take(name, false);
  return std::any_of(members_.begin(), members_.end(), [&](const auto& member) { return member.first == name; });
}

void Fields::note(FieldError mistake) {
  only_unknown_ = false;
  if (mistakes_.size() < kMostMistakes) mistakes_.push_back(std::move(mistake));
}

void Fields::mistake(std::string_view name, std::string detail) { note({pointer(name), std::move(detail)}); }

void Fields::mistake_at(std::string_view path, std::string detail) {
  note({pointer_ + "/" + std::string(path), std::move(detail)});
}

void Fields::absorb(Fields& nested) {
  nested.check_unknown();
  if (!nested.mistakes_.empty() && !nested.only_unknown_) only_unknown_ = false;
  const std::size_t room = kMostMistakes - std::min(kMostMistakes, mistakes_.size());
  const auto count = static_cast<std::ptrdiff_t>(std::min(room, nested.mistakes_.size()));
  std::move(nested.mistakes_.begin(), nested.mistakes_.begin() + count, std::back_inserter(mistakes_));
  nested.mistakes_.clear();
}

void Fields::check_unknown() {
  if (std::exchange(checked_, true)) return;
  for (std::size_t i = 0; i < members_.size() && mistakes_.size() < kMostMistakes; ++i) {
    if (asked_[i]) continue;
    const std::string meant = text::nearest(members_[i].first, names_);
    std::string detail = "is not known here";
    if (!meant.empty()) detail += "; did you mean " + meant + "?";
    mistakes_.push_back({pointer(members_[i].first), std::move(detail)});
  }
}

void Fields::finish() {
  check_unknown();
  if (mistakes_.empty()) return;
  const Code code = only_unknown_ ? Code::unknown_field : Code::invalid_field;
  std::string detail = mistakes_.front().pointer + " " + mistakes_.front().detail + ".";
  if (mistakes_.size() > 1) detail += " " + std::to_string(mistakes_.size() - 1) + " more in `errors`.";
  throw Error(code, std::move(detail), std::move(mistakes_));
}

}  // namespace chat::json
