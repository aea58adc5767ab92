#pragma once
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Redis' protocol (RESP2) in our own words; hiredis formats and parses behind it. Pure.
namespace chat::redis {

struct Reply {
  enum class Kind { text, integer, list, none, error };
  Kind kind = Kind::none;
  std::string text;                          // text, error
  std::int64_t integer = 0;
  std::vector<Reply> list;
};

/// The bytes of one command.
std::string command(std::span<const std::string_view> words);
inline std::string command(std::initializer_list<std::string_view> words) {
  return command(std::span(words.begin(), words.size()));
}

/// Bytes in, replies out, in whatever pieces they come.
class Parser {
 public:
  Parser();
  ~Parser();
  /// False: this is not the protocol; the connection is of no use any more.
  [[nodiscard]] bool feed(std::string_view bytes, const std::function<void(Reply)>& tell);

 private:
  struct Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace chat::redis
