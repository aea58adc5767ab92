#include "platform/storage/page.h"

#include "platform/base/crypto.h"
#include "platform/base/error.h"

// A cursor is base64url(seal ++ fields): seal = first 16 bytes of HMAC-SHA256(key, scope length, scope, fields);
// each field = 4 bytes length, big endian, then its bytes. The length before the scope keeps (scope, fields) unambiguous.

namespace chat::storage {
namespace {

constexpr std::size_t kSealBytes = 16;
constexpr std::size_t kLengthBytes = 4;
constexpr std::size_t kMaxCursorBytes = 4'096;

std::string length_of(std::string_view bytes) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(bytes.size() >> static_cast<unsigned>(shift));
  return out;
}

std::string seal_of(const std::string& key, std::string_view scope, std::string_view fields) {
  std::string sealed = length_of(scope);
  sealed.append(scope).append(fields);
  return crypto::hmac_sha256(key, sealed).substr(0, kSealBytes);
}

std::optional<std::vector<std::string>> split_fields(std::string_view fields) {
  std::vector<std::string> out;
  while (!fields.empty()) {
    if (fields.size() < kLengthBytes) return std::nullopt;
    std::size_t size = 0;
    for (std::size_t i = 0; i < kLengthBytes; ++i) size = size << 8U | static_cast<unsigned char>(fields[i]);
    fields.remove_prefix(kLengthBytes);
    if (size > fields.size()) return std::nullopt;
    out.emplace_back(fields.substr(0, size));
    fields.remove_prefix(size);
  }
  return out;
}

std::optional<std::vector<std::string>> unsealed(const std::string& key, std::string_view scope,
                                                 std::string_view cursor) {
  if (cursor.size() > kMaxCursorBytes) return std::nullopt;
  auto bytes = crypto::parse_base64url(cursor);
  if (!bytes || bytes->size() < kSealBytes) return std::nullopt;
  const std::string_view whole = *bytes;
  const std::string_view fields = whole.substr(kSealBytes);
  if (!crypto::equal(whole.substr(0, kSealBytes), seal_of(key, scope, fields))) return std::nullopt;
  return split_fields(fields);
}

}  // namespace

Cursors::Cursors(std::string key) : key_(std::move(key)) {
  INVARIANT(key_.size() >= 32, "the key that seals cursors must have 32 bytes or more");
}

std::string Cursors::seal(std::string_view scope, const std::vector<std::string>& position) const {
  std::string fields;
  for (const std::string& field : position) fields.append(length_of(field)).append(field);
  return crypto::base64url(seal_of(key_, scope, fields) + fields);
}

std::vector<std::string> Cursors::open(std::string_view scope, std::string_view cursor, std::string_view pointer) const {
  auto position = unsealed(key_, scope, cursor);
  if (!position) throw invalid_field(std::string(pointer), "is not a cursor that this list gave out for this query");
  return *std::move(position);
}

}  // namespace chat::storage
