#pragma once
#include <string>
#include <vector>

#include "platform/base/config.h"

/// Everything an operator can set. ops/config/chat.default.yaml is made from this list.
namespace chat::server {

const std::vector<config::Entry>& settings_schema();

/// Checks that need more than one key. Empty: fine.
std::vector<config::Mistake> check_together(const config::Settings& settings);

}  // namespace chat::server
