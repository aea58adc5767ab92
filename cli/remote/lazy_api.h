#pragma once
#include <functional>
#include <memory>

#include "cli/remote/api.h"

namespace chat::cli {

/// A door that is opened by the first request: opening one may leave something behind, as a token that is made for it does.
/// Errors:  those of `open`, from the first send
std::unique_ptr<Api> make_lazy_api(std::function<std::unique_ptr<Api>()> open);

}  // namespace chat::cli
