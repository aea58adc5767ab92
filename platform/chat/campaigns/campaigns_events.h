#pragma once
#include <string_view>

/// Told to the application's backend: its sockets and webhooks. Data: {"campaign":{…}}.
namespace chat::campaigns {

inline constexpr std::string_view kCampaignStarted = "campaign.started";       // it begins to send, or goes on
inline constexpr std::string_view kCampaignPaused = "campaign.paused";         // by a call, or by itself: its `reason`
inline constexpr std::string_view kCampaignCompleted = "campaign.completed";
inline constexpr std::string_view kCampaignFailed = "campaign.failed";         // and its `reason`
inline constexpr std::string_view kCampaignStopped = "campaign.stopped";

}  // namespace chat::campaigns
