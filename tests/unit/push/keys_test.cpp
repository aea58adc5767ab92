#include "platform/push/keys.h"

#include <openssl/bio.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <catch2/catch.hpp>

#include "platform/base/crypto.h"

namespace chat::push {
namespace {

struct Pair {
  std::string pem;
  EVP_PKEY* key = nullptr;
  explicit Pair(EVP_PKEY* made) : key(made) {
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
    char* text = nullptr;
    const long size = BIO_get_mem_data(out, &text);
    pem.assign(text, static_cast<std::size_t>(size));
    BIO_free(out);
  }
  ~Pair() { EVP_PKEY_free(key); }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  [[nodiscard]] bool verifies(const std::string& text, const std::string& signature) const {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, key);
    const int answer = EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                                        reinterpret_cast<const unsigned char*>(text.data()), text.size());
    EVP_MD_CTX_free(context);
    return answer == 1;
  }
};

struct Parts {
  std::string signed_text, header, claims, signature;
};
Parts split(const std::string& jwt) {
  const auto first = jwt.find('.'), second = jwt.rfind('.');
  return {jwt.substr(0, second), crypto::parse_base64url(jwt.substr(0, first)).value(),
          crypto::parse_base64url(jwt.substr(first + 1, second - first - 1)).value(), crypto::parse_base64url(jwt.substr(second + 1)).value()};
}

std::string der_of(const std::string& raw) {
  ECDSA_SIG* signature = ECDSA_SIG_new();
  const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
  ECDSA_SIG_set0(signature, BN_bin2bn(bytes, 32, nullptr), BN_bin2bn(bytes + 32, 32, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(signature, &der);
  std::string out(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  ECDSA_SIG_free(signature);
  return out;
}

}  // namespace

TEST_CASE("push keys: an RSA key signs RS256 that OpenSSL accepts", "[unit][push]") {
  const Pair pair(EVP_RSA_gen(2048));
  const auto key = PrivateKey::from_pem(pair.pem);
  REQUIRE(key);
  CHECK(key->is_rsa());
  CHECK_FALSE(key->is_p256());
  const Parts jwt = split(key->jwt("k1", R"({"iss":"me"})"));
  CHECK(jwt.header == R"({"alg":"RS256","typ":"JWT","kid":"k1"})");
  CHECK(jwt.claims == R"({"iss":"me"})");
  CHECK(pair.verifies(jwt.signed_text, jwt.signature));
  CHECK_FALSE(pair.verifies(jwt.signed_text + "x", jwt.signature));
}

TEST_CASE("push keys: a P-256 key signs ES256 with r and s of 32 bytes each", "[unit][push]") {
  const Pair pair(EVP_EC_gen("P-256"));
  const auto key = PrivateKey::from_pem(pair.pem);
  REQUIRE(key);
  CHECK(key->is_p256());
  for (int i = 0; i < 50; ++i) {                           // short r or s would show
    const Parts jwt = split(key->jwt({}, R"({"iss":"me"})"));
    CHECK(jwt.header == R"({"alg":"ES256","typ":"JWT"})");
    REQUIRE(jwt.signature.size() == 64);
    CHECK(pair.verifies(jwt.signed_text, der_of(jwt.signature)));
  }
}

TEST_CASE("push keys: both sides of an agreement find the same secret", "[unit][push]") {
  const PrivateKey one = PrivateKey::make_p256(), other = PrivateKey::make_p256();
  const auto secret = one.agree(other.public_point());
  REQUIRE(secret);
  CHECK(secret == other.agree(one.public_point()));
  std::string off_curve = other.public_point();
  off_curve.back() = static_cast<char>(off_curve.back() ^ 1);
  CHECK_FALSE(one.agree(off_curve));
  CHECK_FALSE(one.agree(""));
}

TEST_CASE("push keys: what is no key is not read", "[unit][push]") {
  const Pair other_curve(EVP_EC_gen("P-384"));
  CHECK_FALSE(PrivateKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"));
  CHECK_FALSE(PrivateKey::from_pem(""));
  CHECK_FALSE(PrivateKey::from_pem(other_curve.pem)->is_p256());
  CHECK_FALSE(PrivateKey::from_p256(std::string(32, '\0')));
  CHECK_FALSE(PrivateKey::from_p256(std::string(31, 'a')));
  CHECK_FALSE(PrivateKey::from_p256(std::string(32, '\xff')));     // above the curve's order
}

}  // namespace chat::push
