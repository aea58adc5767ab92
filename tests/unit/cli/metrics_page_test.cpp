#include "cli/remote/metrics_page.h"

#include <catch2/catch.hpp>

namespace chat::cli {

namespace {

const char* const kPage =
    "# HELP chat_sends_total Messages accepted, by application.\n"
    "# TYPE chat_sends_total counter\n"
    "chat_sends_total{app=\"app_1\"} 12\n"
    "chat_sends_total{node=\"a\",app=\"app_2\"} 1.5e+06 1700000000\n"
    "chat_sends_total{wrapp=\"app_3\"} 3\n"
    "chat_sends_total{app=\"__other__\"} 0\n"
    "chat_sends_total 7\n"
    "chat_sends_total{app=\"app_4\"} many\n"
    "chat_sends_total{app=\"app\\\"5\"} 5\n"
    "chat_sends_total{app=\"app_6\"\n"
    "chat_sends_total_more{app=\"app_7\"} 7\n"
    "chat_sends{app=\"app_8\"} 8";

}  // namespace

TEST_CASE("metrics page: values by a label, and nothing that can't be read", "[unit][cli]") {
  CHECK(values_by(kPage, "chat_sends_total", "app") ==
        std::map<std::string, double>{{"__other__", 0}, {"app_1", 12}, {"app_2", 1'500'000}});
  CHECK(values_by(kPage, "chat_sends", "app") == std::map<std::string, double>{{"app_8", 8}});
  CHECK(values_by(kPage, "chat_sends_total", "node") == std::map<std::string, double>{{"a", 1'500'000}});
  CHECK(values_by("", "chat_sends_total", "app").empty());
}

}  // namespace chat::cli
