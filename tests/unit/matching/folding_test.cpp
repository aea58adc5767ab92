#include "platform/matching/folding.h"

#include <catch2/catch.hpp>

using namespace chat::matching;

namespace {

constexpr Folding kNone{.letter_case = false, .width = false, .invisible = false};

std::string folded(std::string_view text, const Folding& folding) { return fold(text, folding).bytes; }

}  // namespace

TEST_CASE("folding: each setting takes for the same what it says, and nothing else", "[unit][matching]") {
  CHECK(folded("Straße ÀÉ", kNone) == folded("Straße ÀÉ", kNone));
  CHECK(folded("e\u0301", kNone) == folded("é", kNone));
  CHECK(folded("A", kNone) != folded("a", kNone));

  CHECK(folded("STRASSE", {.width = false, .invisible = false}) == folded("straße", {.width = false, .invisible = false}));
  CHECK(folded("ΣΊΣΥΦΟΣ", {}) == folded("σίσυφος", {}));

  Folding width = kNone;
  CHECK(folded("ｂａｄ", width) != "bad");
  width.width = true;
  CHECK(folded("ｂａｄ", width) == "bad");
  CHECK(folded("𝐛𝐚𝐝", width) == "bad");
  CHECK(folded("ｶﾞ", width) == folded("ガ", width));

  Folding diacritics = kNone;
  diacritics.diacritics = true;
  CHECK(folded("éłøñ", diacritics) == "elon");
  CHECK(folded("b\u0336a\u0336d\u0336", diacritics) == "bad");
  CHECK(folded("b\u20DDa\u20DEd\u0488", diacritics) == "bad");
  CHECK(folded("مَرْحَبًا", diacritics) == folded("مرحبا", diacritics));
  CHECK(folded("कि", diacritics) != folded("क", diacritics));

  CHECK(folded("bаd", {.confusables = true}) == folded("bad", {.confusables = true}));   // Cyrillic а
  CHECK(folded("bаd", {}) != folded("bad", {}));
  CHECK(folded("B4D 5h1+", {.leet = true}) == "bad shi+");

  CHECK(folded("b\u200Ba\u00ADd\u2060", {}) == "bad");
  CHECK(folded("b\u200Bad", {.invisible = false}) != "bad");
  CHECK(folded("one \t\n\u3000two", {}) == "one two");
}

TEST_CASE("folding: letters that stand alone are one word, others keep what is between them", "[unit][matching]") {
  const Folding spacing{.spacing = true};
  CHECK(folded("b.a.d", spacing) == "bad");
  CHECK(folded("so b a d it is", spacing) == "so bad it is");
  CHECK(folded("b - a - d", spacing) == "bad");
  CHECK(folded("b a", spacing) == "b a");
  CHECK(folded("an a b", spacing) == "an a b");
  CHECK(folded("b      a d", spacing) == "b a d");
  CHECK(folded("e\u0301 a d", spacing) == folded("éad", spacing));
}

TEST_CASE("folding: each byte knows the code point that it came from", "[unit][matching]") {
  const auto result = fold("ß\u200Bx", Folding{});
  REQUIRE(result.bytes == "ssx");
  CHECK(result.source == std::vector<std::uint32_t>{0, 0, 2});
  const Text text("aé\xFFz");
  CHECK(text.points == std::vector<char32_t>{'a', 0xE9, 0xFFFD, 'z'});
  CHECK(text.offsets == std::vector<std::uint32_t>{0, 1, 3, 4, 5});
}

TEST_CASE("folding: marks in another order are the same text", "[unit][matching]") {
  CHECK(folded("a\u0301\u0323", kNone) == folded("a\u0323\u0301", kNone));
  CHECK(folded("a\u0301\u0300", kNone) != folded("a\u0300\u0301", kNone));   // of one class: the order says something
}

TEST_CASE("folding: a host has a form in Unicode and one in ASCII", "[unit][matching]") {
  CHECK(forms_of_host("Example.COM") == std::vector<std::string>{"example.com"});
  CHECK(forms_of_host("bücher.example") == std::vector<std::string>{"xn--bcher-kva.example", "bücher.example"});
  CHECK(forms_of_host("xn--bcher-kva.example") == forms_of_host("bücher.example"));
  CHECK(forms_of_host("a b.example").empty());
}
