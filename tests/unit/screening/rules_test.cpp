#include <catch2/catch.hpp>

#include "platform/base/error.h"
#include "platform/chat/screening/rules.h"

using namespace chat;
using namespace chat::screening;

namespace {

std::vector<FieldError> mistakes_of(const std::string& text) {
  const auto document = json::Document::parse(text);
  json::Fields body(document.root());
  read_rules(body);
  try {
    body.finish();
  } catch (const Error& error) {
    return error.fields();
  }
  return {};
}
std::string pointer_of(const std::string& text) {
  const auto mistakes = mistakes_of(text);
  return mistakes.size() == 1 ? mistakes.front().pointer : std::to_string(mistakes.size()) + " mistakes";
}
std::string with(const std::string& rule) { return R"({"rules":[{"name":"fine","kind":"caps","then":"flag"},)" + rule + "]}"; }

}  // namespace

TEST_CASE("rules: what is left out is set, and what is written is read again as it was", "[unit][screening]") {
  const auto rules = parse_rules(R"([{"name":"a","kind":"repeats","then":"hold"},
      {"name":"b","kind":"links","then":"timeout","account_younger_than_s":86400,"exempt_roles":[],"channel_types":["team"],"reason":"No links yet."},
      {"name":"c","kind":"mentions","then":"block","window_s":30,"max":2,"includes_servers":true},
      {"name":"d","kind":"message_rate","then":"shadow","enabled":false,"window_s":600}])", 7);
  REQUIRE(rules.list.size() == 4);
  CHECK(rules.version == 7);
  CHECK(rules.list[0].max == 3);
  CHECK(rules.list[0].exempt_roles == std::vector<std::string>{"moderator", "admin", "owner"});
  CHECK(rules.list[1].timeout_s == 600);
  CHECK(rules.list[1].asks_for_new());
  CHECK(rules.list[2].counts());
  CHECK(rules.longest_window_s == 60);         // what is off counts nothing
  CHECK(rules_json(parse_rules(rules_json(rules.list), 7).list) == rules_json(rules.list));
}

TEST_CASE("rules: every mistake is named at its place", "[unit][screening]") {
  CHECK(mistakes_of(R"({"rules":[]})").empty());
  CHECK(pointer_of("{}") == "#/rules");
  CHECK(pointer_of(with(R"({"name":"x","kind":"shouting","then":"flag"})")) == "#/rules/1/kind");
  CHECK(pointer_of(with(R"({"name":"x","kind":"caps","then":"laugh"})")) == "#/rules/1/then");
  CHECK(pointer_of(with(R"({"name":"x","kind":"caps","then":"flag","max":101})")) == "#/rules/1/max");
  CHECK(pointer_of(with(R"({"name":"x","kind":"repeats","then":"flag","window_s":0})")) == "#/rules/1/window_s");
  CHECK(pointer_of(with(R"({"name":"x","kind":"caps","then":"flag","window_s":5})")) == "#/rules/1/window_s");   // counts nothing
  CHECK(pointer_of(with(R"({"name":"x","kind":"caps","then":"flag","timeout_s":5})")) == "#/rules/1/timeout_s");
  CHECK(pointer_of(with(R"({"name":"fine","kind":"caps","then":"flag"})")) == "#/rules/1/name");
  CHECK(pointer_of(with(R"({"name":"two words","kind":"caps","then":"flag"})")) == "#/rules/1/name");
  CHECK(pointer_of(with(R"({"name":"x","kind":"links","then":"flag","channel_types":["ok","Not OK"]})")) == "#/rules/1/channel_types/1");
  CHECK(pointer_of(with(R"({"name":"x","kind":"links","then":"flag","exempt_roles":["Not OK"]})")) == "#/rules/1/exempt_roles/0");
  std::string nine;
  for (int i = 0; i < 9; ++i) nine += (i > 0 ? "," : "") + std::string(R"({"kind":"message_rate","then":"flag","name":"r)") + std::to_string(i) + "\"}";
  CHECK(pointer_of("{\"rules\":[" + nine + "]}") == "#/rules/8/window_s");
}
