#pragma once
#include <functional>
#include <memory>

#include "cli/remote/api.h"

namespace chat::cli {

/// Lets reads through and hands each change to `stop` instead of sending it: "POST /v1/users {…}".
std::unique_ptr<Api> make_dry_api(std::unique_ptr<Api> api, std::function<void(const std::string&)> stop);

}  // namespace chat::cli
