#include <catch2/catch.hpp>

#include "platform/redis/options.h"

namespace chat::redis {

TEST_CASE("redis: an address is a host with port and database, or a unix socket", "[unit][redis]") {
  struct Row { const char* url; const char* path; const char* host; int port; int database; };
  const auto row = GENERATE(values<Row>({{"redis://localhost", "", "localhost", 6379, 0},
                                         {"redis://10.0.0.7:6380/3", "", "10.0.0.7", 6380, 3},
                                         {"redis://[::1]:6380", "", "::1", 6380, 0},
                                         {"redis://[::1]", "", "::1", 6379, 0},
                                         {"unix:///run/redis.sock", "/run/redis.sock", "", 6379, 0},
                                         {"unix:///run/redis.sock?db=2", "/run/redis.sock", "", 6379, 2}}));
  INFO(row.url);
  const auto address = parse_url(row.url);
  REQUIRE(address);
  CHECK(address->path == row.path);
  CHECK(address->host == row.host);
  CHECK(address->port == row.port);
  CHECK(address->database == row.database);
}

TEST_CASE("redis: what is no address is refused, and so is a password in one", "[unit][redis]") {
  const auto url = GENERATE(as<std::string>(), "", "localhost:6379", "http://x", "redis://", "redis://:6379", "redis://x:", "redis://x:0", "redis://x:99999",
                            "redis://x/16", "redis://x/a", "redis://user:secret@x", "unix://run/redis.sock", "unix://", "unix:///x?db=");
  INFO(url);
  CHECK_FALSE(parse_url(url));
}

}  // namespace chat::redis
