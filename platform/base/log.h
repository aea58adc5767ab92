#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

/// One JSON line per event on standard error: {"at","level","event",...fields}. Never secrets, never message text.
namespace chat::log {

enum class Level { debug, info, warn, error, off };

struct Field {
  Field(std::string_view name, std::string_view text) : name(name), text(text) {}
  Field(std::string_view name, const char* text) : name(name), text(text) {}
  Field(std::string_view name, const std::string& text) : name(name), text(text) {}
  Field(std::string_view name, std::int64_t number) : name(name), number(number), is_number(true) {}
  Field(std::string_view name, int number) : Field(name, std::int64_t{number}) {}
  Field(std::string_view name, std::size_t number) : Field(name, static_cast<std::int64_t>(number)) {}
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
