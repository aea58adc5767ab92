#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// The operator's HTTP API as the verbs see it. The real one is api_client.h (libcurl); tests hand in their
/// own.
namespace chat::cli {

struct ApiRequest {
  std::string method = "GET";
  std::string path;                                             // "/operator/v1/plans", parts already encoded
  std::vector<std::pair<std::string, std::string>> query = {};  // not yet encoded
  std::optional<std::string> body = {};                         // JSON
  bool with_token = true;
  std::vector<std::pair<std::string, std::string>> headers = {};  // besides the client's own
};

struct ApiAnswer {
  int status = 0;
  std::string body;
  std::map<std::string, std::string> headers;  // names lower case; of a repeated one the last
};

class Api {
 public:
  virtual ~Api() = default;
  /// One request, one answer, whatever its status.
  /// Errors:  Failure unavailable (not reachable, too slow, answer too large)
  virtual ApiAnswer send(const ApiRequest& request) = 0;
};

struct ApiOptions {
  std::string server;                             // "http://127.0.0.1:8081"
  std::function<std::string()> token;             // asked once, before the first request that wants one
  std::string api_key = {};                       // sent as X-API-Key; empty: none
  std::string ca_file;                            // empty: the system's
  std::chrono::milliseconds timeout{30'000};      // one request, connecting included
  std::function<void(const std::string&)> trace;  // -v: a line per request and answer; never a token
  std::function<void(const std::string&)> warn;   // what the person should know
};

/// The body of a good answer; a problem document becomes a Failure with its details and the exit code of its
/// `code`.
std::string call(Api& api, const ApiRequest& request);

std::string get(Api& api, const std::string& path,
                std::vector<std::pair<std::string, std::string>> query = {});
std::string post(Api& api, const std::string& path, const std::string& body);
std::string put(Api& api, const std::string& path, const std::string& body);
std::string patch(Api& api, const std::string& path, const std::string& body);
void del(Api& api, const std::string& path, std::vector<std::pair<std::string, std::string>> query = {});

/// Follows `next` and joins the pages' `member` arrays into one JSON array.
/// Units:   limit items in all; 0: no limit.
std::string list_all(Api& api, const std::string& path, const std::string& member,
                     std::vector<std::pair<std::string, std::string>> query = {}, std::size_t limit = 0);

/// The same of a query by POST. `body`: members of it and their JSON, as {"filter", "{…}"}.
/// Units:   page: how many are asked for at once
std::string query_all(Api& api, const std::string& path, const std::string& member,
                      const std::vector<std::pair<std::string, std::string>>& body, std::size_t limit = 0,
                      std::size_t page = 100);

/// What became of the one thing that a call for many was asked for: its `status`. `whom`: for the sentence, "user alice".
/// Errors:  Failure conflict: it was refused
std::string status_of_one(const std::string& answer, const std::string& whom);

/// "/v1/channels/messaging/general" + rest, of "messaging:general". Errors: Failure usage
std::string channel_path(const std::string& cid, const std::string& rest = "");

}  // namespace chat::cli
