#include "platform/http/request.h"

#include <algorithm>
#include <charconv>

namespace chat::http {
namespace {

constexpr std::pair<Method, std::string_view> kMethods[] = {
    {Method::get, "GET"},     {Method::head, "HEAD"},  {Method::post, "POST"},      {Method::put, "PUT"},
    {Method::patch, "PATCH"}, {Method::del, "DELETE"}, {Method::options, "OPTIONS"}};

std::string pointer(std::string_view name) { return "query:" + std::string(name); }

}  // namespace

std::string_view word(Method method) { return kMethods[static_cast<std::size_t>(method)].second; }

std::optional<Method> parse_method(std::string_view text) {
  for (const auto& [method, name] : kMethods)
    if (name == text) return method;
  return std::nullopt;
}

std::optional<std::string_view> Request::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_name) return value;
  return std::nullopt;
}

const std::string& Request::part(std::string_view name) const {
  const auto found = std::find_if(path_parts.begin(), path_parts.end(),
                                  [&](const auto& part) { return part.first == name; });
  INVARIANT(found != path_parts.end(), "the route has no such part");
  return found->second;
}

Query::Query(const Request& request) : request_(request), asked_(request.query.size(), false) {}

const std::string* Query::take(std::string_view name) {
  const std::string* value = nullptr;
  bool repeated = false;
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    if (request_.query[i].first != name) continue;
    repeated = repeated || value != nullptr;
    value = &request_.query[i].second;
    asked_[i] = true;
  }
  if (!repeated) return value;
  mistakes_.push_back({pointer(name), "is given more than once"});
  only_unknown_ = false;
  return nullptr;
}

std::optional<std::string> Query::find_text(std::string_view name, std::size_t max_bytes) {
  const std::string* value = take(name);
  if (!value) return std::nullopt;
  if (value->size() <= max_bytes) return *value;
  mistakes_.push_back({pointer(name), "is longer than " + std::to_string(max_bytes) + " bytes"});
  only_unknown_ = false;
  return std::nullopt;
}

std::int64_t Query::integer(std::string_view name, std::int64_t fallback, std::int64_t min, std::int64_t max) {
  const std::string* value = take(name);
  if (!value) return fallback;
  std::int64_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc{} && stop == end && number >= min && number <= max) return number;
  mistakes_.push_back(
      {pointer(name), "must be an integer from " + std::to_string(min) + " to " + std::to_string(max)});
  only_unknown_ = false;
  return fallback;
}

std::optional<std::string> Query::find_word(std::string_view name, const std::vector<std::string>& allowed) {
  const std::string* value = take(name);
  if (!value) return std::nullopt;
  if (std::find(allowed.begin(), allowed.end(), *value) != allowed.end()) return *value;
  std::string words;
  for (const auto& each : allowed) words += (words.empty() ? "" : ", ") + each;
  mistakes_.push_back({pointer(name), "must be one of " + words});
  only_unknown_ = false;
  return std::nullopt;
}

bool Query::boolean(std::string_view name, bool fallback) {
  const auto given = find_word(name, {"true", "false"});
  return given ? *given == "true" : fallback;
}

void Query::finish() {
  for (std::size_t i = 0; i < asked_.size(); ++i)
    if (!asked_[i]) mistakes_.push_back({pointer(request_.query[i].first), "is not known here"});
  if (mistakes_.empty()) return;
  throw Error(only_unknown_ ? Code::unknown_field : Code::invalid_field,
              only_unknown_ ? "The query has parameters that are not known here." : "The query has mistakes.",
              std::move(mistakes_));
}

Response json(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

Response no_content() {
  Response response;
  response.status = 204;
  response.content_type.clear();
  return response;
}

Response problem(const Error& error, std::string_view request_id) {
  const int status = row_of(error.code()).status;
  Response response = json(status, problem_json(error, request_id));
  response.content_type = "application/problem+json";
  const bool must_say = status == 429 || status == 503;
  if (error.retry_after() || must_say)
    response.with("Retry-After", std::to_string(error.retry_after().value_or(std::chrono::seconds(1)).count()));
  return response;
}

json::Document body_of(const Request& request) {
  return json::Document::parse(request.body.empty() ? std::string_view("{}") : std::string_view(request.body));
}

void require_empty_body(const Request& request) {
  auto document = body_of(request);
  json::Fields(document.root()).finish();
}

}  // namespace chat::http
