#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/screening/judge.h"
#include "platform/chat/screening/questions.h"
#include "platform/chat/screening/rules.h"
#include "platform/chat/screening/verdict.h"
#include "platform/chat/screening/watch.h"

/// Automatic judgement of what users write: rules with thresholds, and a classifier of the customer's choice.
namespace chat::screening {

/// What an application set.
struct Stored {
  std::int64_t rules_version = 0;              // 0: never set
  std::vector<Rule> rules;
  std::optional<Timestamp> rules_at;
  std::optional<Classifier> classifier;
};
Stored get_stored(storage::Transaction& tx);

/// Replaces all rules. Every node knows within two seconds (application.changed).
/// Errors:  conflict, when `expected` is not the version that is stored
Stored put_rules(storage::Transaction& tx, bus::Bus& bus, const std::vector<Rule>& rules, const std::optional<std::int64_t>& expected, Timestamp now);

struct SavedClassifier {
  bool created = false;
  Stored stored;
  std::string secret;                          // of a new one, or when asked for anew: shown this once
};
SavedClassifier put_classifier(storage::Transaction& tx, bus::Bus& bus, const crypto::Sealer& sealer, const Classifier& classifier, bool new_secret,
                               Timestamp now);
/// Errors:  not_found
void delete_classifier(storage::Transaction& tx, bus::Bus& bus);

/// Nothing: no such user.
Author read_author(storage::Transaction& tx, std::string_view user_id, std::string_view channel_type, std::string_view channel_id);
/// Whether some ban of the user holds in that channel, in the shadow or not.
bool is_banned(storage::Transaction& tx, std::string_view user_id, ChannelId channel);

/// How many links attachments lead to; where their pictures and files come from is none.
std::int64_t links_in(const std::vector<json::Value>& attachments);

/// Event:   chat_screened_total{source: list|rule|classifier, verdict: pass|flag|mask|hold|shadow|block}. Lists are counted by `server`.
void count_screened(std::string_view source, std::string_view verdict);

/// Judges messages on their way.
///
/// Shape:   the rules of kMaxKept applications as they are read; see Watch for what is remembered of users.
/// Fresh:   with the application's snapshot. What one node counts of a user the others know within a second.
/// Event:   chat_screened_total
/// Cost:    where nothing is set, two comparisons; with rules none of which fires, about 10 us for 1 KB of text.
/// Thread:  any.
class Screening {
 public:
  static constexpr std::size_t kMaxKept = 10'000;
  using Run = std::function<bool(storage::Pool::Task)>;
  /// Keeps the author from the channel for so long, unless a ban holds there already. Errors: not_found; forbidden
  using TimeOut = std::function<void(storage::Transaction&, const Said&, std::chrono::seconds, const std::string& reason, Timestamp now)>;
  Screening(outbound::Client& client, const crypto::Sealer& sealer, const Clock& clock, Run run, TimeOut time_out)
      : sealer_(sealer), clock_(clock), run_(std::move(run)), time_out_(std::move(time_out)), questions_(client, clock) {}

  /// What is to be asked about one message.
  struct Asked;
  /// Null: nothing; the message may go on. Never waits.
  std::unique_ptr<Asked> look(const Said& said);
  /// `then` comes once, on any thread; until then what `said` looks at must live. `data`: what a classifier is told.
  using Then = std::function<void(const Verdict&)>;
  void ask(std::unique_ptr<Asked> asked, const std::string& data, Then then);
  /// Of a change: what rules about one message alone say.
  Verdict judge_change(storage::Transaction& tx, const Said& changed);

  /// An application's rules and classifier, ready for use.
  struct Set {
    std::int64_t version = 0;
    Rules rules;
    std::shared_ptr<const ReadyClassifier> classifier;   // null: none
  };
  std::shared_ptr<const Set> set_of(const tenants::Application& application);
  /// What would fire on a message; counts nothing, and knows nothing of its author. It points into `rules`.
  std::vector<Fired> try_rules(const Rules& rules, const Said& said);
  Questions& questions() { return questions_; }

  /// What this node counted since the last call, in words for the others; and what they said.
  void share() { watch_.remember_told(); }     // before the first message
  std::vector<std::pair<AppId, std::string>> take_words();
  void hear(const tenants::Application& application, const std::string& detail);

 private:
  enum class Counting { none, looks, adds };
  std::vector<Fired> find_fired(const Rules& rules, const Said& said, Counting counting);
  void ask_author(const std::shared_ptr<Asked>& asked);
  void conclude_rules(const std::shared_ptr<Asked>& asked);

  const crypto::Sealer& sealer_;
  const Clock& clock_;
  const Run run_;
  const TimeOut time_out_;
  Questions questions_;
  Watch watch_;
  std::mutex mutex_;
  std::unordered_map<AppId, std::shared_ptr<const Set>> kept_;
};

struct Screening::Asked {
  Said said;
  std::shared_ptr<const Set> set;              // what `fired` points into
  std::vector<Fired> fired;
  bool asks_classifier = false;
  std::string data;                            // from here on of ask()
  Then then;
  Verdict verdict;
};

}  // namespace chat::screening
