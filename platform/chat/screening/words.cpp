#include <charconv>
#include <unordered_map>

#include "platform/base/crypto.h"
#include "platform/base/text.h"
#include "platform/chat/screening/screening.h"

namespace chat::screening {
namespace {

// A word is  *(print nonce mentions concerns user_id LF); print, nonce and concerns in hex
constexpr std::size_t kMessagesInAWord = 1'000, kPrintDigits = 64;

template <class Number>
bool read_number(std::string_view text, Number& number, int base) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::string hex_of(std::uint64_t number) {
  char digits[16];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, number, 16);
  return {digits, end};
}

std::optional<Print> read_print(std::string_view text) {
  if (text.size() != kPrintDigits) return std::nullopt;
  Print print{};
  for (std::size_t i = 0; i < print.size(); ++i)
    if (!read_number(text.substr(i * 2, 2), print[i], 16)) return std::nullopt;
  return print;
}

}  // namespace

std::vector<std::pair<AppId, std::string>> Screening::take_words() {
  std::unordered_map<AppId, std::vector<std::string>> details;
  std::unordered_map<AppId, std::size_t> lines;
  for (const auto& told : watch_.take_told()) {
    auto& parts = details[told.app];
    if (lines[told.app]++ % kMessagesInAWord == 0) parts.emplace_back();
    const std::string_view print(reinterpret_cast<const char*>(told.seen.print.data()), told.seen.print.size());
    parts.back() += crypto::hex(print) + " " + hex_of(told.seen.nonce) + " " + std::to_string(told.seen.mentions) + " " + hex_of(told.seen.concerns) + " " + told.user_id + "\n";
  }
  std::vector<std::pair<AppId, std::string>> words;
  for (auto& [app, parts] : details)
    for (auto& part : parts) words.emplace_back(app, std::move(part));
  return words;
}

void Screening::hear(const tenants::Application& application, const std::string& detail) {
  if (application.screening_version == 0) return;
  const auto set = set_of(application);
  const auto now = clock_.now();
  for (const auto& line : text::split(detail, '\n')) {
    const auto parts = text::split(line, ' ');
    if (parts.size() != 5) continue;
    Seen seen;
    const auto print = read_print(parts[0]);
    if (!print || !read_number(std::string_view(parts[1]), seen.nonce, 16) || !read_number(std::string_view(parts[2]), seen.mentions, 10) ||
        !read_number(std::string_view(parts[3]), seen.concerns, 16)) continue;
    seen.print = *print;
    watch_.see(application.id, parts[4], set->rules, seen, now, true);
  }
}

}  // namespace chat::screening
