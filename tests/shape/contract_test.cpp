#include <catch2/catch.hpp>

#include <map>
#include <regex>
#include <set>

#include "tests/shape/tree.h"
#include "tests/support/contract.h"

namespace chat::test {
namespace {

using nlohmann::json;

const Contract& contract() { return Contract::get(); }
const json& document() { return contract().document(); }

std::string place_of(const Operation& operation) { return operation.method + " " + operation.path; }

// Calls `visit(schema, place)` for every media type object of requests and answers, and for parameters: whatever holds a schema.
template <class Visit>
void each_schema_holder(const json& node, const std::string& place, const Visit& visit) {
  if (node.is_object() && node.contains("schema") && node["schema"].is_object()) visit(node, place);
  if (node.is_structured())
    for (const auto& [name, part] : node.items())
      if (name != "example" && name != "examples") each_schema_holder(part, place + "/" + name, visit);
}

void check_example(std::vector<std::string>& mistakes, const json& schema, const json& example, const std::string& place) {
  for (const std::string& mistake : contract().schemas().mistakes(schema, example)) mistakes.push_back(place + " " + mistake);
}

template <class Visit>
void each_reference(const json& node, const Visit& visit) {
  if (node.is_object() && node.contains("$ref") && node["$ref"].is_string()) visit(node["$ref"].get<std::string>());
  if (node.is_structured())
    for (const auto& [name, part] : node.items())
      if (name != "example" && name != "examples") each_reference(part, visit);
}

std::vector<json> parameters_of(const Operation& operation) {
  std::vector<json> all;
  for (const json* owner : {&document()["paths"][operation.path], operation.node})
    if (owner->contains("parameters"))
      for (const json& parameter : (*owner)["parameters"]) all.push_back(contract().schemas().resolve(parameter));
  return all;
}

}  // namespace

TEST_CASE("contract: every operation says what a customer needs", "[shape][contract]") {
  static const std::regex id_form("[a-z]+(_[a-z]+)*");
  static const std::map<std::string, std::set<std::string>> words = {
      {"x-access", {"any", "api_key", "server", "user_or_server", "operator_only"}},
      {"x-rate-class", {"read", "write", "send"}},
      {"x-door", {"public", "operator", "websocket"}}};
  static const std::set<std::string> roles = {"viewer", "operator", "owner"};
  std::set<std::string> ids, tags;
  for (const json& tag : document()["tags"]) tags.insert(tag["name"]);
  std::vector<std::string> mistakes;
  for (const Operation& operation : contract().operations()) {
    const auto say = [&](const std::string& what) { mistakes.push_back(place_of(operation) + ": " + what); };
    if (!ids.insert(operation.id).second) say("operationId " + operation.id + " stands twice");
    if (!std::regex_match(operation.id, id_form)) say("operationId is not snake_case");
    for (const char* member : {"summary", "description"})
      if (operation.node->value(member, "").size() < 8) say(std::string("lacks ") + member);
    for (const auto& [member, allowed] : words)
      if (!allowed.count(operation.node->value(member, ""))) say(member + " is missing or unknown");
    if (operation.access == "operator_only" ? !roles.count(operation.node->value("x-role", "")) : operation.node->contains("x-role"))
      say("x-role is viewer, operator or owner where x-access is operator_only");
    for (const json& tag : operation.node->at("tags"))
      if (!tags.count(tag)) say("unknown tag " + tag.dump());
    if (!operation.node->at("responses").contains("default")) say("lacks the default problem");
    if (operation.door == "operator" && operation.path.rfind("/v1/", 0) == 0) say("stands on the wrong door");
    if (operation.door == "public" && operation.path.rfind("/v1/", 0) != 0) say("stands on the wrong door");
  }
  CHECK(contract().operations().size() > 50);
  CHECK(listed(mistakes) == "");
}

TEST_CASE("contract: security is what x-access says", "[shape][contract]") {
  std::vector<std::string> mistakes;
  for (const Operation& operation : contract().operations())
    if (operation.door != "websocket" && operation.node->at("security") != document()["x-security"][operation.access])
      mistakes.push_back(place_of(operation) + ": security does not fit x-access " + operation.access);
  CHECK(listed(mistakes) == "");
}

TEST_CASE("contract: parameters are those of the path, and every POST takes an Idempotency-Key", "[shape][contract]") {
  static const std::regex part("\\{([a-z_]+)\\}");
  std::vector<std::string> mistakes;
  for (const Operation& operation : contract().operations()) {
    std::set<std::string> wanted, given;
    bool idempotent = false;
    for (std::sregex_iterator at(operation.path.begin(), operation.path.end(), part), end; at != end; ++at) wanted.insert((*at)[1]);
    for (const json& parameter : parameters_of(operation)) {
      if (parameter["in"] == "path") given.insert(parameter["name"]);
      idempotent |= parameter["name"] == "Idempotency-Key";
    }
    if (wanted != given) mistakes.push_back(place_of(operation) + ": path parameters differ from the path");
    if (idempotent != (operation.method == "POST")) mistakes.push_back(place_of(operation) + ": Idempotency-Key is for POST, and for every POST");
  }
  CHECK(listed(mistakes) == "");
}

TEST_CASE("contract: request bodies refuse unknown fields and show an example", "[shape][contract]") {
  std::vector<std::string> mistakes;
  for (const Operation& operation : contract().operations()) {
    const bool wants_body = operation.method == "POST" || operation.method == "PATCH" || operation.method == "PUT";
    if (wants_body != operation.node->contains("requestBody")) mistakes.push_back(place_of(operation) + ": requestBody is for POST, PATCH and PUT");
    if (!operation.node->contains("requestBody")) continue;
    const json& content = contract().schemas().resolve(operation.node->at("requestBody"))["content"];
    if (!content.contains("application/json")) continue;   // bytes
    const json& media = content["application/json"];
    const json& schema = contract().schemas().resolve(media["schema"]);
    if (schema.value("additionalProperties", json(true)) != false) mistakes.push_back(place_of(operation) + ": the body is not closed");
    if (!media.contains("example") && !schema.contains("examples")) mistakes.push_back(place_of(operation) + ": no example of the body");
  }
  CHECK(listed(mistakes) == "");
}

TEST_CASE("contract: every example fits its schema", "[shape][contract]") {
  std::vector<std::string> mistakes;
  int examples = 0;
  each_schema_holder(document(), "", [&](const json& holder, const std::string& place) {
    if (!holder.contains("example")) return;
    ++examples;
    check_example(mistakes, holder["schema"], holder["example"], place);
  });
  for (const auto& [name, schema] : document()["components"]["schemas"].items())
    for (const json& example : schema.value("examples", json::array())) {
      ++examples;
      check_example(mistakes, schema, example, "schema " + name);
    }
  CHECK(examples > 60);
  CHECK(listed(mistakes) == "");
}

TEST_CASE("contract: schemas use no keyword that the checker would pass over", "[shape][contract]") {
  std::vector<std::string> mistakes;
  const auto take = [&](const json& schema, const std::string& place) {
    for (const std::string& found : contract().schemas().unknown_keywords(schema, place)) mistakes.push_back(found);
  };
  each_schema_holder(document(), "", [&](const json& holder, const std::string& place) { take(holder["schema"], place); });
  for (const auto& [name, schema] : document()["components"]["schemas"].items()) take(schema, "schema " + name);
  CHECK(listed(mistakes) == "");
}

TEST_CASE("contract: every reference leads somewhere, and every component is used", "[shape][contract]") {
  std::set<std::string> used;
  std::vector<std::string> mistakes;
  each_reference(document(), [&](const std::string& reference) {
    used.insert(reference);
    if (reference[0] != '#' || !document().contains(json::json_pointer(reference.substr(1)))) mistakes.push_back(reference + ": leads nowhere");
  });
  for (const auto& [kind, components] : document()["components"].items())
    if (kind != "securitySchemes")
      for (const auto& [name, ignored] : components.items())
        if (!used.count("#/components/" + kind + "/" + name)) mistakes.push_back(kind + "/" + name + ": used by nothing");
  CHECK(listed(mistakes) == "");
}

TEST_CASE("contract: the catalogue of events is whole", "[shape][contract]") {
  std::vector<std::string> mistakes;
  for (const auto& [type, event] : document()["x-events"].items()) {
    if (event.value("summary", "").size() < 8) mistakes.push_back(type + ": lacks summary");
    if (event["reach"] != "channel" && event["reach"] != "user" && event["reach"] != "devices" &&
        event["reach"] != "followers" && event["reach"] != "application") mistakes.push_back(type + ": unknown reach");
    if (event["example"]["type"] != type) mistakes.push_back(type + ": its example is of another type");
    for (const std::string& mistake : contract().check_event(event["example"].dump())) mistakes.push_back(mistake);
  }
  std::set<std::string> emitted;
  for (const Operation& operation : contract().operations())
    for (const std::string type : operation.node->value("x-emits", json::array())) {
      emitted.insert(type);
      if (!contract().is_event(type)) mistakes.push_back(place_of(operation) + ": x-emits unknown " + type);
    }
  for (const auto& [type, event] : document()["x-events"].items())
    if (!emitted.count(type)) mistakes.push_back(type + ": no operation emits it");
  CHECK(listed(mistakes) == "");
}

TEST_CASE("contract: an answer that breaks it is caught", "[shape][contract]") {
  const auto check = [](const char* method, const char* path, int status, const json& body) {
    return listed(contract().check_response(method, path, status, body.dump()));
  };
  json user = document()["components"]["schemas"]["User"]["examples"][0];
  CHECK(check("GET", "/v1/users/alice", 200, {{"user", user}}) == "");
  CHECK(check("GET", "/v1/users/alice?x=1", 200, {{"user", user}}) == "");
  CHECK(check("GET", "/v1/users/alice", 201, {{"user", user}}) == "get_user 201 the contract knows no such answer\n");
  CHECK(check("GET", "/v1/users/alice", 200, {{"user", user}, {"secret", 1}}) == "get_user 200 /secret: not in the contract\n");
  user.erase("role");
  CHECK(check("GET", "/v1/users/alice", 200, {{"user", user}}) == "get_user 200 /user: lacks role\n");
  CHECK(check("DELETE", "/v1/users/alice", 204, json::object()) == "delete_user 204 must have no body\n");
  CHECK(contract().check_response("DELETE", "/v1/users/alice", 204, "").empty());
}

TEST_CASE("contract: a problem must have a code of its operation, its row's status and its row's retryable", "[shape][contract]") {
  json problem = {{"type", "urn:chatd:problem:conflict"}, {"title", "T."}, {"status", 409}, {"code", "conflict"}, {"detail", "D."},
                  {"request_id", "r1"}, {"retryable", false}, {"errors", json::array()}};
  const auto check = [&](const char* method, const char* path, int status) {
    return contract().check_response(method, path, status, problem.dump(), "application/problem+json");
  };
  CHECK(check("POST", "/v1/channel_types", 409).empty());
  CHECK(check("GET", "/v1/users/alice", 409).size() == 1);     // no conflict there
  CHECK(check("POST", "/v1/channel_types", 404).size() == 3);  // code, status in body, status in table
  problem["retryable"] = true;
  CHECK(check("POST", "/v1/channel_types", 409).size() == 1);
  CHECK(contract().check_response("POST", "/v1/channel_types", 409, problem.dump(), "application/json").size() == 2);
  problem = {{"type", "urn:chatd:problem:not_found"}, {"title", "T."}, {"status", 404}, {"code", "not_found"}, {"detail", "D."},
             {"request_id", "r1"}, {"retryable", false}, {"errors", json::array()}};
  CHECK(check("GET", "/nowhere", 404).empty());
}

TEST_CASE("contract: an event that breaks it is caught", "[shape][contract]") {
  json frame = document()["x-events"]["message.new"]["example"];
  CHECK(contract().check_event(frame.dump()).empty());
  frame.erase("epoch");
  CHECK(listed(contract().check_event(frame.dump())) == "message.new /: seq and epoch stand together\n");
  frame.erase("seq");
  CHECK(listed(contract().check_event(frame.dump())) == "message.new /: lacks seq\n");
  CHECK(contract().check_event(R"({"type":"message.vanished"})").size() == 1);
  CHECK(contract().check_event("[]").size() == 1);
}

}  // namespace chat::test
