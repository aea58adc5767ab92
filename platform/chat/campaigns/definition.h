#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/json.h"
#include "platform/chat/campaigns/template.h"
#include "platform/chat/segments/segments.h"

/// What a campaign is, as the customer gives it: one JSON object, checked.
namespace chat::campaigns {

inline constexpr std::size_t kMaxVariants = 10, kMaxLanguages = 50, kMaxCampaignSegments = 10;
inline constexpr std::int64_t kMaxRate = 10'000, kMaxWeight = 1'000;

/// One of the messages between which the recipients are divided.
struct Variant {
  std::string name;
  std::int64_t weight = 1;
  Template text;
  std::map<std::string, Template> texts;       // by language, lower case: de, pt-br
  std::optional<std::string> attachments, custom;   // JSON

  /// In this language, in its main one, or in none.
  [[nodiscard]] const Template& in(const std::string& language) const;
};

/// When. With neither: as soon as it is started.
struct Schedule {
  std::optional<std::string> at, local_time;   // a clock on the wall: 2026-12-01T09:00
  std::string zone = "UTC";                    // of `at`; of `local_time`, for users who said none
};

struct Definition {
  std::string name, sender;                    // the sender's user_id
  segments::Of of = segments::Of::users;
  std::vector<segments::SegmentId> segments;
  std::string type = "messaging";              // of the direct channels
  bool create = true;                          // those that are not there
  std::optional<std::string> team, category;
  std::vector<Variant> variants;
  Schedule schedule;
  std::optional<std::int64_t> rate;            // messages a second
  bool skip_muted = true;

  [[nodiscard]] std::int64_t weights() const;
  /// Which variant a recipient gets: always the same.
  [[nodiscard]] std::size_t variant_of(const Uuid& campaign, const Uuid& target) const;
};

/// Reads the members of `body`; what is not asked for is left to the caller. Mistakes of templates say line:column.
Definition read_definition(json::Fields& body);
/// `2026-12-01T09:00`, with seconds or without, as a time in UTC.
std::optional<Timestamp> parse_wall_clock(const std::string& text);

}  // namespace chat::campaigns
