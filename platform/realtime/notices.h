#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"
#include "platform/realtime/catch_up.h"
#include "platform/realtime/delivery.h"

/// What the gateway itself says to clients, as JSON text. Events come ready from bus::render. See PROTOCOL.md.
namespace chat::realtime::notices {

std::string ready(const ConnectionId& connection, const Identity& identity, const Options& options);
std::string token_expiring(Timestamp expires_at);
std::string authenticated(const Identity& identity, std::string_view ref);      // a later `auth` that extends the session
std::string pong(std::string_view ref);
std::string error(const Error& error, std::string_view ref);
std::string resync(std::string_view cid, std::string_view reason, std::string_view epoch, std::int64_t last_seq);

/// `data` is a JSON object, `{}` when empty.
std::string done_with(std::string_view type, std::string_view ref, std::string_view data);
std::string done(std::string_view type, std::string_view ref, const std::vector<Standing>& channels,
                 const std::vector<std::string>& not_found);

/// Reason text of a close frame: the enumerator's name, or `protocol_error: …`.
std::string_view word(Close code);
/// How a refusal of `authenticate` or `opened` ends a socket that is already open.
Close close_for(Code code);

}  // namespace chat::realtime::notices
