#pragma once
#include <string>
#include <string_view>

#include "platform/http/request.h"

namespace chat::http {

/// Appends status line and headers of `response`: its own, Content-Type, Content-Length, X-Request-Id, Date, Connection.
/// What a handler may not set (Content-Length, Transfer-Encoding, Connection, Date) is left out; control characters
/// in names and values become spaces, so no handler can be made to split a response.
/// Thread:  any.
void append_head(std::string& out, const Response& response, std::string_view request_id, bool keep_alive);

/// 200 with a body has one; 204, 304 and 1xx never have.
bool has_body(int status);

}  // namespace chat::http
