#pragma once
#include <optional>
#include <string>

#include "platform/base/clock.h"

/// What the verbs of moderation share. Private to the noun.
namespace chat::cli {

class Session;

struct Verdict {
  std::string action, reason = {}, rule = {}, as = {}, assign_to = {};
  std::optional<Timestamp> expires_at = {};
  std::optional<std::int64_t> points = {};
  bool hard = false, delete_message = false, whole = false;
};
/// The decision as JSON. Errors: Failure: it was refused
std::string decide_one(Session& session, const std::string& item, const Verdict& verdict);

/// Goes through what waits, the most urgent first, with a person at a terminal.
struct Review {
  std::string cid, as;
  std::size_t limit = 25;
};
void review(Session& session, const Review& wanted);

std::string as_json(const std::string& value);   // a JSON string

}  // namespace chat::cli
