#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/config.h"

/// What the config_*.cpp files share; private to them.
namespace chat::config {

/// A value as somebody wrote it. Lists are held as their items with '\n' between.
struct Given {
  std::string text;
  std::string where;  // file:line:column | CHAT_… | --flag
};
/// One source's values by dotted key; `<secret>_file` keys stand under their own name.
using Layer = std::map<std::string, Given, std::less<>>;
using Mistakes = std::vector<Mistake>;

const Entry* find_entry(const std::vector<Entry>& schema, std::string_view key);
/// The secret whose `<key>_file` this is, or null.
const Entry* find_secret_of_file(const std::vector<Entry>& schema, std::string_view key);
/// `; did you mean public.port?` or empty.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& words);

// config_yaml.cpp: the only code with yaml-cpp.
Layer read_yaml(const std::vector<Entry>& schema, const std::string& file, Mistakes& mistakes);

// config_value.cpp
std::optional<std::int64_t> parse_integer(std::string_view text);   // plain decimal, 64 bit
std::optional<std::int64_t> parse_duration(std::string_view text);  // milliseconds
std::optional<std::int64_t> parse_bytes(std::string_view text);
std::optional<bool> parse_boolean(std::string_view text);
std::string show_measure(Type type, std::int64_t value);            // 30000 as 30s, 65536 as 64KiB, else plain
std::string parse_list(std::string_view text);        // `a, b` or `[a, b]` to the held form
std::vector<std::string> list_items(std::string_view held);
/// What is wrong with `text` as a value of `entry`, or empty. A secret's text is not repeated.
std::string wrong_value(const Entry& entry, std::string_view text);

// config_secret.cpp
/// The content of a secret's file without its last line end.
/// Errors:  a mistake's text in `wrong`: missing, not a plain file, readable by others, foreign, empty, too large
std::optional<std::string> read_secret(const std::string& path, std::string& wrong);

}  // namespace chat::config
