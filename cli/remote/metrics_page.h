#pragma once
#include <map>
#include <string>
#include <string_view>

namespace chat::cli {

/// The values of one metric on a page of Prometheus' text, by one of its labels. What lacks that label, and what can't
/// be read, is left out.
/// Source:  Prometheus text format 0.0.4
std::map<std::string, double> values_by(std::string_view page, std::string_view metric, std::string_view label);

}  // namespace chat::cli
