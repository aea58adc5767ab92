#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "platform/chat/campaigns/campaigns.h"

/// Who gets a campaign's message now, and what it says. Private to the folder.
namespace chat::campaigns {

/// A campaign at work.
struct Work {
  Campaign campaign;
  Definition definition;
  std::optional<std::string> sender_name;
};
/// Nothing: its sender can't send any more.
std::optional<Work> open_work(storage::Transaction& tx, Campaign campaign);

struct Judged {
  Uuid target;
  std::optional<MessageId> message;            // it has it: its end was lost. Then `reason` says nothing
  std::optional<std::string> reason;           // why it gets nothing, a word: openapi.yaml's CampaignSkip
  std::string name;                            // user_id or cid; empty: it is gone
  std::string channel_type, channel_id;
  bool has_channel = true;                     // false: it is made first
  std::string language;
  std::map<std::string, std::string, std::less<>> values;   // of the variables
  std::int64_t attempts = 0, variant = 0;
};
/// In the order of `targets`. Cost: one statement.
std::vector<Judged> judge(storage::Transaction& tx, const Work& work, const std::vector<Uuid>& targets, Timestamp now);

struct Written {
  std::string text, body;                      // body: as POST …/messages takes it
  std::optional<std::string> missing;          // a variable without a value: nothing may be sent
};
Written write(const Work& work, const Judged& judged, std::size_t variant);

}  // namespace chat::campaigns
