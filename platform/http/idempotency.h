#pragma once
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "platform/http/request.h"
#include "platform/storage/transaction.h"

namespace chat::http {

/// One POST that its caller may repeat without doing it twice.
struct IdempotentCall {
  std::string principal;                   // who: "server", "user:alice", "operator"
  std::string operation;
  std::string key;                         // the caller's, 1..255 printable ASCII
  std::string fingerprint;                 // SHA-256 of method, path, query and body, 32 bytes
  bool answers_secret = false;             // the answer must not be kept
};

/// The Idempotency-Key of a request, quoted (a structured-field string) or bare; none when it has no such header.
/// Errors:  invalid_field header:idempotency-key
/// Source:  draft-ietf-httpapi-idempotency-key-header
std::optional<std::string> idempotency_key(const Request& request);
std::string fingerprint(const Request& request);

/// Runs `act` once per key: the first answer below 500 is kept in this transaction and given again to the same request,
/// marked `Idempotency-Replayed: true`. What `act` throws rolls back and is not kept, so the key stays free.
///
/// Errors:  idempotency_running   the twin has not committed yet; retry after 1 s
///          idempotency_mismatch  the key was used for another request
///          conflict              it was done already, and its answer held a secret that is shown once
/// Cost:    3 statements with the first call, 2 with a repetition.
Response once(storage::Transaction& tx, const IdempotentCall& call, const std::function<Response()>& act);

/// Deletes keys older than 24 hours, of all applications, some thousands at a time. Returns how many.
std::int64_t sweep_idempotency_keys(storage::Transaction& tx, int limit = 5'000);

}  // namespace chat::http
