#include "platform/base/text.h"

#include <catch2/catch.hpp>

using namespace chat;
using namespace std::string_literals;

TEST_CASE("text: UTF-8 is judged strictly", "[unit][base][text]") {
  for (const std::string& good : {""s, "plain"s, "grüße"s, "日本"s, "🙂"s, "\0"s, "\xF4\x8F\xBF\xBF"s}) {
    INFO(good);
    CHECK(text::is_utf8(good));
  }
  for (const std::string& bad : {"\x80"s, "\xC0\x80"s, "\xE0\x80\x80"s, "\xED\xA0\x80"s, "\xF4\x90\x80\x80"s,
                                 "\xC3"s, "a\xFFz"s, "\xF0\x9F\x99"s, "\xFE\xFF"s}) {
    CHECK_FALSE(text::is_utf8(bad));
    CHECK_FALSE(text::is_utf8(std::string(100, 'x') + bad));
  }
}

TEST_CASE("text: code points are counted, not bytes", "[unit][base][text]") {
  CHECK(text::code_points("") == 0);
  CHECK(text::code_points("grüße") == 5);
  CHECK(text::code_points("🙂日a") == 3);
}

TEST_CASE("text: lower case and trimming touch ASCII only", "[unit][base][text]") {
  CHECK(text::lower_ascii("ABC-xyz-ÄÖ") == "abc-xyz-ÄÖ");
  CHECK(text::trim(" \t a b\r\n") == "a b");
  CHECK(text::trim(" \n") == "");
  CHECK(text::trim("") == "");
  CHECK(text::trim("\u00A0x") == "\u00A0x");
}

TEST_CASE("text: tokens are what fits in a path and a header", "[unit][base][text]") {
  for (const char* good : {"a", "A-b_c.9", "..", "00000"}) CHECK(text::is_token(good, 5 + 3));
  for (const char* bad : {"", "a b", "a/b", "ä", "a~", "a:b", "123456789"}) CHECK_FALSE(text::is_token(bad, 8));
}

TEST_CASE("text: splitting keeps empty parts", "[unit][base][text]") {
  CHECK(text::split("a,b", ',') == std::vector<std::string>{"a", "b"});
  CHECK(text::split("", ',') == std::vector<std::string>{""});
  CHECK(text::split(",a,", ',') == std::vector<std::string>{"", "a", ""});
}

TEST_CASE("text: the nearest word is at most two edits away", "[unit][base][text]") {
  const std::vector<std::string> words = {"public.port", "public.address", "name", "image", "id"};
  const std::pair<const char*, const char*> rows[] = {
      {"public.prt", "public.port"}, {"pubilc.port", "public.port"}, {"nmae", "name"}, {"nam", "name"},
      {"names", "name"},             {"imgae", "image"},             {"di", "id"},     {"xx", ""},
      {"a", ""},                     {"something", ""},              {"", ""},
  };
  for (const auto& [word, expected] : rows) {
    INFO(word);
    CHECK(text::nearest(word, words) == expected);
  }
  CHECK(text::nearest("abcd", {"abxy", "abce"}) == "abce");
  CHECK(text::nearest(std::string(100'000, 'a'), {std::string(100'000, 'a')}).empty());
}

TEST_CASE("text: percent-decoding refuses broken escapes and leaves + alone", "[unit][base][text]") {
  const std::pair<const char*, std::string> good[] = {
      {"", ""}, {"a+b", "a+b"}, {"%41%2f%2F", "A//"}, {"%e2%82%ac", "€"}, {"a%00b", "a\0b"s}, {"%2525", "%25"}};
  std::string out;
  for (const auto& [in, expected] : good) {
    INFO(in);
    CHECK(text::percent_decode(in, out));
    CHECK(out == expected);
  }
  for (const char* bad : {"%", "%4", "%4g", "%g4", "a%", "%%41", "% 41", "%-1"}) {
    INFO(bad);
    CHECK_FALSE(text::percent_decode(bad, out));
  }
  CHECK_FALSE(text::percent_decode(std::string_view("a%41").substr(0, 3), out));
}

TEST_CASE("text: percent-encoding leaves only unreserved characters", "[unit][base][text]") {
  CHECK(text::percent_encode("aZ09-._~") == "aZ09-._~");
  CHECK(text::percent_encode("a b/c?€") == "a%20b%2Fc%3F%E2%82%AC");
  std::string all, back;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  REQUIRE(text::percent_decode(text::percent_encode(all), back));
  CHECK(back == all);
}

TEST_CASE("text: array literals quote everything and read back", "[unit][base][text]") {
  text::ArrayLiteral array;
  array.add("a");
  array.add("b\"c\\d,{}");
  array.add_null();
  array.add("NULL");
  array.add("");
  const std::string literal = array.take();
  CHECK(literal == R"({"a","b\"c\\d,{}",NULL,"NULL",""})");
  CHECK(text::parse_array_literal(literal) == std::vector<std::string>{"a", "b\"c\\d,{}", "", "NULL", ""});
  CHECK(array.take() == "{}");
}

TEST_CASE("text: array literals as PostgreSQL writes them are read", "[unit][base][text]") {
  CHECK(text::parse_array_literal("{}").empty());
  CHECK(text::parse_array_literal("{a,b c,NULL,\"x,y\"}") == std::vector<std::string>{"a", "b c", "", "x,y"});
  for (const char* bad : {"", "{", "a", "{a", "a}", "{\"a}", "{a,}", "{,a}", "{\"a\"b}", "{{a}}", "{\"a\\\"}"}) {
    INFO(bad);
    CHECK_THROWS_AS(text::parse_array_literal(bad), std::invalid_argument);
  }
}
