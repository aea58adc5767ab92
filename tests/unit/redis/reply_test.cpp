#include <catch2/catch.hpp>

#include "platform/redis/reply.h"

namespace chat::redis {

TEST_CASE("redis: a command is its words with their lengths, whatever bytes they have", "[unit][redis]") {
  CHECK(command({"SET", "a b", std::string_view("\0\r\n", 3), ""}) == std::string("*4\r\n$3\r\nSET\r\n$3\r\na b\r\n$3\r\n\0\r\n\r\n$0\r\n\r\n", 37));
}

TEST_CASE("redis: replies are read from whatever pieces they come in", "[unit][redis]") {
  const std::string bytes = "+OK\r\n:-7\r\n$5\r\nhel\r\n\r\n$-1\r\n-ERR no\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    Parser parser;
    std::vector<Reply> replies;
    for (std::size_t at = 0; at < bytes.size(); at += piece)
      REQUIRE(parser.feed(std::string_view(bytes).substr(at, piece), [&](Reply reply) { replies.push_back(std::move(reply)); }));
    REQUIRE(replies.size() == 6);
    CHECK(replies[0].text == "OK");
    CHECK(replies[1].integer == -7);
    CHECK(replies[2].text == "hel\r\n");
    CHECK(replies[3].kind == Reply::Kind::none);
    CHECK(replies[4].kind == Reply::Kind::error);
    CHECK(replies[4].text == "ERR no");
    REQUIRE(replies[5].list.size() == 2);
    CHECK(replies[5].list[1].list[0].integer == 1);
  }
}

TEST_CASE("redis: what is not the protocol ends the reading", "[unit][redis]") {
  Parser parser;
  CHECK_FALSE(parser.feed("HTTP/1.1 400 Bad Request\r\n", [](const Reply&) {}));
}

}  // namespace chat::redis
