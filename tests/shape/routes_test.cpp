#include <catch2/catch.hpp>

#include <map>

#include "platform/operators/operators.h"
#include "platform/server/routes.h"
#include "tests/shape/tree.h"
#include "tests/support/contract.h"

namespace chat::test {
namespace {

std::string word_of(http::Access access) {
  switch (access) {
    case http::Access::any: return "any";
    case http::Access::api_key: return "api_key";
    case http::Access::server: return "server";
    case http::Access::user_or_server: return "user_or_server";
    case http::Access::operator_only: return "operator_only";
  }
  return "";
}

std::string rate_class_of(const http::Route& route) {
  if (!route.rate_class.empty()) return route.rate_class;
  return route.method == http::Method::get || route.method == http::Method::head ? "read" : "write";
}

}  // namespace

TEST_CASE("routes: what the code serves is what the contract says", "[shape][contract]") {
  std::map<std::string, const Operation*> promised;
  for (const Operation& operation : Contract::get().operations())
    if (operation.door != "websocket") promised[operation.method + " " + operation.path] = &operation;
  std::vector<std::string> mistakes;
  for (const http::Route* route : server::all_routes()) {
    const std::string place = std::string(http::word(route->method)) + " " + route->pattern;
    const auto found = promised.find(place);
    if (found == promised.end()) {
      mistakes.push_back(place + ": served, not in the contract");
      continue;
    }
    const Operation& operation = *found->second;
    if (operation.id != route->operation) mistakes.push_back(place + ": is " + route->operation + ", in the contract " + operation.id);
    if (operation.access != word_of(route->access)) mistakes.push_back(place + ": access is " + word_of(route->access) + ", in the contract " + operation.access);
    const std::string rate_class = operation.node->at("x-rate-class");
    if (rate_class != rate_class_of(*route)) mistakes.push_back(place + ": rate class is " + rate_class_of(*route) + ", in the contract " + rate_class);
    if (route->access == http::Access::operator_only) {
      const std::string role(operators::word(operators::role_needed(*route)));
      if (role != operation.node->value("x-role", "")) mistakes.push_back(place + ": needs the role " + role + ", in the contract another");
    }
    promised.erase(found);
  }
  for (const auto& [place, operation] : promised) mistakes.push_back(place + ": in the contract as " + operation->id + ", not served");
  CHECK(listed(mistakes) == "");
}

}  // namespace chat::test
