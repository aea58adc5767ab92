#pragma once
#include <chrono>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace chat {

/// Why a request was refused. Closed set; one row each in `code_rows()`.
/// The wire word of a code is its enumerator's name and never changes.
enum class Code {
  malformed_request,
  malformed_json,
  invalid_field,
  unknown_field,
  unauthenticated,
  token_expired,
  token_revoked,
  forbidden,
  application_suspended,
  user_deactivated,
  channel_frozen,
  not_found,
  method_not_allowed,
  request_timeout,
  conflict,
  already_exists,
  idempotency_running,
  length_required,
  too_large,
  target_too_long,
  unsupported_media_type,
  idempotency_mismatch,
  headers_too_large,
  limit_reached,
  quota_exceeded,
  rate_limited,
  too_many_connections,
  internal,
  unavailable,
};

/// One row of the error table: the only place where a status is written.
struct CodeRow {
  Code code;
  std::string_view word;     // on the wire, in problem bodies and WebSocket error frames
  int status;                // HTTP status
  bool retryable;            // the same request may succeed later without a change
  std::string_view title;    // fixed sentence, RFC 9457 `title`
  std::string_view advice;   // what the caller should do next; goes into the docs
};

/// Shape:   every Code once, in order of the enum.
std::span<const CodeRow> code_rows();
const CodeRow& row_of(Code code);

/// One mistake in the request. `pointer` is a JSON Pointer with '#' (`#/members/3/role`) for bodies,
/// `query:limit`, `path:user_id` or `header:authorization` for the other parts.
struct FieldError {
  std::string pointer;
  std::string detail;
};

/// A refusal: ends the request, rolls back its transaction, becomes one problem document.
/// `what()` is the sentence for the client; `log_detail` is never sent.
class Error : public std::runtime_error {
 public:
  Error(Code code, std::string detail, std::vector<FieldError> fields = {});

  [[nodiscard]] Code code() const { return code_; }
  [[nodiscard]] const std::vector<FieldError>& fields() const { return fields_; }

  Error& with_log(std::string detail) { log_detail_ = std::move(detail); return *this; }
  Error& with_retry_after(std::chrono::seconds wait) { retry_after_ = wait; return *this; }
  [[nodiscard]] const std::string& log_detail() const { return log_detail_; }
  [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

 private:
  Code code_;
  std::vector<FieldError> fields_;
  std::string log_detail_;
  std::optional<std::chrono::seconds> retry_after_;
};

/// The usual refusals, so that the same fact is always said in the same words.
[[nodiscard]] Error not_found(std::string_view what);                       // "No such channel."
[[nodiscard]] Error invalid_field(std::string pointer, std::string detail);
[[nodiscard]] Error forbidden(std::string detail);

/// The RFC 9457 body of a refusal.
/// Shape:   {"type","title","status","code","detail","request_id","retryable","errors":[{"pointer","detail"}]}
std::string problem_json(const Error& error, std::string_view request_id);

/// A programmer's mistake: prints and aborts. User input must never reach one.
[[noreturn]] void invariant_failed(const char* condition, const char* why, const char* file, int line);

}  // namespace chat

#define INVARIANT(condition, why) \
  ((condition) ? void() : ::chat::invariant_failed(#condition, why, __FILE__, __LINE__))
