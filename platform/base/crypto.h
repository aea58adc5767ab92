#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The few primitives the product needs, over libsodium. Bytes travel as std::string.
namespace chat::crypto {

void start();                                                     // once, before anything else here
std::string random_bytes(std::size_t size);
std::string hmac_sha256(std::string_view key, std::string_view message);          // 32 bytes
std::string sha256(std::string_view message);                                      // 32 bytes
bool equal(std::string_view a, std::string_view b);               // constant time for equal sizes

std::string base64url(std::string_view bytes);                    // no padding
std::optional<std::string> parse_base64url(std::string_view text);  // strict: no padding, canonical
std::string base64(std::string_view bytes);
std::optional<std::string> parse_base64(std::string_view text);   // padded, standard alphabet
std::string hex(std::string_view bytes);

/// The operator's master key, 32 bytes, kept as base64 in a file.
/// Seals small secrets at rest: XChaCha20-Poly1305 with `context` (whose secret it is) bound in.
/// Shape:   sealed = version byte 1, 24 byte nonce, ciphertext with 16 byte tag.
class Sealer {
 public:
  explicit Sealer(std::string master_key);
  [[nodiscard]] std::string seal(std::string_view plain, std::string_view context) const;
  [[nodiscard]] std::optional<std::string> open(std::string_view sealed, std::string_view context) const;
 private:
  std::string key_;
};

}  // namespace chat::crypto
