#pragma once
#include <functional>
#include <optional>
#include <string>

#include "platform/chat/messages/lanes.h"

/// What stands between a message and its channel besides permissions: block lists, rules, classifiers. They live above this folder;
/// `server` hands one function in, which asks those that answer from memory.
namespace chat::messages {

struct Verdict {
  enum class Kind { pass, hold, shadow, block };
  Kind kind = Kind::pass;
  std::optional<std::string> text;             // masked: takes the place of what the author wrote
  std::string findings;                        // JSON array of {source, rule, …}; empty: none
  std::string reason;                          // of hold and block, for the author
  std::string pointer;                         // where in the request; empty: the text
  std::optional<std::string> attachments, extras;   // masked, JSON
};

/// Judges what somebody writes: the channel, the author, `text`, `attachments` and the poll among `extras`; never `custom`.
/// Shape:   of a change or an option of a poll, what it does not touch is empty.
/// Errors:  unavailable (what judges is not in memory yet; it is on its way)
/// Thread:  any; never waits.
using Screen = std::function<Verdict(const Send&)>;

/// Two arrays of findings as one; either may be empty.
std::string join_findings(const std::string& one, const std::string& other);

/// Does with a message what the verdict says, after what an earlier one said.
/// Errors:  forbidden (block)
void obey(const Verdict& verdict, Send& send);

/// A change has no approval and no shadow: others have seen what was there, and would see it still. What would need one is refused.
/// Shape:   `at`: what fields stand below in the request, "#" or "#/set"; `field`: where it is when the verdict does not say.
/// Errors:  forbidden
void check_change(const Verdict& verdict, const std::string& at, const std::string& field);

/// Flags a message that stands already. Empty findings: nothing.
void flag_findings(storage::Transaction& tx, const channels::Channel& channel, MessageId id, const std::string& findings, Timestamp now);

}  // namespace chat::messages
