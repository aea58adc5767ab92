#include <catch2/catch.hpp>

#include "platform/chat/previews/urls.h"

using namespace chat::previews;
using Urls = std::vector<std::string>;

TEST_CASE("previews: links are found in texts as people write them", "[unit][previews]") {
  CHECK(find_urls("see https://example.com/a?b=c#d, or (http://example.org/x_(y)).") ==
        Urls{"https://example.com/a?b=c#d", "http://example.org/x_(y)"});
  CHECK(find_urls("<https://a.example> \"HTTPS://b.example/\" [x](http://c.example)") == Urls{"https://a.example", "HTTPS://b.example/", "http://c.example"});
  CHECK(find_urls("https://a.example https://a.example") == Urls{"https://a.example"});
  CHECK(find_urls("http://1.example http://2.example http://3.example http://4.example").size() == kMaxUrls);
  CHECK(find_urls("größe https://bücher.example/ä") == Urls{"https://bücher.example/ä"});
  for (const char* none : {"", "http", "http://", "https://.", "xhttp://a.example", "ftp://a.example", "javascript:alert(1)", "h", "hhhh"}) CHECK(find_urls(none).empty());
  CHECK(find_urls("https://a.example/" + std::string(kMaxUrlBytes, 'x')).empty());
}

TEST_CASE("previews: a redirect leads to a URL or a path, and nowhere else", "[unit][previews]") {
  CHECK(resolve_location("https://a.example/x?y", "/z") == "https://a.example/z");
  CHECK(resolve_location("https://a.example", "/z") == "https://a.example/z");
  CHECK(resolve_location("https://a.example?x", "/z") == "https://a.example/z");
  CHECK(resolve_location("https://a.example/x", "//b.example/z") == "https://b.example/z");
  CHECK(resolve_location("https://a.example/x", "http://b.example") == "http://b.example");
  for (const char* nowhere : {"", "z", "ftp://b.example", "javascript:alert(1)", "/a b", "/a\r\nX: y"}) CHECK_FALSE(resolve_location("https://a.example/x", nowhere));
}
