#pragma once
#include <string>
#include <vector>

#include "ops/benchmarks/exchange.h"
#include "ops/benchmarks/flags.h"

namespace chat::bench {

/// The application that a bench acts in: `--address --api-key --secret-file`; the last two with `prefix` before them. Mints its
/// tokens itself, offline, as a customer's backend does.
class Tenant {
 public:
  explicit Tenant(Flags& flags, const std::string& prefix = "");

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  /// X-API-Key and Authorization lines of a user.
  [[nodiscard]] std::string user_headers(const std::string& user_id) const;
  [[nodiscard]] std::string server_headers() const;

  /// Twice makes no difference.
  void make_users(const std::vector<std::string>& user_ids) const;
  void make_channel(const std::string& channel_id, const std::vector<std::string>& member_ids) const;

 private:
  [[nodiscard]] std::string headers(const std::string& claims) const;
  void must(const std::string& target, const std::string& body) const;

  Endpoint endpoint_;
  std::string api_key_, secret_;
};

/// user-0 … user-(count-1)
std::vector<std::string> names(const std::string& stem, std::int64_t count);

/// A send_message request whose text begins with a stamp of 20 digits that can be rewritten in place.
class StampedSend {
 public:
  StampedSend(const Tenant& tenant, const std::string& user_id, const std::string& channel_id, std::size_t text_bytes);
  /// The request, stamped.
  std::string_view stamped(Nanos stamp);

 private:
  std::string request_;
  std::size_t stamp_at_;
};
/// The stamp inside a frame or body that carries such a message; 0: none.
Nanos stamp_in(std::string_view json);

}  // namespace chat::bench
