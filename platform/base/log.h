#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

/// One JSON line per event on standard error: {"at","level","event",...fields}. Never secrets, never message text.
namespace chat::log {

enum class Level { debug, info, warn, error, off };

struct Field {
  Field(std::string_view key, std::string_view value) : name(key), text(value) {}
  Field(std::string_view key, const char* value) : name(key), text(value) {}
  Field(std::string_view key, const std::string& value) : name(key), text(value) {}
  Field(std::string_view key, std::int64_t value) : name(key), number(value), is_number(true) {}
  Field(std::string_view key, int value) : Field(key, std::int64_t{value}) {}
  Field(std::string_view key, std::size_t value) : Field(key, static_cast<std::int64_t>(value)) {}
  std::string_view name;
  std::string_view text;
  std::int64_t number = 0;
  bool is_number = false;
};
using Fields = std::initializer_list<Field>;

void set_level(Level level);
Level parse_level(std::string_view word);           // debug info warn error off; else info
void debug(std::string_view event, Fields fields = {});   // event: noun.verb, e.g. "config.reloaded"
void info(std::string_view event, Fields fields = {});
void warn(std::string_view event, Fields fields = {});
void error(std::string_view event, Fields fields = {});

}  // namespace chat::log
