#include "platform/storage/sqlstate.h"

#include <array>

#include "platform/base/metrics.h"

namespace chat::storage {
namespace {

struct OwnRefusal {
  std::string_view sqlstate;
  Code code;
};
// What our own SQL functions raise: `raise exception using errcode = 'CH404', message = 'No such channel.'`.
constexpr std::array kOwnRefusals{
    OwnRefusal{"CH403", Code::forbidden},
    OwnRefusal{"CH404", Code::not_found},
    OwnRefusal{"CH409", Code::conflict},
    OwnRefusal{"CH429", Code::limit_reached},
};

void count(const char* kind) {
  metrics::counter("chat_database_errors_total", "Failed statements, by what they meant.", {{"kind", kind}}).add();
}

bool starts(std::string_view sqlstate, std::string_view sqlclass) { return sqlstate.substr(0, sqlclass.size()) == sqlclass; }

bool is_passing(std::string_view sqlstate) {
  return ends_session(sqlstate) || starts(sqlstate, "57") || starts(sqlstate, "53") || starts(sqlstate, "40") ||
         sqlstate == "55P03";
}

}  // namespace

bool may_repeat(std::string_view sqlstate) { return sqlstate == "40001" || sqlstate == "40P01"; }

bool ends_session(std::string_view sqlstate) {
  return starts(sqlstate, "08") || starts(sqlstate, "57P") || sqlstate == "25P03";
}

Error unavailable(std::string log_detail) {
  count("unavailable");
  Error error(Code::unavailable, "The service can't reach its database. Try again in a moment.");
  error.with_log(std::move(log_detail)).with_retry_after(std::chrono::seconds(1));
  return error;
}

Error refusal_of(const Failure& failure) {
  const std::string told = failure.sqlstate + " in " + std::string(failure.statement) + ": " + failure.message;
  for (const OwnRefusal& own : kOwnRefusals)
    if (failure.sqlstate == own.sqlstate) {
      count("refused");
      return Error(own.code, failure.message);
    }
  if (failure.sqlstate == "23505") {
    count("conflict");
    return Error(Code::conflict, "Something with this identity exists already.").with_log(told);
  }
  if (is_passing(failure.sqlstate)) return unavailable(told);
  count("internal");
  return Error(Code::internal, "The service made a mistake.").with_log(told);
}

}  // namespace chat::storage
