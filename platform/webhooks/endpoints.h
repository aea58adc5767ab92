#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/crypto.h"
#include "platform/base/webhook_signature.h"
#include "platform/bus/feed.h"
#include "platform/outbound/client.h"
#include "platform/storage/transaction.h"

/// Where an application wants its events: an address of its own servers, with what it wants to hear and how.
namespace chat::webhooks {

struct EndpointTag { static constexpr std::string_view kPrefix = "whe"; };
using EndpointId = Id<EndpointTag>;
struct KeyTag { static constexpr std::string_view kPrefix = "whk"; };
using KeyId = Id<KeyTag>;

inline constexpr int kMaxEndpoints = 20;       // of an application
inline constexpr int kMaxKeys = 5;             // that sign for an endpoint at once
inline constexpr std::size_t kMaxPatterns = 50, kMaxHeaders = 20, kMaxHeaderBytes = 4'096, kMaxSteps = 20;
inline constexpr std::int64_t kMaxBatch = 100, kMaxBatchWaitMs = 60'000;
inline constexpr std::size_t kMaxUrlBytes = 2'048, kMaxDescriptionBytes = 255;
inline constexpr std::int64_t kMaxStepSeconds = 172'800;

/// What its customer may say about it.
struct EndpointSettings {
  std::string url;
  std::string description;
  std::vector<std::string> events;             // message.new, message.*, *
  std::vector<std::string> channel_types;      // empty: all
  outbound::Headers headers;                   // sent with each delivery; their values are never shown
  std::int64_t timeout_ms = 15'000;
  std::int64_t max_per_second = 0;             // of each worker node; 0: as fast as it answers
  std::int64_t max_in_flight = 32;             // the same
  bool ordered = false;                        // one at a time of each channel, in the order of seq
  std::int64_t batch_max = 1;                  // events in one call; with more than one, also a single one comes as a batch
  std::int64_t batch_wait_ms = 0;              // how long they gather
  std::vector<std::int64_t> schedule{5, 300, 1'800, 7'200, 18'000, 36'000, 50'400, 72'000, 86'400};   // seconds before each further attempt
};

/// A key that signs, without it: of v1a its public half.
struct ShownKey {
  KeyId id;
  std::optional<std::string> public_key;
  Timestamp created_at;
  std::optional<Timestamp> expires_at;         // rotated: signs until then besides the new one
};

struct Endpoint {
  EndpointId id;
  EndpointSettings settings;
  webhook::Scheme scheme = webhook::Scheme::v1;
  std::string state;                           // active | paused | disabled
  std::optional<std::string> state_reason;     // of disabled: asked, gone (410), failing
  std::int64_t failures = 0;                   // in a row
  std::optional<Timestamp> failing_since, succeeded_at, closed_until;
  Timestamp created_at, updated_at;
  std::vector<ShownKey> keys;
};
std::string endpoint_json(const Endpoint& endpoint);

/// What the functions below work with.
struct Keeper {
  bus::Bus& bus;
  const crypto::Sealer& sealer;
};

struct NewKey {
  Endpoint endpoint;
  std::string secret;                          // of v1: shown this once
};
/// Errors:  limit_reached
NewKey create_endpoint(storage::Transaction& tx, const Keeper& keeper, const EndpointSettings& settings, webhook::Scheme scheme, Timestamp now);
/// A new key signs; those that there are sign besides it for `overlap`.
/// Errors:  not_found; limit_reached (kMaxKeys)
NewKey rotate_key(storage::Transaction& tx, const Keeper& keeper, EndpointId id, std::optional<webhook::Scheme> scheme,
                  std::chrono::seconds overlap, Timestamp now);

/// Errors:  not_found
Endpoint get_endpoint(storage::Transaction& tx, const Keeper& keeper, EndpointId id);
std::vector<Endpoint> list_endpoints(storage::Transaction& tx, const Keeper& keeper);   // the oldest first
/// Errors:  not_found
Endpoint update_endpoint(storage::Transaction& tx, const Keeper& keeper, EndpointId id, const EndpointSettings& settings, Timestamp now);
/// paused: events wait. disabled: they are noted as skipped, and can be replayed. active: what waits is delivered, and the time of failing
/// begins anew. The same again changes nothing.
/// Errors:  not_found
Endpoint set_state(storage::Transaction& tx, const Keeper& keeper, EndpointId id, const std::string& state, Timestamp now);
/// What waits for it is never delivered. Errors: not_found
void delete_endpoint(storage::Transaction& tx, const Keeper& keeper, EndpointId id, Timestamp now);

/// One change of an application's webhooks at a time; and what is wanted of it afterwards, to every node.
void lock_endpoints(storage::Transaction& tx);
void announce_subscriptions(storage::Transaction& tx, const Keeper& keeper);

/// With what a worker calls it.
struct Wire {
  std::string url;
  outbound::Headers headers;
  std::vector<webhook::Key> keys;              // that sign now
  bool is_readable = true;                     // false: sealed with another master key; nobody can be called
  std::chrono::milliseconds timeout{15'000};
  std::int64_t max_per_second = 0, max_in_flight = 32, batch_max = 1;
  std::vector<std::int64_t> schedule;
};
/// Those of the endpoints that are active, by id; seals that can't be opened are said in the log.
std::vector<std::pair<EndpointId, Wire>> load_wires(storage::Transaction& tx, const crypto::Sealer& sealer, const std::vector<EndpointId>& ids,
                                                    Timestamp now);

}  // namespace chat::webhooks
