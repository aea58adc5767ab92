#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tenants/auth.h"

/// Names and descriptions that users give to themselves, to channels and to files: others see them, so features above judge them.
namespace chat::tenants {

struct SaidText {
  std::string pointer;                         // where it stands in the request
  std::string* text;                           // may be masked
};
struct Said {
  std::string channel_type, cid;               // empty: not of a channel
  std::vector<SaidText> texts;
  bool is_sent = false;                        // with messages, as names of files are: judged as those
  /// Only what is given.
  void add(const std::string& pointer, std::optional<std::string>& text) {
    if (text) texts.push_back({pointer, &*text});
  }
};
/// Judges them. Gives what was found and may stand: a JSON array of {source, rule, …}; empty: nothing.
/// Errors:  forbidden; unavailable
using JudgeSaid = std::function<std::string(const Caller&, const Said&)>;
/// Brings what was found before the moderators, behind the change and in its transaction. `cid`: of the channel whose name it is; empty:
/// it is the user's.
using FlagSaid = std::function<void(storage::Transaction&, const std::string& cid, const std::string& user_id, const std::string& findings)>;
struct Names {
  JudgeSaid judge;
  FlagSaid flag;
};

}  // namespace chat::tenants
