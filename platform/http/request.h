#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/id.h"
#include "platform/base/error.h"
#include "platform/base/json.h"

namespace chat::http {

enum class Method { get, head, post, put, patch, del, options };
std::string_view word(Method method);                       // GET …
std::optional<Method> parse_method(std::string_view word);

/// Who asks, as the authenticating layer found out. Layers above derive from it.
class Principal {
 public:
  virtual ~Principal() = default;
};

/// One request, the same from every engine. Owns all its text.
struct Request {
  Method method = Method::get;
  std::string path;                                         // raw, without query
  std::vector<std::pair<std::string, std::string>> query;   // decoded, in order, repeats kept
  std::vector<std::pair<std::string, std::string>> headers; // names lower case, in order, repeats kept
  std::string body;
  std::string remote;                                       // the peer's address, no port
  std::string request_id;                                   // the caller's if [A-Za-z0-9_-]{1,64}, else made here
  Timestamp received_at{};
  bool keep_alive = true;

  // Filled by the router.
  const struct Route* route = nullptr;
  std::vector<std::pair<std::string_view, std::string>> path_parts;   // names point into the route; values decoded
  std::shared_ptr<const Principal> principal;

  [[nodiscard]] std::optional<std::string_view> header(std::string_view lower_name) const;   // first
  [[nodiscard]] const std::string& part(std::string_view name) const;                        // INVARIANT: the route has it
  /// Typed path part. Errors: not_found when it is no such id (an id that can't exist is a thing that does not exist).
  template <class IdType>
  [[nodiscard]] IdType id_part(std::string_view name, std::string_view what) const {
    auto id = IdType::parse(part(name));
    if (!id) throw not_found(what);
    return *id;
  }
};

/// Reads query parameters as json::Fields reads bodies: gathers mistakes, refuses unknown and repeated ones.
/// Errors:  invalid_field, unknown_field with pointer `query:<name>`.
class Query {
 public:
  explicit Query(const Request& request);
  std::optional<std::string> find_text(std::string_view name, std::size_t max_bytes = 255);
  std::int64_t integer(std::string_view name, std::int64_t fallback, std::int64_t min, std::int64_t max);
  std::optional<std::string> find_word(std::string_view name, const std::vector<std::string>& allowed);
  bool boolean(std::string_view name, bool fallback);       // true | false
  void finish();
 private:
  const std::string* take(std::string_view name);
  const Request& request_;
  std::vector<bool> asked_;
  std::vector<FieldError> mistakes_;
  bool only_unknown_ = true;
};

/// The request's JSON body. An absent body is `{}`: every member may then be missing.
/// Errors:  malformed_json
json::Document body_of(const Request& request);
/// For operations that take nothing: no body, or `{}`. Errors: malformed_json, unknown_field
void require_empty_body(const Request& request);

struct Response {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};

  Response& with(std::string name, std::string value) {
    headers.emplace_back(std::move(name), std::move(value));
    return *this;
  }
};
Response json(int status, std::string body);
Response no_content();
Response problem(const Error& error, std::string_view request_id);   // with Retry-After when the error has one

/// Answers the request; exactly once, from any thread. Dropping it unanswered answers 500 and logs.
using Responder = std::function<void(Response)>;

}  // namespace chat::http
