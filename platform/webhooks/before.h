#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/storage/pool.h"
#include "platform/webhooks/endpoints.h"
#include "platform/webhooks/question.h"

/// The customer's own server is asked before a user's message is stored.
namespace chat::webhooks {

/// Stands in Application::webhooks when the application has such a hook.
inline constexpr std::string_view kBeforeSend = "before_message_send";

struct BeforeHook {
  std::string url;
  std::int64_t timeout_ms = 1'500;             // for everything: name, connection, answer
  std::string on_failure = "allow";            // allow | reject | hold, when no answer comes in time or none that can be used
  std::vector<std::string> channel_types;      // empty: all
  Timestamp created_at, updated_at;
};
std::string before_hook_json(const BeforeHook& hook);

struct SavedHook {
  bool created = false;
  BeforeHook hook;
  std::string secret;                          // of a new one, or when asked for anew: shown this once
};
SavedHook save_before_hook(storage::Transaction& tx, const Keeper& keeper, const BeforeHook& hook, bool new_secret, Timestamp now);
/// Errors:  not_found
std::optional<BeforeHook> find_before_hook(storage::Transaction& tx);
BeforeHook get_before_hook(storage::Transaction& tx);
void delete_before_hook(storage::Transaction& tx, const Keeper& keeper);

/// What the customer's server says of one message.
struct Judgement {
  enum class Kind { allow, change, reject, hold, unknown };   // unknown: nobody could be asked, nor what to do then
  Kind kind = Kind::allow;
  std::string reason;                          // of reject, for the user
  std::optional<std::string> text, custom;     // of change; custom: a JSON object
};
/// Nothing: no such answer. A body that is empty allows.
std::optional<Judgement> read_judgement(const outbound::Answer& answer);

/// Asks, once and in time, and holds no connection to the database meanwhile.
///
/// Shape:   hooks of kMaxKept applications in memory; a change reaches every node with "application.changed", else within a minute.
///          After Breaker::kFailures failures in a row nobody is asked for a while, and the failure's policy holds at once.
/// Event:   chat_webhook_before_total{verdict: allow, change, reject, hold, failed, closed}
/// Thread:  any; `then` comes once, on the caller's, a database worker's or the client's.
class BeforeSend {
 public:
  static constexpr std::size_t kMaxKept = 10'000;
  static constexpr std::chrono::seconds kFresh{60};
  using Then = std::function<void(const Judgement&)>;
  using Run = std::function<bool(storage::Pool::Task)>;

  BeforeSend(outbound::Client& client, const crypto::Sealer& sealer, const Clock& clock, Run run)
      : client_(client), sealer_(sealer), clock_(clock), run_(std::move(run)) {}

  /// `cid` and `message` (a JSON object) are what the server is told.
  void ask(AppId app, const std::string& channel_type, const std::string& cid, const std::string& message, Then then);
  void forget(AppId app);

 private:
  struct Kept {
    BeforeHook hook;
    std::optional<webhook::Key> key;           // none: sealed with another master key; nobody can be asked
    Timestamp loaded_at;
    Breaker breaker;
  };
  void ask(const std::shared_ptr<Kept>& kept, AppId app, const std::string& channel_type, const std::string& cid, const std::string& message,
           const Then& then);
  void load(storage::Connection& connection, AppId app);
  std::shared_ptr<Kept> find(AppId app);
  Judgement conclude(const std::shared_ptr<Kept>& kept, const outbound::Answer& answer);

  outbound::Client& client_;
  const crypto::Sealer& sealer_;
  const Clock& clock_;
  Run run_;
  std::mutex mutex_;
  std::unordered_map<AppId, std::shared_ptr<Kept>> kept_;      // null: it has none
};

}  // namespace chat::webhooks
