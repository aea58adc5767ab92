#include <rapidjson/writer.h>

#include <cmath>
#include <cstring>
#include <utility>

#include "platform/base/json.h"

namespace chat::json {
namespace {

constexpr std::size_t kFirstReserve = 512;  // most answers and events fit
constexpr std::size_t kMaxOpen = 64;        // nesting of what we write ourselves

bool is_plain(char c) { return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\'; }

/// Whether all eight bytes need no escape: none below 0x20, no quote, no backslash.
/// Source:  https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord
bool are_plain(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
  const auto zero_byte = [](std::uint64_t word) { return (word - kOnes) & ~word; };
  const std::uint64_t below_space = (eight - kOnes * 0x20) & ~eight;
  return ((below_space | zero_byte(eight ^ kOnes * '"') | zero_byte(eight ^ kOnes * '\\')) & kOnes * 0x80) == 0;
}

/// How many bytes from the front need no escape.
std::size_t plain_prefix(std::string_view text) {
  std::size_t at = 0;
  for (std::uint64_t eight = 0; text.size() - at >= sizeof eight; at += sizeof eight) {
    std::memcpy(&eight, text.data() + at, sizeof eight);
    if (!are_plain(eight)) break;
  }
  while (at < text.size() && is_plain(text[at])) ++at;
  return at;
}

/// The library's stream over a std::string, so that the finished text is handed on without a copy.
struct Stream {
  using Ch = char;
  std::string text;
  void Put(char c) { text += c; }
  void Flush() {}
};

/// RapidJSON keeps commas, colons and numbers right. Ready JSON and texts are appended in pieces: its own way is
/// byte by byte, five times slower for the texts of a chat.
class Core : public rapidjson::Writer<Stream, rapidjson::UTF8<>, rapidjson::UTF8<>, rapidjson::CrtAllocator> {
 public:
  using Writer::Writer;
  void splice(std::string_view json) {
    Prefix(rapidjson::kObjectType);
    os_->text += json;
  }
  void string(std::string_view value) {
    Prefix(rapidjson::kStringType);
    os_->text += '"';
    append_escaped(value);
    os_->text += '"';
  }

 private:
  void append_escaped(std::string_view value) {
    while (!value.empty()) {
      const std::size_t plain = plain_prefix(value);
      os_->text += value.substr(0, plain);
      if (plain == value.size()) return;
      append_escape(value[plain]);
      value.remove_prefix(plain + 1);
    }
  }

  void append_escape(char c) {
    constexpr std::string_view kHex = "0123456789abcdef";
    switch (c) {
      case '"': os_->text += "\\\""; break;
      case '\\': os_->text += "\\\\"; break;
      case '\n': os_->text += "\\n"; break;
      case '\r': os_->text += "\\r"; break;
      case '\t': os_->text += "\\t"; break;
      default:
        os_->text += "\\u00";
        os_->text += kHex[static_cast<unsigned char>(c) >> 4];
        os_->text += kHex[static_cast<unsigned char>(c) & 15];
    }
  }
};

}  // namespace

struct Writer::Sink {
  Stream stream;
  rapidjson::CrtAllocator allocator;
  Core core{stream, &allocator, 8};
  std::uint64_t objects = 0;  // a bit per open container: 1 object, 0 array; the innermost is lowest
  std::size_t open = 0;

  void enter(bool is_object) {
    INVARIANT(open < kMaxOpen, "nested too deep for a document of our own");
    objects = objects << 1 | (is_object ? 1U : 0U);
    ++open;
  }
};

Writer::Writer() : sink_(std::make_unique<Sink>()) { sink_->stream.text.reserve(kFirstReserve); }
Writer::~Writer() = default;
Writer::Writer(Writer&&) noexcept = default;

Writer& Writer::object() {
  sink_->enter(true);
  sink_->core.StartObject();
  return *this;
}

Writer& Writer::array() {
  sink_->enter(false);
  sink_->core.StartArray();
  return *this;
}

Writer& Writer::end() {
  INVARIANT(sink_->open > 0, "nothing is open");
  if (sink_->objects & 1) {
    sink_->core.EndObject();
  } else {
    sink_->core.EndArray();
  }
  sink_->objects >>= 1;
  --sink_->open;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  sink_->core.string(name);
  return *this;
}

Writer& Writer::text(std::string_view value) {
  sink_->core.string(value);
  return *this;
}

Writer& Writer::integer(std::int64_t value) {
  sink_->core.Int64(value);
  return *this;
}

Writer& Writer::number(double value) {
  if (!std::isfinite(value)) return null();  // JSON has no word for it
  sink_->core.Double(value);
  return *this;
}

Writer& Writer::boolean(bool value) {
  sink_->core.Bool(value);
  return *this;
}

Writer& Writer::null() {
  sink_->core.Null();
  return *this;
}

Writer& Writer::time(Timestamp value) { return text(format_time(value)); }

Writer& Writer::raw(std::string_view json) {
  sink_->core.splice(json);
  return *this;
}

Writer& Writer::optional_field(std::string_view name, const std::optional<std::string>& value) {
  return value ? key(name).text(*value) : *this;
}

Writer& Writer::optional_time(std::string_view name, const std::optional<Timestamp>& value) {
  return value ? key(name).time(*value) : *this;
}

std::string Writer::take() {
  INVARIANT(sink_->open == 0, "an object or array is still open");
  sink_->core.Reset(sink_->stream);
  return std::exchange(sink_->stream.text, {});
}

}  // namespace chat::json
