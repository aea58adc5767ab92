#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace chat::cli {

/// "500ms", "90s", "15m", "24h", "7d"; up to ten years. Nothing else: a bare number has no unit.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
/// The shortest exact form: 24h, 90s.
std::string duration_text(std::chrono::milliseconds time);
/// "2026-11", for --month.
bool is_month(std::string_view text);
/// "2026-11-21", for --day.
bool is_day(std::string_view text);

}  // namespace chat::cli
