#pragma once
#include <chrono>
#include <cstdint>
#include <string>

#include "cli/output/chart.h"
#include "cli/session.h"

namespace chat::cli {

/// How far long work is, on stderr. At a terminal a bar that redraws itself and is gone at the end; elsewhere a
/// plain line at first and then every ten seconds.
class Progress {
 public:
  /// "exporting", "parts"
  Progress(Session& session, std::string doing, std::string unit);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Units:   total 0: not known yet.
  void at(std::uint64_t done, std::uint64_t total = 0);

 private:
  [[nodiscard]] std::string line_of(std::uint64_t done, std::uint64_t total) const;
  [[nodiscard]] std::string bar_of(std::uint64_t done, std::uint64_t total);

  Session& session_;
  std::string doing_, unit_;
  bool drawn_ = false;
  std::size_t turn_ = 0;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace chat::cli
