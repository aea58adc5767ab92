#pragma once
#include <string>
#include <vector>

#include "platform/chat/campaigns/campaigns.h"

/// Whom a campaign writes to, before it begins and while it is planned. Private to the folder.
namespace chat::campaigns {

std::int64_t count_named(storage::Transaction& tx, CampaignId id);

/// One page of whom it writes to: first those who are named, then segment by segment. Somebody may come twice, in two of them.
/// `place`: where it was left; "": from the beginning.
struct Slice {
  std::vector<Uuid> targets;
  std::string place;                           // for the next
  bool is_last = false;
};
/// Errors:  not_found (a segment is gone)
Slice read_slice(storage::Transaction& tx, const Campaign& campaign, const Definition& definition, const std::string& place, int limit);

/// Everybody once. Errors: limit_reached (kMaxRecipients); not_found (a segment is gone)
std::int64_t count_recipients(storage::Transaction& tx, const Campaign& campaign, const Definition& definition);

}  // namespace chat::campaigns
