#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace chat::push {

/// A private key that signs: RSA (RS256) or P-256 (ES256, agreement). Copies share it.
class PrivateKey {
 public:
  static std::optional<PrivateKey> from_pem(std::string_view pem);           // unencrypted, PKCS#8 or its elders
  static std::optional<PrivateKey> from_p256(std::string_view scalar);       // 32 bytes
  static PrivateKey make_p256();

  [[nodiscard]] bool is_p256() const;
  [[nodiscard]] bool is_rsa() const;
  [[nodiscard]] std::string public_point() const;                             // P-256: 65 bytes, uncompressed
  /// P-256: the shared secret, 32 bytes; nothing when `point` is none of the curve.
  [[nodiscard]] std::optional<std::string> agree(std::string_view point) const;
  /// header.claims.signature; the header's alg is the key's.
  [[nodiscard]] std::string jwt(std::string_view key_id, std::string_view claims) const;

 private:
  struct Held;
  explicit PrivateKey(std::shared_ptr<Held> held) : held_(std::move(held)) {}
  [[nodiscard]] std::string sign(std::string_view text) const;
  std::shared_ptr<Held> held_;
};

/// Ciphertext with its 16 byte tag behind.
std::string aes_128_gcm(std::string_view key, std::string_view nonce, std::string_view plain);

}  // namespace chat::push
