#include "cli/watch.h"

#include <ostream>

#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

/// What one round prints. Later rounds outlive a server that is away.
std::string frame_of(Session& session, const Verb::Run& verb, bool first) {
  std::string frame;
  session.capture(&frame);
  try {
    verb(session);
  } catch (const Failure& failure) {
    session.capture(nullptr);
    if (first || failure.exit() != Exit::unavailable) throw;
    return "error: " + printable(failure.message()) + "\n";
  } catch (...) {
    session.capture(nullptr);
    throw;
  }
  session.capture(nullptr);
  return frame;
}

std::string_view without_last_newline(std::string_view text) {
  return !text.empty() && text.back() == '\n' ? text.substr(0, text.size() - 1) : text;
}

/// From the top left; each line clears what stood behind it, the end all that stood below.
std::string drawn(const std::string& frame, std::size_t rows) {
  std::string out = "\x1b[H";
  std::size_t count = 0;
  for (const auto& line : text::split(without_last_newline(frame), '\n')) {
    if (++count > rows) break;
    out += std::string(count == 1 ? "" : "\r\n") + line + "\x1b[K";
  }
  return out + "\x1b[J";
}

}  // namespace

void watch(Session& session, const Verb::Run& verb, std::chrono::milliseconds interval, std::int64_t rounds) {
  auto& world = session.world();
  const bool redraws = world.out_is_terminal && world.variable("TERM") != "dumb";
  if (redraws) session.print_text("\x1b[2J");
  for (std::int64_t round = 1;; ++round) {
    const bool first = round == 1;
    const auto frame = frame_of(session, verb, first);
    if (redraws)
      session.print_text(drawn(frame, session.terminal_size().rows - 1));
    else
      session.print_text((first ? "" : "\n") + frame);
    if (round == rounds) break;
    if (!world.wait(interval)) throw Failure(Exit::interrupted, "");
  }
  if (redraws) session.print_text("\r\n");
}

}  // namespace chat::cli
