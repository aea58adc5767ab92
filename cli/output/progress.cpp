#include "cli/output/progress.h"

#include <algorithm>
#include <array>
#include <ostream>

namespace chat::cli {
namespace {

constexpr std::size_t kBar = 24;
constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kRepeat{10};
constexpr std::array<char, 4> kTurns = {'|', '/', '-', '\\'};

}  // namespace

Progress::Progress(Session& session, std::string doing, std::string unit)
    : session_(session), doing_(std::move(doing)), unit_(std::move(unit)) {}

Progress::~Progress() {
  if (drawn_) session_.world().err << "\r\x1b[K" << std::flush;
}

std::string Progress::line_of(std::uint64_t done, std::uint64_t total) const {
  return std::to_string(done) + (total == 0 ? "" : " of " + std::to_string(total)) + " " + unit_;
}

std::string Progress::bar_of(std::uint64_t done, std::uint64_t total) {
  if (total == 0) return doing_ + " " + kTurns[turn_++ % kTurns.size()] + " " + line_of(done, total);
  const auto part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
  const auto full = static_cast<std::size_t>(part * kBar);
  return doing_ + " [" + session_.err_style().paint(Ink::green, std::string(full, '#')) +
         std::string(kBar - full, '.') + "] " + std::to_string(static_cast<int>(part * 100)) + " %  " +
         line_of(done, total);
}

void Progress::at(std::uint64_t done, std::uint64_t total) {
  const auto now = std::chrono::steady_clock::now();
  const bool last = total != 0 && done >= total;
  if (now < next_ && !(last && session_.draws_on_err())) return;
  if (session_.draws_on_err()) {
    session_.world().err << "\r" << bar_of(done, total) << "\x1b[K" << std::flush;
    drawn_ = true;
    next_ = now + kRedraw;
  } else {
    session_.note(doing_ + ": " + line_of(done, total));
    next_ = now + kRepeat;
  }
}

}  // namespace chat::cli
