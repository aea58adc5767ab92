#include "platform/base/log.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "platform/base/clock.h"
#include "platform/base/json.h"
#include "platform/base/text.h"

namespace chat::log {
namespace {

constexpr std::size_t kMaxText = 8192;  // bytes of one field; more is cut: a line must never be a flood

std::atomic<Level>& threshold() {
  static std::atomic<Level> level{Level::info};
  return level;
}

/// The text as UTF-8 of bounded size: what a stranger sent may be neither.
std::string clean(std::string_view text) {
  const bool is_cut = text.size() > kMaxText;
  std::string out(text.substr(0, kMaxText));
  if (!text::is_utf8(out)) {
    for (char& c : out) {
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
  }
  return is_cut ? out + "…" : out;
}

/// One write(2) per line, so that lines of several threads never mix. A log that cannot be written has nobody left
/// to be told; the server goes on.
void write_line(std::string_view line) {
  while (!line.empty()) {
    const ssize_t n = ::write(STDERR_FILENO, line.data(), line.size());
    if (n > 0) {
      line.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno != EINTR) {
      return;
    }
  }
}

void line(Level level, std::string_view word, std::string_view event, Fields fields) {
  if (level < threshold().load(std::memory_order_relaxed)) return;
  json::Writer out;
  out.object().key("at").time(system_clock().now()).field("level", word).field("event", event);
  for (const Field& field : fields) {
    if (field.is_number) {
      out.field(field.name, field.number);
    } else {
      out.key(field.name).text(clean(field.text));
    }
  }
  out.end();
  write_line(out.take() + '\n');
}

}  // namespace

void set_level(Level level) { threshold().store(level, std::memory_order_relaxed); }

Level parse_level(std::string_view word) {
  if (word == "debug") return Level::debug;
  if (word == "warn") return Level::warn;
  if (word == "error") return Level::error;
  if (word == "off") return Level::off;
  return Level::info;
}

void debug(std::string_view event, Fields fields) { line(Level::debug, "debug", event, fields); }
void info(std::string_view event, Fields fields) { line(Level::info, "info", event, fields); }
void warn(std::string_view event, Fields fields) { line(Level::warn, "warn", event, fields); }
void error(std::string_view event, Fields fields) { line(Level::error, "error", event, fields); }

}  // namespace chat::log
