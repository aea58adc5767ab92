#include <catch2/catch.hpp>

#include "tests/shape/tree.h"
#include "tests/support/json_schema.h"

namespace chat::test {
namespace {

using nlohmann::json;

const json kDocument = json::parse(R"({"named": {"type": "integer"}, "fields": {"properties": {"a": {"type": "integer"}}}})");

std::string mistakes(const char* schema, const char* value) {
  return listed(JsonSchema(kDocument).mistakes(json::parse(schema), json::parse(value)));
}

}  // namespace

TEST_CASE("json_schema: types, words and numbers", "[shape][json_schema]") {
  CHECK(mistakes(R"({"type":"integer"})", "3") == "");
  CHECK(mistakes(R"({"type":"integer"})", "3.5") != "");
  CHECK(mistakes(R"({"type":["string","null"]})", "null") == "");
  CHECK(mistakes(R"({"type":"string"})", "1") == "/: must be \"string\", is 1\n");
  CHECK(mistakes(R"({"enum":["a","b"]})", "\"c\"") != "");
  CHECK(mistakes(R"({"const":true})", "false") != "");
  CHECK(mistakes(R"({"minimum":1,"maximum":3})", "0") != "");
  CHECK(mistakes(R"({"minimum":1,"maximum":3})", "4") != "");
  CHECK(mistakes(R"({"minimum":1,"maximum":3})", "3") == "");
}

TEST_CASE("json_schema: texts are measured in characters, patterns and times", "[shape][json_schema]") {
  CHECK(mistakes(R"({"maxLength":2})", "\"éé\"") == "");
  CHECK(mistakes(R"({"maxLength":2})", "\"abc\"") != "");
  CHECK(mistakes(R"({"minLength":1})", "\"\"") != "");
  CHECK(mistakes(R"({"pattern":"^a+$"})", "\"aab\"") != "");
  CHECK(mistakes(R"({"format":"date-time"})", "\"2026-11-21T12:00:00.000000Z\"") == "");
  CHECK(mistakes(R"({"format":"date-time"})", "\"yesterday\"") != "");
}

TEST_CASE("json_schema: arrays", "[shape][json_schema]") {
  CHECK(mistakes(R"({"items":{"type":"integer"}})", "[1,2]") == "");
  CHECK(mistakes(R"({"items":{"type":"integer"}})", "[1,\"2\"]") == "/1: must be \"integer\", is \"2\"\n");
  CHECK(mistakes(R"({"minItems":1})", "[]") != "");
  CHECK(mistakes(R"({"maxItems":1})", "[1,2]") != "");
  CHECK(mistakes(R"({"uniqueItems":true})", "[1,1]") != "");
}

TEST_CASE("json_schema: members that the schema does not mention are mistakes", "[shape][json_schema]") {
  CHECK(mistakes(R"({"properties":{"a":{}}})", R"({"b":1})") == "/b: not in the contract\n");
  CHECK(mistakes(R"({"required":["a"]})", "{}") == "/: lacks a\n");
  CHECK(mistakes(R"({"additionalProperties":true})", R"({"b":1})") == "");
  CHECK(mistakes(R"({"additionalProperties":{"type":"integer"}})", R"({"b":1})") == "");
  CHECK(mistakes(R"({"additionalProperties":{"type":"integer"}})", R"({"b":"1"})") != "");
  CHECK(mistakes(R"({"propertyNames":{"enum":["a"]},"additionalProperties":{}})", R"({"b":1})") != "");
}

TEST_CASE("json_schema: references speak together with what stands beside them", "[shape][json_schema]") {
  CHECK(mistakes(R"({"$ref":"#/named","minimum":2})", "3") == "");
  CHECK(mistakes(R"({"$ref":"#/named","minimum":2})", "1") != "");
  CHECK(mistakes(R"({"$ref":"#/named","minimum":2})", "\"3\"") != "");
  CHECK(mistakes(R"({"$ref":"#/fields","properties":{"b":{}}})", R"({"a":1,"b":2})") == "");
  CHECK(mistakes(R"({"allOf":[{"$ref":"#/fields"}],"properties":{"b":{}}})", R"({"a":1,"b":2,"c":3})") == "/c: not in the contract\n");
  CHECK_THROWS(mistakes(R"({"$ref":"#/nowhere"})", "1"));
}

TEST_CASE("json_schema: one of several forms", "[shape][json_schema]") {
  const char* forms = R"({"oneOf":[{"properties":{"kind":{"const":"a"},"x":{}},"required":["x","kind"]},
                                   {"properties":{"kind":{"const":"b"},"y":{}},"required":["y","kind"]}]})";
  CHECK(mistakes(forms, R"({"kind":"a","x":1})") == "");
  CHECK(mistakes(forms, R"({"kind":"b","y":1})") == "");
  CHECK(mistakes(forms, R"({"kind":"a","y":1})") != "");
  CHECK(mistakes(forms, R"({"kind":"a","x":1,"y":1})") == "/y: not in the contract\n");
  CHECK(mistakes(R"({"oneOf":[{"type":"integer"},{"minimum":0}]})", "1") != "");
  CHECK(mistakes(R"({"anyOf":[{"type":"integer"},{"minimum":0}]})", "1") == "");
}

TEST_CASE("json_schema: a keyword it does not know is named", "[shape][json_schema]") {
  const JsonSchema schemas(kDocument);
  CHECK(schemas.unknown_keywords(json::parse(R"({"properties":{"a":{"minimun":1}}})"), "s") == std::vector<std::string>{"s/a: minimun"});
  CHECK(schemas.unknown_keywords(json::parse(R"({"oneOf":[{"items":{"type":"integer"}}]})"), "s").empty());
}

}  // namespace chat::test
