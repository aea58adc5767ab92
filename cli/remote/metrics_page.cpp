#include "cli/remote/metrics_page.h"

#include <charconv>
#include <optional>

#include "platform/base/text.h"

namespace chat::cli {
namespace {

/// Of `{app="app_1",node="a"}`. Values with escapes are not what is asked for here.
std::optional<std::string> label_in(std::string_view labels, std::string_view name) {
  const auto wanted = std::string(name) + "=\"";
  for (auto at = labels.find(wanted); at != std::string_view::npos; at = labels.find(wanted, at + 1)) {
    if (at == 0 || (labels[at - 1] != '{' && labels[at - 1] != ',')) continue;
    const auto value = labels.substr(at + wanted.size());
    const auto end = value.find('"');
    if (end == std::string_view::npos || value.substr(0, end).find('\\') != std::string_view::npos) return std::nullopt;
    return std::string(value.substr(0, end));
  }
  return std::nullopt;
}

}  // namespace

std::map<std::string, double> values_by(std::string_view page, std::string_view metric, std::string_view label) {
  std::map<std::string, double> out;
  while (!page.empty()) {
    const auto line = page.substr(0, page.find('\n'));
    page.remove_prefix(std::min(page.size(), line.size() + 1));
    if (!line.starts_with(metric) || line.size() <= metric.size() || line[metric.size()] != '{') continue;
    const auto close = line.rfind('}');
    if (close == std::string_view::npos) continue;
    const auto name = label_in(line.substr(metric.size(), close - metric.size()), label);
    auto number = text::trim(line.substr(close + 1));
    number = number.substr(0, number.find(' '));  // a time may follow
    double value = 0;
    const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
    if (name && read.ec == std::errc() && read.ptr == number.data() + number.size()) out[*name] = value;
  }
  return out;
}

}  // namespace chat::cli
