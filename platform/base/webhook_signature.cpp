#include "platform/base/webhook_signature.h"

#include <sodium.h>

#include <algorithm>
#include <charconv>

#include "platform/base/crypto.h"
#include "platform/base/error.h"

namespace chat::webhook {
namespace {

constexpr std::string_view kSecret = "whsec_", kSigning = "whsk_", kVerifying = "whpk_";
constexpr std::size_t kNewSecretBytes = 32;

const unsigned char* data_of(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

std::optional<std::string> decode(std::string_view text) {
  std::string padded(text);
  while (padded.size() % 4 != 0) padded += '=';
  return crypto::parse_base64(padded);
}

std::string signed_content(std::string_view id, std::string_view timestamp, std::string_view body) {
  std::string content;
  content.reserve(id.size() + timestamp.size() + body.size() + 2);
  return content.append(id).append(".").append(timestamp).append(".").append(body);
}

/// Does one entry "v1,…" of the header match?
bool matches(const Key& key, std::string_view entry, const std::string& content) {
  const auto comma = entry.find(',');
  if (comma == std::string_view::npos) return false;
  if (entry.substr(0, comma) != (key.scheme == Scheme::v1 ? "v1" : "v1a")) return false;
  const auto given = decode(entry.substr(comma + 1));
  if (!given) return false;
  if (key.scheme == Scheme::v1) return crypto::equal(*given, crypto::hmac_sha256(key.bytes, content));
  return given->size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(data_of(*given), data_of(content), content.size(), data_of(key.public_half().bytes)) == 0;
}

}  // namespace

std::string Key::text() const {
  if (scheme == Scheme::v1) return std::string(kSecret) + crypto::base64(bytes);
  return std::string(bytes.size() == crypto_sign_PUBLICKEYBYTES ? kVerifying : kSigning) + crypto::base64(bytes);
}

Key Key::public_half() const { return {scheme, bytes.substr(bytes.size() - crypto_sign_PUBLICKEYBYTES)}; }

Key make_key(Scheme scheme) {
  if (scheme == Scheme::v1) return {scheme, crypto::random_bytes(kNewSecretBytes)};
  std::string public_key(crypto_sign_PUBLICKEYBYTES, '\0'), secret(crypto_sign_SECRETKEYBYTES, '\0');
  crypto_sign_keypair(reinterpret_cast<unsigned char*>(public_key.data()), reinterpret_cast<unsigned char*>(secret.data()));
  return {scheme, secret};
}

std::optional<Key> parse_key(std::string_view text, std::string* why) {
  const auto refuse = [&](const char* sentence) {
    if (why != nullptr) *why = sentence;
    return std::nullopt;
  };
  if (text.starts_with("v1,")) return refuse("This begins with a signature's version; the secret is what begins with whsec_.");
  Key key;
  std::string_view rest = text;
  if (text.starts_with(kSecret)) rest.remove_prefix(kSecret.size());
  for (const auto prefix : {kSigning, kVerifying}) {
    if (!text.starts_with(prefix)) continue;
    key.scheme = Scheme::v1a;
    rest.remove_prefix(prefix.size());
  }
  auto bytes = decode(rest);
  if (!bytes) return refuse("This is no base64.");
  if (bytes->empty()) return refuse("The secret is empty.");
  key.bytes = std::move(*bytes);
  const bool is_pair = key.bytes.size() == crypto_sign_SECRETKEYBYTES || key.bytes.size() == crypto_sign_PUBLICKEYBYTES;
  if (key.scheme == Scheme::v1a && !is_pair) return refuse("An Ed25519 key has 32 bytes (public) or 64.");
  return key;
}

std::string sign(const Key& key, std::string_view id, std::int64_t timestamp, std::string_view body) {
  const auto content = signed_content(id, std::to_string(timestamp), body);
  if (key.scheme == Scheme::v1) return "v1," + crypto::base64(crypto::hmac_sha256(key.bytes, content));
  INVARIANT(key.bytes.size() == crypto_sign_SECRETKEYBYTES, "a public key does not sign");
  std::string signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr, data_of(content), content.size(), data_of(key.bytes));
  return "v1a," + crypto::base64(signature);
}

std::string verify(const Key& key, const Received& received, Timestamp now, std::optional<std::chrono::seconds> tolerance) {
  if (received.id.empty()) return "There is no webhook-id.";
  if (received.signature.empty()) return "There is no webhook-signature.";
  std::int64_t timestamp = 0;
  const auto* end = received.timestamp.data() + received.timestamp.size();
  const auto [stop, error] = std::from_chars(received.timestamp.data(), end, timestamp);
  if (received.timestamp.empty() || error != std::errc() || stop != end) return "The webhook-timestamp is no number of seconds.";
  const auto age = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch() - std::chrono::seconds(timestamp);
  if (tolerance && age > *tolerance) return "The webhook-timestamp is too old.";
  if (tolerance && -age > *tolerance) return "The webhook-timestamp lies in the future.";
  const auto content = signed_content(received.id, received.timestamp, received.body);
  std::string_view rest = received.signature;
  while (!rest.empty()) {
    const auto space = std::min(rest.find(' '), rest.size());
    if (matches(key, rest.substr(0, space), content)) return {};
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  return "No signature matches: another secret, or the body is not the bytes that were sent.";
}

}  // namespace chat::webhook
