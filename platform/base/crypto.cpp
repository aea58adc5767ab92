#include "platform/base/crypto.h"

#include <sodium.h>

#include <stdexcept>

#include "platform/base/error.h"

namespace chat::crypto {
namespace {

constexpr char kSealVersion = 1;
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kKey = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
static_assert(kNonce == 24 && kTag == 16 && kKey == 32);

const unsigned char* in(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }
unsigned char* out(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

std::string encode(std::string_view bytes, int variant) {
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), in(bytes), bytes.size(), variant);
  text.pop_back();  // the terminator that the library counts
  return text;
}

/// The library refuses white space, wrong or missing padding and stray bits.
std::optional<std::string> decode(std::string_view text, int variant) {
  std::string bytes(text.size() / 4 * 3 + 3, '\0');
  std::size_t size = 0;
  const int failed =
      sodium_base642bin(out(bytes), bytes.size(), text.data(), text.size(), nullptr, &size, nullptr, variant);
  if (failed != 0) return std::nullopt;
  bytes.resize(size);
  return bytes;
}

/// The master key as raw bytes; as base64 text, padded or not, it is decoded.
std::string to_key(std::string given) {
  if (given.size() == kKey) return given;
  for (const int variant : {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
                            sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING}) {
    if (auto key = decode(given, variant); key && key->size() == kKey) return *std::move(key);
  }
  throw std::invalid_argument("the master key must be 32 bytes, or the base64 of 32 bytes");
}

}  // namespace

void start() { INVARIANT(sodium_init() >= 0, "libsodium cannot start"); }

std::string random_bytes(std::size_t size) {
  std::string bytes(size, '\0');
  randombytes_buf(bytes.data(), size);
  return bytes;
}

std::string hmac_sha256(std::string_view key, std::string_view message) {
  crypto_auth_hmacsha256_state state;
  std::string mac(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256_init(&state, in(key), key.size());
  crypto_auth_hmacsha256_update(&state, in(message), message.size());
  crypto_auth_hmacsha256_final(&state, out(mac));
  sodium_memzero(&state, sizeof state);
  return mac;
}

std::string sha256(std::string_view message) {
  std::string digest(crypto_hash_sha256_BYTES, '\0');
  crypto_hash_sha256(out(digest), in(message), message.size());
  return digest;
}

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && (a.empty() || sodium_memcmp(a.data(), b.data(), a.size()) == 0);
}

std::string base64url(std::string_view bytes) { return encode(bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING); }

std::optional<std::string> parse_base64url(std::string_view text) {
  return decode(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

std::string base64(std::string_view bytes) { return encode(bytes, sodium_base64_VARIANT_ORIGINAL); }

std::optional<std::string> parse_base64(std::string_view text) { return decode(text, sodium_base64_VARIANT_ORIGINAL); }

std::string hex(std::string_view bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), in(bytes), bytes.size());
  text.pop_back();
  return text;
}

Sealer::Sealer(std::string master_key) : key_(to_key(std::move(master_key))) {}

std::string Sealer::seal(std::string_view plain, std::string_view context) const {
  std::string sealed(1 + kNonce + plain.size() + kTag, kSealVersion);
  randombytes_buf(sealed.data() + 1, kNonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(out(sealed) + 1 + kNonce, nullptr, in(plain), plain.size(), in(context),
                                             context.size(), nullptr, in(sealed) + 1, in(key_));
  return sealed;
}

std::optional<std::string> Sealer::open(std::string_view sealed, std::string_view context) const {
  if (sealed.size() < 1 + kNonce + kTag || sealed.front() != kSealVersion) return std::nullopt;
  const std::string_view cipher = sealed.substr(1 + kNonce);
  std::string plain(cipher.size() - kTag, '\0');
  const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(out(plain), nullptr, nullptr, in(cipher),
                                                                cipher.size(), in(context), context.size(),
                                                                in(sealed) + 1, in(key_));
  if (failed != 0) return std::nullopt;
  return plain;
}

}  // namespace chat::crypto
