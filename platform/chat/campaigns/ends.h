#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "platform/chat/campaigns/campaigns.h"

/// How a campaign, or one of its recipients, comes to an end. Private to the folder.
namespace chat::campaigns {

void fail_campaign(storage::Transaction& tx, bus::Bus& bus, CampaignId id, std::string_view reason, Timestamp now);
/// It can't go on now; whoever resumes it finds why.
void pause_by_itself(storage::Transaction& tx, bus::Bus& bus, CampaignId id, std::string_view reason, Timestamp now);
/// When everybody is planned and nobody waits. Event: campaign.completed, campaign.failed
void finish_if_over(storage::Transaction& tx, bus::Bus& bus, CampaignId id, Timestamp now);

/// What became of one recipient.
struct End {
  Uuid target;
  std::string state = "waiting";               // waiting: it is tried again
  std::optional<std::string> reason, detail;
  std::string channel_type, channel_id;        // of sent ones
  std::optional<MessageId> message;
};
/// Keeps them, counts those sent in the ledger of usage. Returns: how many were newly sent
std::int64_t keep_ends(storage::Transaction& tx, bus::Bus& bus, CampaignId id, const std::vector<End>& ends, Timestamp again_at, Timestamp now);

}  // namespace chat::campaigns
