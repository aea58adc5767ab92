#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tenants/auth.h"

/// Names and descriptions that users give to themselves and to channels: others see them, so features above judge them.
namespace chat::tenants {

struct SaidText {
  std::string pointer;                         // where it stands in the request
  std::string* text;                           // may be masked
};
struct Said {
  std::string channel_type, cid;               // empty: not of a channel
  std::vector<SaidText> texts;
  /// Only what is given.
  void add(const std::string& pointer, std::optional<std::string>& text) {
    if (text) texts.push_back({pointer, &*text});
  }
};
/// Errors:  forbidden; unavailable
using JudgeSaid = std::function<void(const Caller&, const Said&)>;

}  // namespace chat::tenants
