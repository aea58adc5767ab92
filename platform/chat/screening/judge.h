#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "platform/chat/screening/rules.h"
#include "platform/chat/screening/verdict.h"

/// From what was found to what follows. Pure. Private to the folder, but for screening.h.
namespace chat::screening {

/// A rule that fired on a message.
struct Fired {
  const Rule* rule = nullptr;
  std::int64_t measured = 0;                   // what was more than `max`
  bool is_exempt = false;                      // the author has an exempt role, or is not new
};

/// What is known of an author where it writes.
struct Author {
  std::optional<Timestamp> created_at, member_since;   // none: no such user; no member
  std::string role, team_role;
  bool may_be_there = false;                   // a member, or the channel is open
};

/// Sets is_exempt. Without an author nothing is known of it: rules for new ones concern nobody, the others everybody.
void look_at_author(std::vector<Fired>& fired, const std::optional<Author>& author, Timestamp now);
/// What follows from those that are not exempt.
Verdict verdict_of(const std::vector<Fired>& fired);
/// The stronger kind, with the findings of both.
Verdict merge(Verdict one, const Verdict& other);
/// The longest timeout of those that are not exempt.
std::optional<std::chrono::seconds> timeout_of(const std::vector<Fired>& fired);

Outcome outcome_of(Then then);

/// A JSON array of what was found: {"source","rule","then","detail"}.
class Findings {
 public:
  void add(std::string_view source, std::string_view rule, Then then, const std::string& detail);
  [[nodiscard]] std::string take();            // empty: none
 private:
  std::string items_;
};

}  // namespace chat::screening
