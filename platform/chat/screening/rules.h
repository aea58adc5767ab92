#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/json.h"
#include "platform/storage/transaction.h"

/// The rules of an application, as its customer set them. Private to the folder, but for screening.h.
namespace chat::screening {

enum class Kind {
  repeats,        // the same text, or nearly, by one user, in whatever channels
  message_rate,   // messages of one user, in whatever channels
  mentions,       // users, roles and channels that one message mentions, or those of one user in a while
  caps,           // the share of capitals
  links,
  attachments,
};
std::string_view word(Kind kind);

/// What follows from a rule that fires, from the mildest on.
enum class Then { flag, hold, shadow, block, timeout };   // timeout: block, and the author may not write in the channel for a while
std::string_view word(Then then);

struct Rule {
  std::string name;                            // of the customer's choice, once; findings and the log name it
  Kind kind = Kind::repeats;
  bool enabled = true;
  std::int64_t max = 0;                        // so many are fine; of caps: percent
  std::int64_t window_s = 0;                   // 0: of one message alone
  std::int64_t similarity = 80;                // of repeats: percent from which on two texts are the same
  std::int64_t min_length = 0;                 // of repeats and caps: shorter texts are fine; letters and digits
  std::int64_t account_younger_than_s = 0, member_for_less_than_s = 0;   // only of authors who are new in one of these ways; 0 and 0: of all
  std::vector<std::string> channel_types;      // empty: all
  std::vector<std::string> exempt_roles;       // in the channel, or in its team
  bool includes_servers = false;               // what the customer's backend sends, too
  Then then = Then::flag;
  std::int64_t timeout_s = 0;
  std::string reason;                          // for the author of what is refused or held

  [[nodiscard]] bool asks_for_new() const { return account_younger_than_s > 0 || member_for_less_than_s > 0; }
  [[nodiscard]] bool needs_author() const { return asks_for_new() || !exempt_roles.empty() || then == Then::timeout; }
  [[nodiscard]] bool counts() const { return window_s > 0; }
};

inline constexpr std::size_t kMaxRules = 30;
inline constexpr std::size_t kMaxCounted = 8;  // of the kinds message_rate and mentions with a window
inline constexpr std::int64_t kMaxRepeats = 30;

struct Rules {
  std::int64_t version = 0;                    // 0: never set
  std::vector<Rule> list;
  std::int64_t longest_window_s = 0;           // of those that are enabled; 0: nothing is to be remembered
};

/// Reads {"rules":[…]}; mistakes are gathered in `body`, each at its field.
std::vector<Rule> read_rules(json::Fields& body);
std::string rules_json(const std::vector<Rule>& rules);   // an array
/// What rules_json wrote.
Rules parse_rules(const std::string& array, std::int64_t version);

}  // namespace chat::screening
