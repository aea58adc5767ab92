#include "platform/push/keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/json.h"

namespace chat::push {
namespace {

constexpr std::size_t kScalarBytes = 32;
constexpr std::size_t kPointBytes = 65;
constexpr std::size_t kTagBytes = 16;
constexpr const char* kCurve = "prime256v1";

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* pointer) const { Free(pointer); }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freed<Free>>;

using OwnedKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using OwnedKeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using OwnedNumber = Owned<BIGNUM, BN_clear_free>;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string point_of(const BIGNUM* scalar) {
  const Owned<EC_GROUP, EC_GROUP_free> group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  const Owned<EC_POINT, EC_POINT_free> point(EC_POINT_new(group.get()));
  std::string out(kPointBytes, '\0');
  const bool made = EC_POINT_mul(group.get(), point.get(), scalar, nullptr, nullptr, nullptr) == 1 &&
                    EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, bytes_of(out), out.size(), nullptr) == kPointBytes;
  return made ? out : std::string();
}

// Only a public key when there is no scalar. Null: no point of the curve.
OwnedKey p256(std::string_view point, const BIGNUM* scalar) {
  const Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, kCurve, 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  if (scalar != nullptr) OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar);
  const Owned<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(builder.get()));
  const OwnedKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* key = nullptr;
  if (params == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, scalar != nullptr ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params.get()) != 1)
    return nullptr;
  return OwnedKey(key);
}

// JOSE wants r and s side by side, OpenSSL gives them in DER.
std::string raw_signature(const std::string& der) {
  const unsigned char* at = bytes_of(std::string_view(der));
  const Owned<ECDSA_SIG, ECDSA_SIG_free> signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  INVARIANT(signature != nullptr, "OpenSSL reads its own signature");
  std::string out(2 * kScalarBytes, '\0');
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), bytes_of(out), kScalarBytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), bytes_of(out) + kScalarBytes, kScalarBytes);
  return out;
}

}  // namespace

struct PrivateKey::Held {
  OwnedKey key;
};

std::optional<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  const Owned<BIO, BIO_free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const auto no_password = [](char*, int, int, void*) { return -1; };
  OwnedKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key) return std::nullopt;
  return PrivateKey(std::make_shared<Held>(Held{std::move(key)}));
}

std::optional<PrivateKey> PrivateKey::from_p256(std::string_view scalar) {
  if (scalar.size() != kScalarBytes) return std::nullopt;
  const OwnedNumber number(BN_bin2bn(bytes_of(scalar), static_cast<int>(scalar.size()), nullptr));
  const Owned<EC_GROUP, EC_GROUP_free> group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  if (BN_is_zero(number.get()) || BN_cmp(number.get(), EC_GROUP_get0_order(group.get())) >= 0) return std::nullopt;
  OwnedKey key = p256(point_of(number.get()), number.get());
  if (!key) return std::nullopt;
  return PrivateKey(std::make_shared<Held>(Held{std::move(key)}));
}

PrivateKey PrivateKey::make_p256() {
  OwnedKey key(EVP_EC_gen("P-256"));
  INVARIANT(key != nullptr, "OpenSSL makes a key");
  return PrivateKey(std::make_shared<Held>(Held{std::move(key)}));
}

bool PrivateKey::is_rsa() const { return EVP_PKEY_is_a(held_->key.get(), "RSA") == 1; }

bool PrivateKey::is_p256() const {
  char name[32] = "";
  std::size_t size = 0;
  return EVP_PKEY_get_utf8_string_param(held_->key.get(), OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof name, &size) == 1 &&
         std::string_view(name) == kCurve;
}

std::string PrivateKey::public_point() const {
  BIGNUM* scalar = nullptr;
  INVARIANT(EVP_PKEY_get_bn_param(held_->key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1, "a P-256 key has a scalar");
  const OwnedNumber owned(scalar);
  return point_of(scalar);
}

std::optional<std::string> PrivateKey::agree(std::string_view point) const {
  const OwnedKey peer = point.size() == kPointBytes ? p256(point, nullptr) : nullptr;
  if (!peer) return std::nullopt;
  const OwnedKeyContext context(EVP_PKEY_CTX_new(held_->key.get(), nullptr));
  std::string secret(kScalarBytes, '\0');
  std::size_t size = secret.size();
  if (EVP_PKEY_derive_init(context.get()) != 1 || EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), bytes_of(secret), &size) != 1)
    return std::nullopt;
  return secret;
}

std::string PrivateKey::sign(std::string_view text) const {
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  std::size_t size = 0;
  bool signed_well = EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, held_->key.get()) == 1 &&
                     EVP_DigestSign(context.get(), nullptr, &size, bytes_of(text), text.size()) == 1;
  std::string signature(size, '\0');
  signed_well = signed_well && EVP_DigestSign(context.get(), bytes_of(signature), &size, bytes_of(text), text.size()) == 1;
  INVARIANT(signed_well, "a key that was read signs");
  signature.resize(size);
  return is_rsa() ? signature : raw_signature(signature);
}

std::string PrivateKey::jwt(std::string_view key_id, std::string_view claims) const {
  json::Writer header;
  header.object().field("alg", is_rsa() ? "RS256" : "ES256").field("typ", "JWT");
  if (!key_id.empty()) header.field("kid", key_id);
  const std::string text = crypto::base64url(header.end().take()) + "." + crypto::base64url(claims);
  return text + "." + crypto::base64url(sign(text));
}

std::string aes_128_gcm(std::string_view key, std::string_view nonce, std::string_view plain) {
  const Owned<EVP_CIPHER_CTX, EVP_CIPHER_CTX_free> context(EVP_CIPHER_CTX_new());
  std::string out(plain.size() + kTagBytes, '\0');
  int size = 0;
  const bool sealed =
      EVP_EncryptInit_ex(context.get(), EVP_aes_128_gcm(), nullptr, bytes_of(key), bytes_of(nonce)) == 1 &&
      EVP_EncryptUpdate(context.get(), bytes_of(out), &size, bytes_of(plain), static_cast<int>(plain.size())) == 1 &&
      EVP_EncryptFinal_ex(context.get(), bytes_of(out) + size, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, bytes_of(out) + plain.size()) == 1;
  INVARIANT(sealed, "AES-128-GCM seals");
  return out;
}

}  // namespace chat::push
