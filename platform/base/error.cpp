#include "platform/base/error.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "platform/base/json.h"

namespace chat {
namespace {

constexpr std::string_view kFixRequest = "Correct the request as the detail says, then send it again.";
constexpr std::string_view kFixFields = "Correct the fields listed in `errors`, then send the request again.";
constexpr std::string_view kWaitAndRepeat = "Wait as long as Retry-After says, then send the same request again.";

constexpr std::array kRows = {
    CodeRow{Code::malformed_request, "malformed_request", 400, false,
            "The request is not well-formed HTTP for this API.", kFixRequest},
    CodeRow{Code::malformed_json, "malformed_json", 400, false,
            "The body is not a JSON document that this API accepts.",
            "Send UTF-8 JSON without a byte order mark, nested at most 32 deep, each key once."},
    CodeRow{Code::invalid_field, "invalid_field", 400, false, "One or more fields are not valid.", kFixFields},
    CodeRow{Code::unknown_field, "unknown_field", 400, false, "The request has fields that this call does not know.",
            "Remove or rename the fields listed in `errors`; your own data belongs in `custom`."},
    CodeRow{Code::unauthenticated, "unauthenticated", 401, false, "The request carries no valid proof of identity.",
            "Send the API key and a token signed with one of the application's secrets."},
    CodeRow{Code::token_expired, "token_expired", 401, false, "The token's time is over.",
            "Get a fresh token from your backend and repeat the request with it."},
    CodeRow{Code::token_revoked, "token_revoked", 401, false, "The token was revoked.",
            "Sign the user in again; tokens made after the revocation are accepted."},
    CodeRow{Code::forbidden, "forbidden", 403, false, "The caller may not do this.",
            "The detail names the missing permission; ask for a role that has it, or use a server token."},
    CodeRow{Code::application_suspended, "application_suspended", 403, false, "The application is suspended.",
            "Contact the operator of this service."},
    CodeRow{Code::user_deactivated, "user_deactivated", 403, false, "The user is deactivated.",
            "Reactivate the user with a server token."},
    CodeRow{Code::channel_frozen, "channel_frozen", 403, false, "The channel is frozen.",
            "Unfreeze the channel, or send with a role that may write to frozen channels."},
    CodeRow{Code::not_found, "not_found", 404, false, "There is no such thing here.",
            "Check the id and the application; things of other applications answer alike."},
    CodeRow{Code::method_not_allowed, "method_not_allowed", 405, false, "This address does not know that method.",
            "Use one of the methods in the Allow header."},
    CodeRow{Code::request_timeout, "request_timeout", 408, true, "The request did not arrive in time.",
            "Send the request again over a new connection."},
    CodeRow{Code::conflict, "conflict", 409, false, "The request does not fit the present state.",
            "Read the present state, then decide again."},
    CodeRow{Code::already_exists, "already_exists", 409, false, "A thing with this id exists already.",
            "Use the existing one, or choose another id."},
    CodeRow{Code::idempotency_running, "idempotency_running", 409, true,
            "A request with this Idempotency-Key is still running.", kWaitAndRepeat},
    CodeRow{Code::length_required, "length_required", 411, false, "The request does not say how long its body is.",
            "Send Content-Length."},
    CodeRow{Code::too_large, "too_large", 413, false, "The body is larger than allowed.",
            "Send less, or split the work into several requests."},
    CodeRow{Code::target_too_long, "target_too_long", 414, false, "The address is longer than allowed.",
            "Shorten the query, or use the call's POST form."},
    CodeRow{Code::unsupported_media_type, "unsupported_media_type", 415, false,
            "The body's media type is not accepted.", "Send Content-Type: application/json."},
    CodeRow{Code::idempotency_mismatch, "idempotency_mismatch", 422, false,
            "This Idempotency-Key was used for a different request.",
            "Use a new key for a new request; repeat a request byte for byte under its old key."},
    CodeRow{Code::headers_too_large, "headers_too_large", 431, false, "The request's headers are larger than allowed.",
            "Send fewer or shorter headers."},
    CodeRow{Code::limit_reached, "limit_reached", 403, false, "A limit of the plan or the settings is reached.",
            "Remove something first, or have the limit raised."},
    CodeRow{Code::quota_exceeded, "quota_exceeded", 429, false, "The plan's quota for this period is used up.",
            "Wait for the next period, or change the plan."},
    CodeRow{Code::rate_limited, "rate_limited", 429, true, "Too many requests in a short time.", kWaitAndRepeat},
    CodeRow{Code::too_many_connections, "too_many_connections", 429, true, "Too many connections are open.",
            "Close connections that are not needed, or connect again later."},
    CodeRow{Code::internal, "internal", 500, false, "The server made a mistake.",
            "Report the request_id to the operator; do not repeat the request blindly."},
    CodeRow{Code::unavailable, "unavailable", 503, true, "The server cannot answer for a moment.", kWaitAndRepeat},
};

constexpr bool rows_follow_the_enum() {
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    if (static_cast<std::size_t>(kRows[i].code) != i) return false;
  }
  return kRows.size() == static_cast<std::size_t>(Code::unavailable) + 1;
}
static_assert(rows_follow_the_enum(), "every code needs its row, in order of the enum");

}  // namespace

std::span<const CodeRow> code_rows() { return kRows; }

const CodeRow& row_of(Code code) { return kRows.at(static_cast<std::size_t>(code)); }

Error::Error(Code code, std::string detail, std::vector<FieldError> fields)
    : std::runtime_error(std::move(detail)), code_(code), fields_(std::move(fields)) {}

Error not_found(std::string_view what) {
  return Error(Code::not_found, "No such " + std::string(what) + ".");
}

Error invalid_field(std::string pointer, std::string detail) {
  std::string sentence = pointer + " " + detail;
  std::vector<FieldError> fields;
  fields.push_back({std::move(pointer), std::move(detail)});
  return Error(Code::invalid_field, std::move(sentence), std::move(fields));
}

Error forbidden(std::string detail) { return Error(Code::forbidden, std::move(detail)); }

std::string problem_json(const Error& error, std::string_view request_id) {
  const CodeRow& row = row_of(error.code());
  json::Writer out;
  out.object();
  out.key("type").text("urn:chatd:problem:" + std::string(row.word));
  out.field("title", row.title);
  out.field("status", std::int64_t{row.status});
  out.field("code", row.word);
  out.field("detail", std::string_view(error.what()));
  out.field("request_id", request_id);
  out.key("retryable").boolean(row.retryable);
  out.key("errors").array();
  for (const FieldError& field : error.fields()) {
    out.object().field("pointer", std::string_view(field.pointer));
    out.field("detail", std::string_view(field.detail)).end();
  }
  out.end().end();
  return out.take();
}

void invariant_failed(const char* condition, const char* why, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: invariant broken: %s (%s)\n", file, line, why, condition);
  std::abort();
}

}  // namespace chat
