#include <catch2/catch.hpp>
#include <thread>

#include "platform/base/json.h"

using namespace chat;
using namespace std::string_literals;
using json::Document;
using json::Kind;

namespace {

std::string nested(std::size_t depth, std::string_view open, std::string_view inner, std::string_view close) {
  std::string out;
  for (std::size_t i = 0; i < depth; ++i) out += open;
  out += inner;
  for (std::size_t i = 0; i < depth; ++i) out += close;
  return out;
}

Error refusal(const std::string& text) {
  try {
    Document::parse(text);
  } catch (const Error& error) {
    return error;
  }
  FAIL("was accepted: " + text.substr(0, 100));
  throw std::logic_error("not reached");
}

}  // namespace

TEST_CASE("json: malformed documents are refused with the reason", "[unit][base][json]") {
  struct Row {
    std::string text;
    std::string reason;
  };
  const Row rows[] = {
      {"", "empty"},
      {" \r\n\t", "empty"},
      {"\xEF\xBB\xBF{}", "byte order mark"},
      {"{", "JSON"},
      {"{}x", "JSON"},
      {"{} {}", "JSON"},
      {"[1,]", "JSON"},
      {"{\"a\":1,}", "JSON"},
      {"{a:1}", "JSON"},
      {"{'a':1}", "JSON"},
      {"{\"a\" 1}", "JSON"},
      {"{\"a\":}", "JSON"},
      {"{1:2}", "JSON"},
      {"// c\n{}", "JSON"},
      {"\"open", "string without an end"},
      {"\"a\nb\"", "control character"},
      {"\"a\0b\""s, "control character"},
      {"\"\\x\"", "escape"},
      {"\"\\ud800\"", "escape"},
      {"\"\\udc00\"", "escape"},
      {"\"\\u12\"", "escape"},
      {"tru", "true, false or null"},
      {"nul", "true, false or null"},
      {"True", "JSON"},
      {"NaN", "JSON"},
      {"Infinity", "JSON"},
      {"01", "number"},
      {"+1", "JSON"},
      {".5", "JSON"},
      {"1.", "number"},
      {"1e", "number"},
      {"0x10", "number"},
      {"-", "number"},
      {"1e400", "number"},
      {"18446744073709551616", "number"},
      {"-9223372036854775809", "number"},
      {"123456789012345678901234567890", "number"},
      {"\"\xFF\"", "UTF-8"},
      {"\"\xC0\x80\"", "UTF-8"},
      {"\"\xED\xA0\x80\"", "UTF-8"},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const Error error = refusal(row.text);
    CHECK(error.code() == Code::malformed_json);
    CHECK_THAT(error.what(), Catch::Contains(row.reason));
  }
}

TEST_CASE("json: nesting is accepted to 32 levels and refused beyond", "[unit][base][json]") {
  for (const char* inner : {"", "1"}) {
    CHECK_NOTHROW(Document::parse(nested(32, "[", inner, "]")));
    CHECK_THAT(refusal(nested(33, "[", inner, "]")).what(), Catch::Contains("deeper than 32"));
  }
  CHECK_NOTHROW(Document::parse(nested(31, "{\"a\":", "{}", "}")));
  CHECK_NOTHROW(Document::parse(nested(32, "{\"a\":", "1", "}")));
  for (std::size_t depth : {33U, 34U, 35U, 100U, 100'000U}) {
    CHECK_THAT(refusal(nested(depth, "{\"a\":", "1", "}")).what(), Catch::Contains("deeper than 32"));
    CHECK_THAT(refusal(nested(depth, "[", "", "]")).what(), Catch::Contains("deeper than 32"));
  }
  CHECK_THAT(refusal(std::string(1'000'000, '[')).what(), Catch::Contains("body"));
}

TEST_CASE("json: the depth limit stands also after a larger body grew the parser", "[unit][base][json]") {
  CHECK_NOTHROW(Document::parse("\"" + std::string(3'000'000, 'x') + "\""));
  CHECK_THAT(refusal(nested(33, "[", "", "]")).what(), Catch::Contains("deeper than 32"));
  CHECK_NOTHROW(Document::parse(nested(32, "[", "", "]")));
}

TEST_CASE("json: a key that stands twice is refused at any depth, with its pointer", "[unit][base][json]") {
  const std::pair<const char*, const char*> rows[] = {
      {R"({"a":1,"a":1})", "#/a"},
      {R"({"a":1,"\u0061":2})", "#/a"},
      {R"({"a":{"b":[0,{"c":1,"d":2,"c":3}]}})", "#/a/b/1/c"},
      {R"([{"":1,"":2}])", "#/0/"},
      {R"({"a/b":1,"x":2,"a/b":1})", "#/a~1b"},
      {R"({"~":1,"~":1})", "#/~0"},
  };
  for (const auto& [text, pointer] : rows) {
    INFO(text);
    const Error error = refusal(text);
    CHECK(error.code() == Code::malformed_json);
    REQUIRE(error.fields().size() == 1);
    CHECK(error.fields()[0].pointer == pointer);
  }
  CHECK_NOTHROW(Document::parse(R"({"a":{"a":{"a":1}},"b":{"a":1}})"));
}

TEST_CASE("json: U+0000 is refused in texts and keys, with its pointer", "[unit][base][json]") {
  CHECK(refusal(R"({"a":["x","y\u0000z"]})").fields()[0].pointer == "#/a/1");
  CHECK(refusal("{\"a\":{\"k\\u0000\":1}}").fields()[0].pointer == "#/a/k\0"s);
  CHECK_NOTHROW(Document::parse(R"({"a":"\\u0000"})"));
}

TEST_CASE("json: values keep their kind, order and content", "[unit][base][json]") {
  const auto document = Document::parse(
      R"( {"z":"gr\u00fc\u00dfe \ud83d\ude42","i":-9223372036854775808,"d":1.5,"t":true,"n":null,"a":[1,"x"],"o":{},"e":1e2} )");
  const auto root = document.root();
  REQUIRE(root.kind() == Kind::object);
  std::string keys;
  for (const auto& [key, value] : root.members()) keys += key;
  CHECK(keys == "zidtnaoe");
  CHECK(root.find("z")->text() == "grüße 🙂");
  CHECK(root.find("i")->kind() == Kind::integer);
  CHECK(root.find("i")->integer() == INT64_MIN);
  CHECK(root.find("d")->kind() == Kind::number);
  CHECK(root.find("d")->number() == 1.5);
  CHECK(root.find("e")->kind() == Kind::number);
  CHECK(root.find("t")->boolean());
  CHECK(root.find("n")->kind() == Kind::null);
  CHECK(root.find("a")->items()[1].text() == "x");
  CHECK(root.find("a")->raw() == R"([1,"x"])");
  CHECK(root.find("o")->members().empty());
  CHECK_FALSE(root.find("missing").has_value());
}

TEST_CASE("json: an unsigned number above 2^63 is a number, not an integer", "[unit][base][json]") {
  const auto document = Document::parse("[9223372036854775807,9223372036854775808,18446744073709551615]");
  const auto items = document.root().items();
  CHECK(items[0].kind() == Kind::integer);
  CHECK(items[1].kind() == Kind::number);
  CHECK(items[2].raw() == "18446744073709551615");
}

TEST_CASE("json: what is stored otherwise than it should be ends the one who reads it", "[unit][base][json]") {
  const auto document = json::Document::parse(R"({"none":null,"list":[1]})");
  const auto root = document.root();
  CHECK_THROWS_AS(root.find("none")->boolean(), Error);
  CHECK_THROWS_AS(root.find("none")->items(), Error);
  CHECK_THROWS_AS(root.find("list")->find("a"), Error);
  CHECK_THROWS_AS(root.find("list")->text(), Error);
  CHECK_THROWS_AS(root.integer(), Error);
}

TEST_CASE("json: scalars are documents too", "[unit][base][json]") {
  CHECK(Document::parse("1").root().integer() == 1);
  CHECK(Document::parse("\"x\"").root().text() == "x");
  CHECK(Document::parse(" null ").root().kind() == Kind::null);
}

TEST_CASE("json: documents outlive the parser's next use and its thread", "[unit][base][json]") {
  std::optional<Document> first;
  std::thread([&] { first = Document::parse(R"({"a":"first"})"); }).join();
  const auto second = Document::parse(R"({"a":"second"})");
  CHECK(first->root().find("a")->text() == "first");
  CHECK(second.root().find("a")->text() == "second");
}

TEST_CASE("json: minified text escapes what needs it and parses again", "[unit][base][json]") {
  const std::string text = R"({"q\"":"a\\b\n\u0001/é"})";
  const std::string raw = Document::parse(text).root().raw();
  CHECK(Document::parse(raw).root().find("q\"")->text() == "a\\b\n\x01/é");
  CHECK(raw == Document::parse(raw).root().raw());
}
