#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "tests/support/json_schema.h"

namespace chat::test {

/// One operation of openapi.yaml.
struct Operation {
  std::string method;                // GET …
  std::string path;                  // /v1/channels/{type}/{id}
  std::string id;                    // operationId
  std::string access;                // any | server | user_or_server | operator_only
  std::string door;                  // public | operator | websocket
  const nlohmann::json* node = nullptr;
};

/// openapi.yaml as it is built into the server, asked whether answers and events are what it promises.
/// When $CHAT_CONTRACT_COVERAGE names a directory, each check leaves a file "operation.<id>.<status>", "code.<code>" or
/// "event.<type>" there, with the names of the tests that saw it, for the coverage test.
/// Thread:  any.
class Contract {
 public:
  /// The one of this build. Throws when the document does not parse.
  static const Contract& get();

  /// What is wrong with an answer, each as one line; empty: it is as promised.
  /// Shape:   path as sent, query allowed; content_type empty: not looked at; body of HEAD and 204 must be empty.
  /// An address or method that no operation has must answer a problem; 404 is always allowed (the other door's address).
  [[nodiscard]] std::vector<std::string> check_response(std::string_view method, std::string_view path, int status,
                                                        std::string_view body, std::string_view content_type = {}) const;
  /// The same for a frame of a WebSocket or webhook that carries an event (not for the protocol's own frames).
  [[nodiscard]] std::vector<std::string> check_event(std::string_view frame) const;
  [[nodiscard]] bool is_event(std::string_view type) const;

  /// The operation at this address if it changes something that belongs into an audit: at the operator's door, or with a server token.
  [[nodiscard]] const Operation* find_change(std::string_view method, std::string_view path) const;
  /// A change by it stands in an audit. Leaves a file "noted.<id>".
  static void saw_note(const Operation& operation);

  [[nodiscard]] const nlohmann::json& document() const { return document_; }
  [[nodiscard]] const JsonSchema& schemas() const { return schemas_; }
  [[nodiscard]] const std::vector<Operation>& operations() const { return operations_; }

 private:
  Contract();
  [[nodiscard]] const Operation* find(std::string_view method, std::string_view path) const;
  [[nodiscard]] std::vector<std::string> check_problem(const nlohmann::json& problem, int status,
                                                       const nlohmann::json& codes) const;

  nlohmann::json document_;
  JsonSchema schemas_{document_};
  std::vector<Operation> operations_;
};

/// Whose checks follow; a listener of the test binary says so.
void now_testing(std::string test);

}  // namespace chat::test
