#pragma once
#include <functional>
#include <memory>
#include <string_view>

#include "platform/base/error.h"
#include "platform/http/request.h"

namespace chat::http {

struct WireLimits {
  std::size_t head_bytes = 16 * 1024;      // request line and headers
  std::size_t body_bytes = 1024 * 1024;
};

/// Turns the bytes of one connection into requests: HTTP/1.0 and 1.1, strictly, each request after the other.
/// Beast's parser judges the syntax; what it lets pass but two servers could read differently is refused here:
/// LF without CR, folded lines, a transfer coding other than `chunked`, chunked in HTTP/1.0, no or several Hosts.
/// Cookie, Date, Accept, Cache-Control and the value of Host are never interpreted, so odd ones do no harm.
///
/// Errors:  malformed_request, target_too_long, headers_too_large, too_large, length_required, method_not_allowed.
///          After a refusal the connection can't be read on: nobody knows where the next request begins.
/// Thread:  one at a time.
class RequestReader {
 public:
  /// How large the body may be, once the head is known. Errors: refuses the request.
  using BodyLimit = std::function<std::size_t(const Request& head)>;

  explicit RequestReader(WireLimits limits, BodyLimit body_limit = {});   // none: as the limits say
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  enum class Step { waiting, head, body, done, refused };     // waiting: not one byte of the next request yet

  /// Takes bytes as they come; returns how many belong to this request. All of them unless done or refused.
  std::size_t read(std::string_view bytes);
  [[nodiscard]] Step step() const;
  /// True once: the head is whole, the body has not begun, and the client waits for `100 Continue`.
  [[nodiscard]] bool take_continue();
  /// Bytes of the body that are held; taking them leaves room for the next.
  [[nodiscard]] std::size_t held_body() const;
  [[nodiscard]] std::string take_body();
  /// GET with `Upgrade: websocket` in HTTP/1.1. INVARIANT: done.
  [[nodiscard]] bool wants_websocket() const;
  /// The finished request, except remote and received_at; the reader then waits for the next. INVARIANT: done.
  [[nodiscard]] Request take();
  /// INVARIANT: refused.
  [[nodiscard]] const Error& refusal() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace chat::http
