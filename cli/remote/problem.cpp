#include "cli/remote/problem.h"

#include <algorithm>
#include <optional>
#include <string>

#include "cli/output/value.h"
#include "platform/base/error.h"
#include "platform/base/json.h"

namespace chat::cli {
namespace {

Exit exit_of_code(Code code) {
  switch (code) {
    case Code::malformed_request:
    case Code::malformed_json:
    case Code::invalid_field:
    case Code::unknown_field:
    case Code::method_not_allowed:
    case Code::length_required:
    case Code::too_large:
    case Code::target_too_long:
    case Code::unsupported_media_type:
    case Code::headers_too_large:
    case Code::internal:
      return Exit::failure;
    case Code::unauthenticated:
    case Code::token_expired:
    case Code::token_revoked:
    case Code::forbidden:
      return Exit::denied;
    case Code::not_found:
      return Exit::not_found;
    case Code::application_suspended:
    case Code::user_deactivated:
    case Code::channel_frozen:
    case Code::conflict:
    case Code::already_exists:
    case Code::idempotency_mismatch:
      return Exit::conflict;
    case Code::limit_reached:
    case Code::quota_exceeded:
    case Code::rate_limited:
    case Code::too_many_connections:
      return Exit::limit;
    case Code::idempotency_running:
    case Code::request_timeout:
    case Code::unavailable:
      return Exit::unavailable;
  }
  return Exit::failure;
}

Exit exit_of_status(int status) {
  switch (status) {
    case 401:
    case 403:
      return Exit::denied;
    case 404:
    case 410:
      return Exit::not_found;
    case 409:
    case 412:
    case 428:
      return Exit::conflict;
    case 402:
    case 429:
      return Exit::limit;
    case 408:
    case 502:
    case 503:
    case 504:
      return Exit::unavailable;
    default:
      return Exit::failure;
  }
}

void advise(Failure& failure, const ApiAnswer& answer) {
  switch (failure.exit()) {
    case Exit::denied:
      failure.with_next(
          "give an operator's token: --token-file FILE, CHATCTL_TOKEN_FILE, or chatctl context add");
      break;
    case Exit::unavailable:
      failure.with_next("chatctl doctor tells what is not working");
      break;
    default:
      break;
  }
  if (const auto wait = answer.headers.find("retry-after"); wait != answer.headers.end())
    failure.with_next("try again in " + wait->second + " s");
}

/// Parsed only when it is one: an error page of a proxy in between is not JSON.
std::optional<json::Document> problem_in(const ApiAnswer& answer) {
  try {
    auto document = json::Document::parse(answer.body);
    if (!text_at(document.root(), "detail").empty() || !text_at(document.root(), "title").empty())
      return document;
  } catch (const Error&) {
    return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

Exit exit_of(std::string_view code, int status) {
  const auto rows = code_rows();
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const CodeRow& r) { return r.word == code; });
  return row == rows.end() ? exit_of_status(status) : exit_of_code(row->code);
}

Failure failure_of(const ApiRequest& request, const ApiAnswer& answer) {
  const auto problem = problem_in(answer);
  if (!problem) {
    Failure failure(exit_of_status(answer.status), request.method + " " + request.path + " answered " +
                                                       std::to_string(answer.status) +
                                                       " without a problem document");
    if (answer.status == 404) failure.with_next("is --server the operator's address (default port 8081)?");
    advise(failure, answer);
    return failure;
  }
  const auto root = problem->root();
  const auto code = text_at(root, "code");
  auto detail = text_at(root, "detail");
  if (detail.empty()) detail = text_at(root, "title");
  Failure failure(exit_of(code, answer.status), detail + (code.empty() ? "" : " [" + code + "]"));
  if (const auto errors = find_at(root, "errors"); errors && errors->kind() == json::Kind::array) {
    const auto mistakes = errors->items();
    const bool said = mistakes.size() == 1 &&
                      detail.find(text_at(mistakes[0], "detail")) != std::string::npos &&
                      detail.find(text_at(mistakes[0], "pointer")) != std::string::npos;
    for (const auto& mistake : mistakes)
      if (!said) failure.with_detail(text_at(mistake, "pointer") + ": " + text_at(mistake, "detail"));
  }
  if (const auto id = text_at(root, "request_id"); !id.empty()) failure.with_detail("request " + id);
  advise(failure, answer);
  return failure;
}

}  // namespace chat::cli
