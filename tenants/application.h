#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/base/id.h"

namespace chat::tenants {

/// deleting: to its keys as if it were deleted, but it can be restored until its waiting time is over.
enum class Status { active, suspended, deleting, deleted };
std::string_view word(Status status);
Status parse_status(std::string_view word);

/// When a token signed with a secret was last accepted on this node, in milliseconds since 1970, and up to when the database
/// knows; 0: not yet.
struct SecretUse {
  std::atomic<std::int64_t> seen_ms{0}, noted_ms{0};
};

/// A signing secret, opened. `value` is the text that the customer signs with.
struct Secret {
  SecretId id;
  std::string value;
  Timestamp created_at;
  std::optional<Timestamp> expires_at;
  std::optional<Timestamp> last_used_at = {};   // to ten minutes
  std::shared_ptr<SecretUse> use = {};          // of those in a snapshot
};

/// Tokens of a user that are dead: those issued before, or all of them.
struct Revocation {
  Timestamp before;
  bool deactivated = false;
  std::optional<Timestamp> banned_until;
};

/// What is set for an application; JSON with these names. Switches are off at first.
struct ApplicationSettings {
  bool guests = false;                       // whoever has the API key may become a guest
  bool unique_usernames = false;
  bool unique_emails = false;
  std::vector<std::string> upload_types, blocked_upload_types;   // "image/png", "image/*"; upload_types empty: all
  std::string search_language = "simple";    // a text search configuration of PostgreSQL, or off
  std::int64_t guest_days = 30;              // guests who made themselves are deleted when they were away so long; 0: never
  bool teams = false;                        // users and channels of different teams don't see each other (ops/docs/teams.md),
  std::string cross_team = "off";            // but for: off | users | channels | all

  [[nodiscard]] bool separates_channels() const { return teams && cross_team != "channels" && cross_team != "all"; }
};

/// One application as it was at `loaded_at`: everything that a request needs to know, immutable.
struct Application {
  AppId id;
  std::string name;
  Status status = Status::active;
  std::string status_reason;                 // empty: none
  std::string plan_id;
  std::int64_t plan_version = 0;             // of the plan as it was when the application was moved to it
  std::string settings_json = "{}";
  std::string limits_json = "{}";            // overrides of the plan's limits, by meter
  ApplicationSettings settings;
  bool pushes = false;                       // has push providers: what is sent is queued for notifications
  std::vector<std::string> webhooks;         // patterns of what its webhook endpoints want; empty: they want nothing, or there are none
  std::int64_t screening_version = 0;        // moves with what `screening` says; 0: nothing is set
  std::string screening;                     // rules and classifier, JSON; the feature that judges messages reads it
  std::optional<Timestamp> revoked_before;   // user tokens issued before are dead
  Timestamp created_at;
  Timestamp updated_at;
  std::vector<Secret> secrets;               // newest first; expired ones may still be in
  std::unordered_map<std::string, Revocation> revocations;   // by user_id
  std::unordered_map<std::string, std::optional<Timestamp>> revoked_tokens;   // by `jti`: until when; none: for good
  Timestamp loaded_at;

  [[nodiscard]] bool is_gone() const { return status == Status::deleting || status == Status::deleted; }
  /// Has it a webhook endpoint for such events?
  [[nodiscard]] bool wants_event(std::string_view type) const;
};

/// The public id of an application in requests: the application's own id under another prefix, so that finding the
/// application of a key needs no table across tenants.
std::string api_key_of(AppId app);
std::optional<AppId> app_of_api_key(std::string_view api_key);

/// At most so many users of one application may stand revoked or deactivated at once; they are held in memory.
inline constexpr std::size_t kMaxRevocations = 100'000;
/// Likewise single tokens that are revoked and have not expired.
inline constexpr std::size_t kMaxRevokedTokens = 10'000;
inline constexpr std::size_t kMaxTokenIdBytes = 255;
inline constexpr auto kTokenLeeway = std::chrono::seconds(60);   // for clocks that differ: a token is good so long after its `exp`
inline constexpr int kMaxSecrets = 5;

}  // namespace chat::tenants
