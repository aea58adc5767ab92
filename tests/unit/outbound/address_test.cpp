#include <catch2/catch.hpp>

#include "platform/outbound/address.h"
#include "platform/outbound/target.h"

namespace chat::outbound {
namespace {

std::string judge(const char* text, const Guard& guard = Guard()) {
  const auto address = Address::parse(text);
  return address ? std::string(guard.refuses(*address)) : "no address";
}

}  // namespace

TEST_CASE("guard: what is not public is refused, in each form that it has", "[unit][outbound]") {
  const std::pair<const char*, const char*> refused[] = {
      {"0.0.0.0", "unspecified"},       {"0.1.2.3", "unspecified"},        {"10.0.0.1", "private"},
      {"10.255.255.255", "private"},    {"100.64.0.1", "private"},         {"100.127.255.255", "private"},
      {"127.0.0.1", "loopback"},        {"127.255.255.254", "loopback"},   {"169.254.169.254", "link-local"},
      {"172.16.0.1", "private"},        {"172.31.255.255", "private"},     {"192.0.0.1", "reserved"},
      {"192.0.2.1", "documentation"},   {"192.88.99.1", "reserved"},       {"192.168.1.1", "private"},
      {"198.18.0.1", "benchmarking"},   {"198.19.255.255", "benchmarking"}, {"198.51.100.7", "documentation"},
      {"203.0.113.9", "documentation"}, {"224.0.0.1", "multicast"},        {"239.255.255.255", "multicast"},
      {"240.0.0.1", "reserved"},        {"255.255.255.255", "reserved"},   {"::", "reserved"},
      {"::1", "loopback"},              {"::127.0.0.1", "reserved"},       {"::ffff:127.0.0.1", "loopback"},
      {"::ffff:a9fe:a9fe", "link-local"}, {"::ffff:10.1.1.1", "private"},  {"64:ff9b::7f00:1", "loopback"},
      {"64:ff9b::10.0.0.1", "private"}, {"64:ff9b:1::1", "translated"},    {"100::1", "discard"},
      {"2001::1", "reserved"},          {"2001:db8::1", "documentation"},  {"2002:7f00:1::", "translated"},
      {"3fff::1", "documentation"},     {"5f00::1", "reserved"},           {"fc00::1", "private"},
      {"fd00:ec2::254", "private"},     {"fe80::1", "link-local"},         {"fec0::1", "private"},
      {"ff02::1", "multicast"}};
  for (const auto& [text, kind] : refused) {
    INFO(text);
    CHECK(judge(text) == kind);
  }
}

TEST_CASE("guard: public addresses pass, up to the edges of the special ranges", "[unit][outbound]") {
  for (const char* text : {"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
                           "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
                           "223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"}) {
    INFO(text);
    CHECK(judge(text).empty());
  }
}

TEST_CASE("guard: the operator opens ranges, and nothing beside them", "[unit][outbound]") {
  const Guard guard({*Network::parse("10.1.0.0/16"), *Network::parse("127.0.0.1"), *Network::parse("fd00::/8")});
  CHECK(judge("10.1.200.3", guard).empty());
  CHECK(judge("10.2.0.1", guard) == "private");
  CHECK(judge("127.0.0.1", guard).empty());
  CHECK(judge("127.0.0.2", guard) == "loopback");
  CHECK(judge("::ffff:10.1.0.1", guard).empty());
  CHECK(judge("fd12::1", guard).empty());
  CHECK(judge("fc12::1", guard) == "private");
}

TEST_CASE("guard: a range that is none is not read", "[unit][outbound]") {
  for (const char* text : {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0/8", "localhost", "::/129", "0x7f.1", "10.0.0.0/8x"}) {
    INFO(text);
    CHECK_FALSE(Network::parse(text).has_value());
  }
}

TEST_CASE("target: only what may be called at all goes on to DNS", "[unit][outbound]") {
  const auto fine = [](const char* url, bool http = false) { return read_target(url, http).refusal.empty(); };
  CHECK(fine("https://example.com/hook?x=1"));
  CHECK(fine("https://example.com:8443/"));
  CHECK(fine("http://example.com/", true));
  for (const char* url : {"http://example.com/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com", "example.com", "", "https://",
                          "https://user:pw@example.com/", "https://user@example.com/", "https://example.com:22/", "https://example.com:25/",
                          "https://exa mple.com/", "https://example.com/\r\nX: y", "https://example.com/\xc3\xa9"}) {
    INFO(url);
    CHECK_FALSE(fine(url));
  }
  CHECK_FALSE(fine(("https://example.com/" + std::string(2048, 'a')).c_str()));
  CHECK(read_target("https://Example.com/a", false).host == read_target("https://example.com:443/b", false).host);
}

}  // namespace chat::outbound
