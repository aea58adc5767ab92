#include <catch2/catch.hpp>

#include <chrono>
#include <iostream>

#include "platform/chat/screening/signs.h"

using namespace chat::screening;

namespace {

int alike(std::string_view one, std::string_view other) { return similarity(read_signs(one).print, read_signs(other).print); }

}  // namespace

TEST_CASE("signs: case, spaces, punctuation and what is invisible make no other text", "[unit][screening]") {
  CHECK(alike("Buy cheap watches now!!!", "buy CHEAP   watches - now") == 100);
  CHECK(alike("free money", "f.r.e.e m_o_n_e_y") == 100);
  CHECK(alike("free money", "free\u200b mo\u200dney\ufeff") == 100);
  CHECK(alike("КУПИ СЕЙЧАС", "купи сейчас") == 100);
  CHECK(alike("ΑΓΟΡΑ ΤΩΡΑ", "αγορα τωρα") == 100);
  CHECK(alike("今すぐ買う", "今すぐ 買う！") == 100);
  CHECK(alike("😀😀😀", "😀 😀 😀") == 100);
  CHECK(alike("ok", "OK!") == 100);
}

TEST_CASE("signs: a word more is nearly the same, another text is not", "[unit][screening]") {
  const std::string_view offer = "Hello friend, I sell very cheap watches, write me on the other messenger today";
  CHECK(alike(offer, "Hello my friend, I sell very cheap watches, write me on the other messenger today") >= 75);
  CHECK(alike(offer, "When does the meeting start, and who brings the slides for the second part?") <= 25);
  CHECK(alike("one", "two") == 0);
  CHECK(alike("", "") == 0);
  CHECK(alike("...", "   ") == 0);
}

TEST_CASE("signs: capitals are counted among letters that know them, in any script", "[unit][screening]") {
  const auto signs = read_signs("HELLO wörld ÄÖÜ ПРИВЕТ 今日 123 !?");
  CHECK(signs.cased == 19);
  CHECK(signs.capitals == 14);
  CHECK(signs.length == 24);
  CHECK(read_signs("今日は").cased == 0);
}

TEST_CASE("signs: links are counted where one begins, and nowhere else", "[unit][screening]") {
  CHECK(read_signs("see https://example.com/a and HTTP://example.org, or www.example.net.").links == 3);
  CHECK(read_signs("(http://a)").links == 1);
  CHECK(read_signs("nohttp://x xwww.y http:// www. https://").links == 0);
  CHECK(read_signs("wow, who would have thought").links == 0);
}

TEST_CASE("signs: what a text of 1 KB costs", "[.measure]") {
  std::string text;
  while (text.size() < 1'024) text += "Hello friend, I sell very cheap watches, see https://example.com/now ";
  text.resize(1'024);
  constexpr int kRounds = 20'000;
  std::int64_t links = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) links += read_signs(text).links;
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
  std::cout << "read_signs of 1 KB: " << took.count() / kRounds << " us (" << links / kRounds << " links)\n";
  CHECK(links > 0);
}
