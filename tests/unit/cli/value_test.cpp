#include "cli/output/value.h"

#include <catch2/catch.hpp>

#include "cli/files/yaml.h"

namespace chat::cli {
namespace {

std::string as_yaml(const std::string& json) {
  const auto document = json::Document::parse(json);
  return yaml_text(document.root());
}

std::string as_json(const std::string& json) {
  const auto document = json::Document::parse(json);
  return pretty_json(document.root());
}

}  // namespace

TEST_CASE("values: a dotted path finds nested members, and null is nothing", "[unit][cli]") {
  const auto document = json::Document::parse(R"({"a":{"b":[1,"x",{"c":2}],"n":null},"t":true})");
  CHECK(text_at(document.root(), "a.b") == "1,x,{\"c\":2}");
  CHECK(text_at(document.root(), "t") == "true");
  CHECK(text_at(document.root(), "a.n") == "");
  CHECK(text_at(document.root(), "a.b.c") == "");
  CHECK(!find_at(document.root(), "nowhere.at.all"));
}

TEST_CASE("values: one text is replaced and the rest stays", "[unit][cli]") {
  const auto document = json::Document::parse(R"({"a":{"b":"old","c":[1]},"d":"old"})");
  CHECK(with_text_at(document.root(), "a.b", "n\"w") == R"({"a":{"b":"n\"w","c":[1]},"d":"old"})");
  CHECK(with_text_at(document.root(), "x.y", "new") == R"({"a":{"b":"old","c":[1]},"d":"old"})");
}

TEST_CASE("json: two blanks a level", "[unit][cli]") {
  CHECK(as_json(R"({"a":[],"b":{},"c":[1,{"d":"e\n"}]})") ==
        "{\n  \"a\": [],\n  \"b\": {},\n  \"c\": [\n    1,\n    {\n      \"d\": \"e\\n\"\n    }\n  ]\n}\n");
  CHECK(as_json("[]") == "[]\n");
}

TEST_CASE("yaml: what is written is read back as the same values", "[unit][cli]") {
  for (
      const auto* json :
      {R"({"a":"plain","b":"true","c":"12","d":"","e":"a: b","f":"- x","g":"null","h":"#","i":"ünï","j":"a\nb\u001b"})",
       R"({"n":12,"f":1.5,"t":true,"z":null,"o":{},"l":[],"deep":{"l":[[1,2],[{"a":1,"b":[3]}]]}})",
       R"([{"a":1,"b":{"c":2}},{"a":"2026-11-21T12:00:00Z"}])", R"({"weird key":1,"yes":2,"1":3})",
       R"("text")", "[]"}) {
    INFO(as_yaml(json));
    const auto document = json::Document::parse(json);
    CHECK(yaml_to_json(as_yaml(json), "x") == document.root().raw());
  }
}

TEST_CASE("csv: RFC 4180", "[unit][cli]") {
  CHECK(csv_cell("plain") == "plain");
  CHECK(csv_cell("a,b") == "\"a,b\"");
  CHECK(csv_cell("say \"x\"\r\n") == "\"say \"\"x\"\"\r\n\"");
}

TEST_CASE("terminals: control characters and direction overrides are shown, letters stay", "[unit][cli]") {
  CHECK(printable("a\x1b[31m\tb\x7f") == R"(a\x1b[31m\x09b\x7f)");
  CHECK(printable("\xC2\x9B") == R"(\x9b)");
  CHECK(printable("\xE2\x80\xAE") == R"(\u202e)");
  CHECK(printable("日本 é 🙂") == "日本 é 🙂");
  CHECK(printable("\xFF\xC3") == "\xFF\xC3");
}

TEST_CASE("terminals: width of wide, narrow and combining letters", "[unit][cli]") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("東京") == 4);
  CHECK(display_width("e\xCC\x81") == 1);
  CHECK(display_width("🙂") == 2);
}

}  // namespace chat::cli
