#pragma once
#include <string_view>

/// Told to the user's own connections alone. Data: {"scheduled_message":{…}}, of schedule.sent also "message_id".
namespace chat::scheduled {

inline constexpr std::string_view kScheduleUpdated = "schedule.updated";   // made or changed
inline constexpr std::string_view kScheduleDeleted = "schedule.deleted";   // cancelled
inline constexpr std::string_view kScheduleSent = "schedule.sent";
inline constexpr std::string_view kScheduleFailed = "schedule.failed";

}  // namespace chat::scheduled
