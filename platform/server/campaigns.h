#pragma once
#include <atomic>

#include "platform/chat/campaigns/sender.h"
#include "platform/chat/messages/later.h"
#include "platform/jobs/schedule.h"

namespace chat::server {

/// What campaigns ask of the rest: the way of a message, what the plan leaves, whether others send.
/// `later.lanes`: one lane of their own, so that no interactive send stands behind a campaign's.
campaigns::Sending campaign_sending(const messages::LaterServices& later, const messages::Lanes& interactive, jobs::Schedule& schedule,
                                    const std::atomic<bool>& stopping);

/// Whether the month has room for so many, at whatever pace. Errors: quota_exceeded
void check_campaign_room(billing::Account& account, std::int64_t recipients, Timestamp now);

/// Plans and sends campaigns, every 200 ms; says how long the one that stands longest has stood.
void add_campaign_jobs(jobs::Schedule& schedule, campaigns::Sender& sender, const Clock& clock);

}  // namespace chat::server
