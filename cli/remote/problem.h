#pragma once
#include <string_view>

#include "cli/exit_code.h"
#include "cli/remote/api.h"

namespace chat::cli {

/// What an answer that is not 2xx means to the person at the terminal.
/// Shape:   message = the problem's detail; one line per mistake with its pointer; the request id; what to do
/// next.
Failure failure_of(const ApiRequest& request, const ApiAnswer& answer);

/// By the problem's code word first, else by the status.
Exit exit_of(std::string_view code, int status);

}  // namespace chat::cli
