#include <catch2/catch.hpp>

#include "platform/base/json.h"

using namespace chat;
using json::Document;
using json::Fields;

namespace {

using Listed = std::vector<std::pair<std::string, std::string>>;

/// What `finish` says: its code and every mistake.
std::pair<Code, Listed> finish(Fields& fields) {
  try {
    fields.finish();
  } catch (const Error& error) {
    Listed listed;
    for (const auto& field : error.fields()) listed.emplace_back(field.pointer, field.detail);
    return {error.code(), listed};
  }
  FAIL("nothing was refused");
  return {};
}

}  // namespace

TEST_CASE("fields: a good body is read as asked", "[unit][base][json]") {
  const auto document = Document::parse(
      R"({"name":"n","image":null,"kind":"b","count":5,"ratio":1,"on":false,"at":"2026-11-21T12:00:00Z",
          "custom":{"a": [1, 2]},"list":["x","y"],"any":[]})");
  Fields body(document.root());
  CHECK(body.text("name") == "n");
  CHECK_FALSE(body.find_text("image").has_value());
  CHECK(body.has("image"));
  CHECK_FALSE(body.has("nothing"));
  CHECK(body.word("kind", {"a", "b"}) == "b");
  CHECK(body.integer("count", {1, 5}) == 5);
  CHECK(body.find_number("ratio", 0, 1) == 1.0);
  CHECK(body.find_boolean("on") == false);
  CHECK(format_time(*body.find_time("at")) == "2026-11-21T12:00:00.000000Z");
  CHECK(body.find_raw_object("custom", 100) == R"({"a":[1,2]})");
  CHECK(body.find_texts("list", 2, {}) == std::vector<std::string>{"x", "y"});
  CHECK(body.find_any("any")->kind() == json::Kind::array);
  CHECK_FALSE(body.find_integer("absent").has_value());
  CHECK_NOTHROW(body.finish());
  CHECK(body.ok());
}

TEST_CASE("fields: every mistake of a body is listed at once with its pointer", "[unit][base][json]") {
  const auto document = Document::parse(
      R"({"name":"","long":"abcdef","kind":"pubic","count":1.5,"big":7,"ratio":"x","on":1,"at":"today",
          "custom":[],"large":{"a":"0123456789"},"list":["ok",1,"toolong"],"many":[1,2,3],"none":null,"extra":1})");
  Fields body(document.root());
  body.text("name", {.min_bytes = 1, .max_bytes = 10});
  body.text("long", {.max_bytes = 5});
  body.text("missing");
  body.text("none");
  body.word("kind", {"public", "private"});
  body.word("word", {"a", "b"});
  body.find_integer("count");
  body.find_integer("big", {1, 5});
  body.integer("needed", {0, 9});
  body.find_number("ratio", 0, 1);
  body.find_boolean("on");
  body.find_time("at");
  body.find_object("custom");
  body.find_raw_object("large", 12);
  body.find_texts("list", 5, {.max_bytes = 3});
  body.find_array("many", 2);
  body.mistake("name", "is taken");
  const auto [code, mistakes] = finish(body);
  CHECK(code == Code::invalid_field);
  CHECK(mistakes == Listed{{"#/name", "must be 1 to 10 bytes, is 0"},
                           {"#/long", "must be at most 5 bytes, is 6"},
                           {"#/missing", "is required"},
                           {"#/none", "is required and must not be null"},
                           {"#/kind", "must be one of public, private; did you mean public?"},
                           {"#/word", "is required, must be one of a, b"},
                           {"#/count", "must be an integer"},
                           {"#/big", "must be an integer from 1 to 5"},
                           {"#/needed", "is required, must be an integer from 0 to 9"},
                           {"#/ratio", "must be a number from 0.0 to 1.0"},
                           {"#/on", "must be true or false"},
                           {"#/at", "must be an RFC 3339 time such as 2026-11-21T12:00:00Z"},
                           {"#/custom", "must be an object"},
                           {"#/large", "must be at most 12 bytes of JSON, is 18"},
                           {"#/list/1", "must be a string"},
                           {"#/list/2", "must be at most 3 bytes, is 7"},
                           {"#/many", "must have 0 to 2 items, has 3"},
                           {"#/name", "is taken"},
                           {"#/extra", "is not known here"}});
}

TEST_CASE("fields: only unknown fields make unknown_field, with what was meant", "[unit][base][json]") {
  const auto document = Document::parse(R"({"nmae":"x","zzz":1,"a/b~c":1})");
  Fields body(document.root());
  body.find_text("name");
  const auto [code, mistakes] = finish(body);
  CHECK(code == Code::unknown_field);
  CHECK(mistakes == Listed{{"#/nmae", "is not known here; did you mean name?"},
                           {"#/zzz", "is not known here"},
                           {"#/a~1b~0c", "is not known here"}});
}

TEST_CASE("fields: a body that is not an object says so once", "[unit][base][json]") {
  for (const char* text : {"[]", "\"x\"", "null", "1"}) {
    const auto document = Document::parse(text);
    Fields body(document.root());
    body.text("name");
    body.word("kind", {"a"});
    body.integer("count");
    const auto [code, mistakes] = finish(body);
    CHECK(code == Code::invalid_field);
    CHECK(mistakes == Listed{{"#", "must be an object"}});
  }
}

TEST_CASE("fields: a nested reader's mistakes join with their own pointers", "[unit][base][json]") {
  const auto document = Document::parse(R"({"members":[{"role":"x"},{"rol":"y"}]})");
  Fields body(document.root());
  const auto members = body.find_array("members", 10);
  for (std::size_t i = 0; i < members->size(); ++i) {
    Fields member((*members)[i], body.pointer("members") + "/" + std::to_string(i));
    member.find_word("role", {"owner"});
    body.absorb(member);
    CHECK(member.ok());
  }
  const auto [code, mistakes] = finish(body);
  CHECK(code == Code::invalid_field);
  CHECK(mistakes == Listed{{"#/members/0/role", "must be one of owner"},
                           {"#/members/1/rol", "is not known here; did you mean role?"}});
}

TEST_CASE("fields: nested unknown fields alone are still unknown_field", "[unit][base][json]") {
  const auto document = Document::parse(R"({"o":{"x":1}})");
  Fields body(document.root());
  Fields nested(*body.find_object("o"), body.pointer("o"));
  body.absorb(nested);
  CHECK(finish(body) == std::pair{Code::unknown_field, Listed{{"#/o/x", "is not known here"}}});
}

TEST_CASE("fields: a hostile body gets a bounded answer", "[unit][base][json]") {
  std::string text = "{";
  for (int i = 0; i < 1000; ++i) text += "\"k" + std::to_string(i) + "\":1,";
  const auto document = Document::parse(text + "\"" + std::string(5000, 'x') + "\":1}");
  Fields body(document.root());
  CHECK(finish(body).second.size() == 64);

  std::string key;
  for (int i = 0; i < 300; ++i) key += "é";
  const auto one = Document::parse("{\"" + key + "\":1}");
  Fields single(one.root());
  const auto pointer = finish(single).second[0].first;
  CHECK(pointer.size() < 250);
  CHECK_NOTHROW(Document::parse(problem_json(Error(Code::unknown_field, pointer), "id")));
}

TEST_CASE("fields: no read is wrong after an earlier mistake", "[unit][base][json]") {
  const auto document = Document::parse(R"({"a":1})");
  Fields body(document.root());
  CHECK(body.text("a").empty());
  CHECK(body.integer("b") == 0);
  CHECK(body.word("c", {"x"}).empty());
  CHECK_FALSE(body.ok());
}
