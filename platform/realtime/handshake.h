#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "platform/base/error.h"
#include "platform/http/request.h"

/// The HTTP half of a WebSocket: which requests may become one, and what is answered.
/// Source:  RFC 6455 sections 4.2, 1.9; design.md 6 (credentials never in the URL)
namespace chat::realtime {

/// What a good upgrade request says.
struct Handshake {
  std::string accept;            // Sec-WebSocket-Accept
  bool chat_protocol = false;    // the client offered `chat.v1`: answer with it
  bool will_resume = false;      // ?resume=1: hold numbered events until its `resume` command
  std::string api_key;           // from X-API-Key or `key.<api_key>`; empty: none
  std::string token;             // from Authorization: Bearer or `token.<jwt>`; empty: none

  /// False: the first frame must be `auth`.
  [[nodiscard]] bool has_credentials() const { return !api_key.empty() || !token.empty(); }
};

/// Errors:  malformed_request  not a WebSocket upgrade of version 13, or a broken key, or a protocol list without chat.v1;
///          unknown_field      a query parameter other than `resume`; credentials in the URL are told why;
///          unauthenticated    Authorization that is not a bearer token, or both ways at once
Handshake read_handshake(const http::Request& request);

/// base64(SHA-1(key + GUID)).
std::string accept_of(std::string_view key);

/// The whole 101 answer.
std::string switching_protocols(const Handshake& handshake);

}  // namespace chat::realtime
