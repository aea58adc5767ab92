#include <catch2/catch.hpp>

#include "platform/chat/previews/page.h"

using namespace chat::previews;

TEST_CASE("previews: a page's own words come first, then its title and description", "[unit][previews]") {
  auto page = read_page("<title>A</title><meta name=description content=D><meta property='og:title' content='B'>", "text/html");
  REQUIRE(page);
  CHECK(page->title == "B");
  CHECK(page->description == "D");
  CHECK_FALSE(page->image);
  page = read_page("<html><head><title> A &lt;b&gt;\n x</title></head>", "Text/HTML; charset=\"UTF-8\"");
  REQUIRE(page);
  CHECK(page->title == "A <b> x");
  CHECK(read_page("<title>A</title><body><meta property='og:title' content='late'>", "text/html")->title == "A");
}

TEST_CASE("previews: what is no page is none", "[unit][previews]") {
  for (const char* type : {"", "text/plain", "application/json", "image/svg+xml", "text/htmlx"}) CHECK_FALSE(read_page("<title>A</title>", type));
  for (const char* html : {"", "<title></title>", "<title> \n </title>", "plain words", "<meta property='og:title' content=''>", "\xff\xfe\xfd"})
    CHECK_FALSE(read_page(html, "text/html"));
}

TEST_CASE("previews: texts are cut at whole characters, images are URLs", "[unit][previews]") {
  std::string umlauts;
  for (int i = 0; i < 400; ++i) umlauts += "ä";
  auto page = read_page("<title>" + umlauts + "</title><meta property='og:image' content='/a.png'>", "text/html; charset=utf-8");
  REQUIRE(page);
  CHECK(page->title.size() == kMaxTitleBytes);
  CHECK_FALSE(page->image);
  CHECK(read_page("<title>x</title><meta property='og:image' content='http://a.example/a.png'>", "text/html")->image == "http://a.example/a.png");
}
