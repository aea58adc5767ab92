#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/http/request.h"
#include "platform/storage/pool.h"

namespace chat::http {

/// Who may call a route at all. `any` needs no authentication; `api_key` an application's key and nobody's token.
enum class Access { any, api_key, server, user_or_server, operator_only };

/// A handler that needs the database: runs on a pool worker, in the request's own transaction, which also keeps its
/// Idempotency-Key. May be repeated after a serialization failure.
using Handler = std::function<Response(const Request&, storage::Transaction&)>;
/// A handler that never waits: runs on the engine's thread and answers whenever it has the answer.
using AsyncHandler = std::function<void(std::shared_ptr<Request>, Responder)>;

struct Route {
  Method method;
  std::string pattern;                     // /v1/channels/{type}/{id}/messages
  std::string operation;                   // operationId in openapi.yaml: send_message
  Access access = Access::user_or_server;
  storage::Mode mode = storage::Mode::write;
  std::size_t max_body_bytes = 64 * 1024;
  Handler handler = {};                    // one of the two
  AsyncHandler async = {};
  bool answers_secret = false;             // then a kept answer holds no body, and a repetition is refused
  std::string rate_class = {};            // read | write | send; empty: by method
};

/// Finds the route of a request. Patterns are literals and {parts}; literals win over parts.
/// Built at start, then immutable. Thread: any.
class Router {
 public:
  void add(Route route);                   // INVARIANT: no two routes for the same method and shape
  struct Match {
    const Route* route = nullptr;          // null: none
    bool other_method = false;             // the path exists with another method: 405
    std::string allow;                     // for the Allow header
  };
  /// Also fills request.route and request.path_parts (percent-decoded; a malformed escape matches nothing).
  Match match(Request& request) const;
  [[nodiscard]] std::vector<const Route*> routes() const;

 private:
  struct Node;
  std::vector<std::unique_ptr<Route>> routes_;
  std::shared_ptr<Node> root_;
};

}  // namespace chat::http
