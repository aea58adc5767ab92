#include "platform/realtime/handshake.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "platform/base/crypto.h"
#include "platform/base/text.h"

namespace chat::realtime {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::string_view kProtocol = "chat.v1";
constexpr std::string_view kKeyPrefix = "key.";
constexpr std::string_view kTokenPrefix = "token.";
constexpr std::size_t kKeyBytes = 24;   // base64 of 16 bytes

// All fields of one name joined: repeats of a list header mean the same as one with commas (RFC 9110 5.3).
std::vector<std::string> list_of(const http::Request& request, std::string_view name) {
  std::vector<std::string> items;
  for (const auto& [header, value] : request.headers) {
    if (header != name) continue;
    for (const auto& item : text::split(value, ',')) {
      if (const auto trimmed = text::trim(item); !trimmed.empty()) items.emplace_back(trimmed);
    }
  }
  return items;
}

bool has_word(const http::Request& request, std::string_view name, std::string_view word) {
  const auto items = list_of(request, name);
  return std::any_of(items.begin(), items.end(), [&](const std::string& item) { return text::lower_ascii(item) == word; });
}

bool is_key(std::string_view key) {
  const auto is_base64 = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
  };
  return key.size() == kKeyBytes && key.ends_with("==") && std::all_of(key.begin(), key.end() - 2, is_base64);
}

void check_upgrade(const http::Request& request) {
  if (request.method != http::Method::get || !has_word(request, "upgrade", "websocket") ||
      !has_word(request, "connection", "upgrade")) {
    throw Error(Code::malformed_request, "This address speaks WebSocket: send an upgrade request.");
  }
  if (request.header("sec-websocket-version") != "13") {
    throw Error(Code::malformed_request, "Only WebSocket version 13 is spoken.",
                {{"header:sec-websocket-version", "must be 13"}});
  }
  const auto key = request.header("sec-websocket-key");
  if (!key || !is_key(*key)) {
    throw Error(Code::malformed_request, "The WebSocket key is missing or broken.",
                {{"header:sec-websocket-key", "must be 16 bytes in base64"}});
  }
}

bool read_query(const http::Request& request) {
  bool will_resume = false;
  for (const auto& [name, value] : request.query) {
    if (name == "resume" && (value == "1" || value == "0")) {
      will_resume = value == "1";
      continue;
    }
    static constexpr std::array kSecrets{"token", "access_token", "authorization", "jwt", "api_secret"};
    if (std::find(kSecrets.begin(), kSecrets.end(), text::lower_ascii(name)) != kSecrets.end()) {
      throw Error(Code::malformed_request,
                  "Credentials in a URL end up in logs. Send them in headers, the subprotocol or the first frame.",
                  {{"query:" + name, "must not be in the URL"}});
    }
    throw Error(Code::unknown_field, "Unknown query parameter.", {{"query:" + name, "only resume=0|1 is known"}});
  }
  return will_resume;
}

void read_headers(const http::Request& request, Handshake& found) {
  if (const auto key = request.header("x-api-key")) found.api_key = *key;
  const auto authorization = request.header("authorization");
  if (!authorization) return;
  constexpr std::string_view kBearer = "bearer ";
  if (text::lower_ascii(authorization->substr(0, kBearer.size())) != kBearer) {
    throw Error(Code::unauthenticated, "Authorization must be a bearer token.");
  }
  found.token = text::trim(authorization->substr(kBearer.size()));
}

void read_protocols(const http::Request& request, Handshake& found) {
  const auto offered = list_of(request, "sec-websocket-protocol");
  for (const auto& item : offered) {
    if (item == kProtocol) {
      found.chat_protocol = true;
      continue;
    }
    std::string* target = item.starts_with(kKeyPrefix) ? &found.api_key
                          : item.starts_with(kTokenPrefix) ? &found.token : nullptr;
    if (target == nullptr) continue;
    if (!target->empty()) throw Error(Code::unauthenticated, "Credentials came twice.");
    *target = item.substr(target == &found.token ? kTokenPrefix.size() : kKeyPrefix.size());
  }
  // A browser closes the connection when none of the offered protocols is answered: say why instead.
  if (!offered.empty() && !found.chat_protocol) {
    throw Error(Code::malformed_request, "Only the subprotocol chat.v1 is spoken.",
                {{"header:sec-websocket-protocol", "must contain chat.v1"}});
  }
}

}  // namespace

std::string accept_of(std::string_view key) {
  const std::string input = std::string(key).append(kGuid);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  INVARIANT(EVP_Digest(input.data(), input.size(), digest.data(), &size, EVP_sha1(), nullptr) == 1,
            "RFC 6455 needs SHA-1");
  return crypto::base64({reinterpret_cast<const char*>(digest.data()), size});
}

Handshake read_handshake(const http::Request& request) {
  check_upgrade(request);
  Handshake found;
  found.will_resume = read_query(request);
  read_headers(request, found);
  read_protocols(request, found);
  found.accept = accept_of(*request.header("sec-websocket-key"));
  return found;
}

std::string switching_protocols(const Handshake& handshake) {
  std::string answer =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
  answer.append(handshake.accept).append("\r\n");
  if (handshake.chat_protocol) answer.append("Sec-WebSocket-Protocol: ").append(kProtocol).append("\r\n");
  return answer.append("\r\n");
}

}  // namespace chat::realtime
