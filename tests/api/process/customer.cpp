#include "tests/api/process/customer.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tenants/tokens.h"

namespace chat::test {

HttpHeaders Customer::headers(const std::string& user) const {
  tenants::Claims claims;
  claims.server = user.empty();
  claims.user_id = user;
  claims.issued_at = std::chrono::floor<std::chrono::seconds>(system_clock().now());
  return {{"X-API-Key", key}, {"Authorization", "Bearer " + tenants::sign_token(claims, secret)}, {"Content-Type", "application/json"}};
}

Customer make_customer(const Child& child, const std::string& name, const std::vector<std::string>& channels) {
  using Json = nlohmann::json;
  HttpClient operators(child.operator_port());
  const HttpHeaders headers{{"Authorization", std::string("Bearer ") + Child::kOperatorToken}, {"Content-Type", "application/json"}};
  REQUIRE(operators.request("PUT", "/operator/v1/plans/" + name, headers, Json{{"name", name}}.dump()).status == 200);
  const auto made = operators.request("POST", "/operator/v1/applications", headers, Json{{"name", name}, {"plan", name}}.dump());
  REQUIRE(made.status == 201);
  const auto body = Json::parse(made.body);
  Customer customer{body["application"]["app_id"], body["api_key"], body["secret"]["value"]};
  HttpClient backend(child.public_port());
  REQUIRE(backend.request("POST", "/v1/users", customer.headers(""), R"({"users":[{"user_id":"alice"}]})").status == 200);
  for (const auto& channel : channels)
    REQUIRE(backend.request("POST", "/v1/channels/messaging/" + channel, customer.headers("alice")).status == 201);
  return customer;
}

}  // namespace chat::test
