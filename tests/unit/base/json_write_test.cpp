#include <catch2/catch.hpp>
#include <limits>

#include "platform/base/json.h"

using namespace chat;
using namespace std::string_literals;
using json::Writer;

TEST_CASE("writer: objects, arrays and values get their commas and colons", "[unit][base][json]") {
  Writer out;
  out.object().field("a", "x").field("i", 7).key("list").array().integer(1).text("two").null().boolean(true);
  out.object().end().array().end().end().key("n").number(1.5).key("raw").raw(R"({"r":[1]})").field("z", "end").end();
  CHECK(out.take() == R"({"a":"x","i":7,"list":[1,"two",null,true,{},[]],"n":1.5,"raw":{"r":[1]},"z":"end"})");
}

TEST_CASE("writer: optional fields are left out when absent", "[unit][base][json]") {
  Writer out;
  out.object().optional_field("no", std::nullopt).optional_field("yes", std::optional<std::string>("v"));
  out.optional_time("never", std::nullopt).optional_time("at", Timestamp{}).end();
  CHECK(out.take() == R"({"yes":"v","at":"1970-01-01T00:00:00.000000Z"})");
}

TEST_CASE("writer: texts are escaped as JSON wants, and only so", "[unit][base][json]") {
  const std::pair<std::string, std::string> rows[] = {
      {"", R"("")"},
      {"plain /é🙂", "\"plain /é🙂\""},
      {"\"\\", R"("\"\\")"},
      {"\n\r\t", R"("\n\r\t")"},
      {"\0\x01\x1f\x7f"s, "\"\\u0000\\u0001\\u001f\x7f\""},
      {"a\"b\"c", R"("a\"b\"c")"},
  };
  for (const auto& [text, expected] : rows) {
    Writer out;
    CHECK(out.text(text).take() == expected);
    Writer keyed;
    CHECK(keyed.object().field(text, "v").end().take() == "{" + expected + ":\"v\"}");
  }
}

TEST_CASE("writer: a byte that needs an escape is found at every place of a text", "[unit][base][json]") {
  for (std::size_t size = 1; size <= 24; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string text(size, '\x7f');
        text[at] = static_cast<char>(c);
        Writer out;
        const std::size_t grown = out.text(text).take().size() - size - 2;
        const bool is_named = c == '"' || c == '\\' || c == '\n' || c == '\r' || c == '\t';
        REQUIRE(grown == (is_named ? 1U : c < 0x20 ? 5U : 0U));
      }
    }
  }
}

TEST_CASE("writer: every text reads back as itself", "[unit][base][json]") {
  std::string all;
  for (int c = 1; c < 128; ++c) all += static_cast<char>(c);
  all += "grüße 日本 🙂\u2028";
  Writer out;
  CHECK(json::Document::parse(out.text(all).take()).root().text() == all);
}

TEST_CASE("writer: numbers keep their value", "[unit][base][json]") {
  Writer out;
  out.array().integer(INT64_MIN).integer(INT64_MAX).number(0.1).number(-1e300).number(3);
  out.number(std::numeric_limits<double>::infinity()).number(std::numeric_limits<double>::quiet_NaN()).end();
  const auto document = json::Document::parse(out.take());
  const auto items = document.root().items();
  CHECK(items[0].integer() == INT64_MIN);
  CHECK(items[1].integer() == INT64_MAX);
  CHECK(items[2].number() == 0.1);
  CHECK(items[3].number() == -1e300);
  CHECK(items[4].number() == 3);
  CHECK(items[5].kind() == json::Kind::null);
  CHECK(items[6].kind() == json::Kind::null);
}

TEST_CASE("writer: a writer can be used again and moved", "[unit][base][json]") {
  Writer out;
  CHECK(out.object().end().take() == "{}");
  CHECK(out.array().text(std::string(10'000, 'x')).end().take().size() == 10'004);
  Writer moved = std::move(out);
  CHECK(moved.object().field("a", 1).end().take() == R"({"a":1})");
}

TEST_CASE("writer: objects and arrays may be 64 deep", "[unit][base][json]") {
  Writer out;
  for (int i = 0; i < 32; ++i) out.object().key("a").array();
  for (int i = 0; i < 32; ++i) out.end().end();
  const std::string text = out.take();
  CHECK(text.starts_with(R"({"a":[{"a":[)"));
  CHECK(text.ends_with("]}]}"));
}
