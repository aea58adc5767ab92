#include "platform/webhooks/attempt.h"

#include <algorithm>
#include <ctime>

#include "platform/base/text.h"

namespace chat::webhooks {
namespace {

using std::chrono::seconds;
using outbound::Outcome;

constexpr seconds kSlowest{60}, kHour{3600}, kNotCalled{5};
constexpr std::size_t kMaxDigits = 9;

std::string outcome_of(const outbound::Answer& answer) {
  if (answer.outcome != Outcome::answered) return std::string(outbound::word(answer.outcome));
  if (answer.status >= 200 && answer.status < 300) return "succeeded";
  if (answer.status >= 300 && answer.status < 400) return "redirected";
  if (answer.status == 410) return "gone";
  if (answer.status == 429 || answer.status == 502 || answer.status == 504) return "throttled";
  return "http_error";
}

seconds wait_of(seconds base, const outbound::Answer& answer, const std::string& outcome, Timestamp now) {
  if (outcome == "throttled" || outcome == "timed_out") base = std::max(base, kSlowest);
  const auto wished = parse_retry_after(answer.header("retry-after"), now);
  return wished ? std::clamp(*wished, base, std::max(2 * base, kHour)) : base;
}

}  // namespace

Judged judge(const Tried& tried, const outbound::Answer& answer, Timestamp now, double luck) {
  if (tried.fault.empty() && is_our_fault(answer)) return {"pending", now + kNotCalled, false, "", Health::same};
  Judged judged;
  judged.outcome = tried.fault.empty() ? outcome_of(answer) : tried.fault;
  judged.health = judged.outcome == "succeeded" ? Health::good : judged.outcome == "gone" ? Health::gone : Health::bad;
  judged.state = judged.outcome == "succeeded" ? "succeeded" : "failed";
  const bool ends = judged.health != Health::bad || tried.is_test || tried.attempts >= static_cast<std::int64_t>(tried.schedule.size());
  if (ends) return judged;
  const seconds base(tried.schedule[static_cast<std::size_t>(tried.attempts)]);
  const auto wait = std::chrono::duration_cast<std::chrono::microseconds>(wait_of(base, answer, judged.outcome, now));
  judged.state = "pending";
  judged.again = now + wait + std::chrono::microseconds(static_cast<std::int64_t>(static_cast<double>(wait.count()) * luck / 5));
  return judged;
}

std::optional<seconds> parse_retry_after(std::string_view value, Timestamp now) {
  const bool is_number = !value.empty() && value.size() <= kMaxDigits && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) return seconds(std::stol(std::string(value)));
  std::tm parts{};
  const std::string text(value);
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const auto at = std::chrono::sys_seconds(seconds(::timegm(&parts)));
  return std::max(seconds(0), std::chrono::ceil<seconds>(at - now));
}

std::string clean_text(std::string_view bytes) {
  std::string out(bytes);
  std::ranges::replace(out, '\0', ' ');
  for (std::size_t cut = 1; cut <= 3 && cut < out.size() && !text::is_utf8(out); ++cut)   // cut in the middle of a character
    if (text::is_utf8(std::string_view(out).substr(0, out.size() - cut))) out.resize(out.size() - cut);
  if (!text::is_utf8(out)) std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  return out;
}

}  // namespace chat::webhooks
