#include "platform/base/crypto.h"

#include <catch2/catch.hpp>
#include <set>

using namespace chat;
using namespace std::string_literals;

TEST_CASE("crypto: HMAC-SHA256 gives RFC 4231's vectors", "[unit][base][crypto]") {
  CHECK(crypto::hex(crypto::hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(crypto::hex(crypto::hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(crypto::hex(crypto::hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("crypto: SHA-256 gives the published digests", "[unit][base][crypto]") {
  CHECK(crypto::hex(crypto::sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(crypto::hex(crypto::sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("crypto: equality needs the same size and bytes", "[unit][base][crypto]") {
  CHECK(crypto::equal("", ""));
  CHECK(crypto::equal("abc", "abc"));
  CHECK_FALSE(crypto::equal("abc", "abd"));
  CHECK_FALSE(crypto::equal("abc", "abcd"));
  CHECK_FALSE(crypto::equal("", "a"));
}

TEST_CASE("crypto: base64url goes both ways", "[unit][base][crypto]") {
  const std::pair<std::string, std::string> rows[] = {
      {"", ""}, {"f", "Zg"}, {"fo", "Zm8"}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "-_-_"}, {"\0\0"s, "AAA"}};
  for (const auto& [bytes, text] : rows) {
    INFO(text);
    CHECK(crypto::base64url(bytes) == text);
    CHECK(crypto::parse_base64url(text) == bytes);
  }
  CHECK(crypto::base64("\xfb\xff\xbf""f") == "+/+/Zg==");
}

TEST_CASE("crypto: base64url that is padded, foreign or not canonical is refused", "[unit][base][crypto]") {
  for (const std::string& bad : {"Zg=="s, "Zg="s, "="s, "Z"s, "Zm9vY"s, "Zh"s, "Zm9"s, "+/+/"s, "Zm 8"s, "Zm8\n"s, " Zm8"s,
                                 "Zm8."s, "Zm\0"s, "Zg\0"s, "ä"s}) {
    INFO(bad);
    CHECK_FALSE(crypto::parse_base64url(bad).has_value());
  }
}

TEST_CASE("crypto: random bytes differ", "[unit][base][crypto]") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(crypto::random_bytes(16));
  CHECK(seen.size() == 100);
  CHECK(crypto::random_bytes(0).empty());
}

TEST_CASE("crypto: a sealed secret opens only with its key and context, whole", "[unit][base][crypto]") {
  const crypto::Sealer sealer(std::string(32, 'k'));
  for (const std::string& plain : {""s, "s"s, "a longer secret \0 with anything"s}) {
    const std::string sealed = sealer.seal(plain, "app_1");
    CHECK(sealed.size() == 1 + 24 + plain.size() + 16);
    CHECK(sealed[0] == 1);
    CHECK(sealer.open(sealed, "app_1") == plain);
    CHECK_FALSE(sealer.open(sealed, "app_2").has_value());
    CHECK_FALSE(crypto::Sealer(std::string(32, 'x')).open(sealed, "app_1").has_value());
    for (std::size_t i = 0; i < sealed.size(); ++i) {
      std::string damaged = sealed;
      damaged[i] = static_cast<char>(damaged[i] ^ 1);
      CHECK_FALSE(sealer.open(damaged, "app_1").has_value());
      CHECK_FALSE(sealer.open(sealed.substr(0, i), "app_1").has_value());
    }
  }
  CHECK(sealer.seal("same", "c") != sealer.seal("same", "c"));
}

TEST_CASE("crypto: the master key is 32 bytes, raw or as base64", "[unit][base][crypto]") {
  const std::string key = "\xfb\xff\xbf" + std::string(29, 'k');
  const std::string sealed = crypto::Sealer(key).seal("plain", "c");
  CHECK(crypto::Sealer(crypto::base64(key)).open(sealed, "c") == "plain");
  CHECK(crypto::Sealer(crypto::base64url(key)).open(sealed, "c") == "plain");
  for (const std::string& bad : {""s, "short"s, std::string(31, 'k'), std::string(33, 'k'), std::string(44, '!'),
                                 crypto::base64(std::string(31, 'k'))}) {
    CHECK_THROWS_AS(crypto::Sealer(bad), std::invalid_argument);
  }
}
