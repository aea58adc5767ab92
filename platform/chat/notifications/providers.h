#pragma once
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/base/crypto.h"
#include "platform/base/json.h"
#include "platform/bus/feed.h"
#include "platform/push/provider.h"
#include "platform/storage/transaction.h"

/// How an application reaches its users' devices: the credentials that Google, Apple and browsers ask for.
namespace chat::notifications {

inline constexpr int kMaxProviders = 10;       // of one application

/// What is no secret of one, with where it stands.
struct ProviderShown {
  std::string provider;                        // fcm | apns | web
  std::string name;                            // devices say which
  std::string shown;                           // JSON members by kind
  Timestamp created_at, updated_at;
};
/// Shape:   as openapi.yaml's PushProvider
std::string provider_json(const ProviderShown& provider);

/// Credentials as they are kept, sealed: a JSON object with the members that `Senders::make` reads.
struct ProviderInput {
  std::string provider, name;
  std::string document;
};

/// Where the operator's configuration says that the providers are.
struct ProviderUrls {
  std::string fcm, apns, apns_sandbox;
};

/// Makes wires from credentials, and keeps them: they hold what was bought with them, an access token or a signed one.
/// Shape:   at most kMaxKept; beyond, an arbitrary one is made anew when it is needed.
/// Thread:  any.
class Senders {
 public:
  static constexpr std::size_t kMaxKept = 10'000;

  Senders(outbound::Client& client, const crypto::Sealer& sealer, ProviderUrls urls, const Clock& clock)
      : client_(client), sealer_(sealer), urls_(std::move(urls)), clock_(clock) {}

  /// Errors:  invalid_field naming the member that can't be used
  [[nodiscard]] std::shared_ptr<push::Provider> make(AppId app, const std::string& provider, const std::string& document) const;
  /// Null: the application has no such provider (any more), or its seal can't be opened.
  /// Cost:    one statement; what is kept is used while it is what stands in the database.
  std::shared_ptr<push::Provider> find(storage::Transaction& tx, const std::string& provider, const std::string& name);

  [[nodiscard]] const crypto::Sealer& sealer() const { return sealer_; }

 private:
  struct Kept {
    Timestamp updated_at;
    std::shared_ptr<push::Provider> provider;
  };
  outbound::Client& client_;
  const crypto::Sealer& sealer_;
  const ProviderUrls urls_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Kept> kept_;
};

/// Saves, or replaces. A browser's key that is not given is made once and stays: subscriptions are bound to it.
/// Errors:  invalid_field; limit_reached
struct SavedProvider {
  bool created = false;
  ProviderShown provider;
};
SavedProvider save_provider(storage::Transaction& tx, bus::Bus& bus, const Senders& senders, const ProviderInput& input, Timestamp now);
std::vector<ProviderShown> list_providers(storage::Transaction& tx);
/// Errors:  not_found
void delete_provider(storage::Transaction& tx, bus::Bus& bus, const std::string& provider, const std::string& name);

/// What browsers need to subscribe. Errors: not_found
std::string web_key(storage::Transaction& tx, const std::string& name);

}  // namespace chat::notifications
