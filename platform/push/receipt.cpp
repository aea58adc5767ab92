#include "platform/push/receipt.h"

#include <algorithm>

namespace chat::push {
namespace {

constexpr std::size_t kMaxDetailBytes = 300;
constexpr std::size_t kMaxDelayDigits = 6;

std::optional<std::chrono::seconds> retry_after(const outbound::Answer& answer) {
  const std::string value(answer.header("retry-after"));
  const bool is_number = !value.empty() && value.size() <= kMaxDelayDigits && std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
  if (!is_number) return std::nullopt;
  return std::chrono::seconds(std::stol(value));
}

}  // namespace

Receipt judge(const outbound::Answer& answer) {
  if (answer.outcome == outbound::Outcome::invalid_target || answer.outcome == outbound::Outcome::refused_address)
    return {Verdict::refused, {}, std::string(outbound::word(answer.outcome))};
  if (answer.outcome != outbound::Outcome::answered) return {Verdict::later, {}, std::string(outbound::word(answer.outcome))};
  const std::string detail = std::to_string(answer.status) + " " + answer.body.substr(0, kMaxDetailBytes);
  if (answer.status >= 200 && answer.status < 300) return {Verdict::sent, {}, {}};
  if (answer.status == 429 || answer.status >= 500) return {Verdict::later, retry_after(answer), detail};
  return {Verdict::refused, {}, detail};
}

}  // namespace chat::push
