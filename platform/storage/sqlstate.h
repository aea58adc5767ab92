#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "platform/base/error.h"

/// What a failure of PostgreSQL means to the product. Private to this folder.
namespace chat::storage {

/// How much longer than its statement_timeout a session waits for the answer before it gives the connection up.
inline constexpr std::chrono::milliseconds kAnswerMargin{2'000};

/// What a failed statement told.
struct Failure {
  std::string sqlstate;       // empty: the server did not say
  std::string message;        // the primary message alone
  std::string_view statement;
};

/// 40001 and 40P01: the same transaction may succeed when it is run again.
bool may_repeat(std::string_view sqlstate);
/// The server has ended the session, or is about to.
bool ends_session(std::string_view sqlstate);

/// The refusal that a failed statement becomes; counts it in chat_database_errors_total{kind}.
/// Shape:   23505 → conflict; 08xxx, 57xxx, 53xxx, 55P03, 25P03, 40xxx → unavailable, Retry-After 1;
///          CH404, CH409, CH403, CH429 → not_found, conflict, forbidden, limit_reached with the function's own sentence;
///          anything else → internal, with the SQLSTATE in the log's detail.
Error refusal_of(const Failure& failure);
/// The database is away or gave no answer.
Error unavailable(std::string log_detail);

}  // namespace chat::storage
