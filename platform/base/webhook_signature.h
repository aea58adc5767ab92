#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "platform/base/clock.h"

/// Signatures of webhooks, as Standard Webhooks 1.0 has them. Pure.
/// Source:  https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
namespace chat::webhook {

enum class Scheme { v1, v1a };                 // HMAC-SHA256 | Ed25519

/// A key that signs, or of v1a one that verifies alone.
struct Key {
  Scheme scheme = Scheme::v1;
  std::string bytes;                           // v1: 24-64 as made here; v1a: 64, seed and public key; 32: the public one
  [[nodiscard]] std::string text() const;      // whsec_… | whsk_… | whpk_…
  [[nodiscard]] Key public_half() const;       // of v1a
};
Key make_key(Scheme scheme);

/// Takes whsec_, whsk_, whpk_ and base64 without a prefix (then v1), padded or not. Nothing, with what is wrong in `why`: no key.
std::optional<Key> parse_key(std::string_view text, std::string* why = nullptr);

/// "v1,…" or "v1a,…" over id, timestamp and body. INVARIANT: a key that signs.
std::string sign(const Key& key, std::string_view id, std::int64_t timestamp, std::string_view body);

/// What a receiver got: the values of webhook-id, webhook-timestamp and webhook-signature, and the bytes of the body.
struct Received {
  std::string_view id, timestamp, signature, body;
};
inline constexpr std::chrono::seconds kTolerance{300};
/// Empty: genuine. Else what is wrong, in a sentence. `tolerance` nothing: whenever it was signed.
std::string verify(const Key& key, const Received& received, Timestamp now, std::optional<std::chrono::seconds> tolerance = kTolerance);

}  // namespace chat::webhook
