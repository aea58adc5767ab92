#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/id.h"
#include "platform/bus/feed.h"
#include "platform/chat/campaigns/definition.h"
#include "platform/chat/exports/exports.h"
#include "platform/storage/page.h"
#include "platform/storage/pool.h"
#include "platform/storage/transaction.h"

/// Campaigns: one message to many users or channels, to each once, whatever dies meanwhile.
///
///   draft → scheduled → sending → completed | failed        scheduled, sending → paused → again; until it is over → stopped
///   completed, failed → sending again, for those who failed
namespace chat::campaigns {

struct CampaignTag { static constexpr std::string_view kPrefix = "cmp"; };
using CampaignId = Id<CampaignTag>;

inline constexpr int kMaxUnfinished = 100;     // campaigns of an application that are not over
inline constexpr std::size_t kMaxRecipientsAtOnce = 1'000;
inline constexpr std::size_t kMaxRecipients = 1'000'000;   // of one campaign
inline constexpr std::int64_t kMaxNamed = 100'000;         // of them, those that are named and in no segment
inline constexpr std::chrono::hours kMaxAhead{24 * 365};

struct Campaign {
  CampaignId id;
  std::string status = "draft";
  std::string definition;                      // JSON, as given: read_definition
  std::string sender;                          // its user_id
  UserId sender_id;
  bool begun = false, planned = false;
  std::string plan_place;
  std::optional<Uuid> resend_from;             // after it some who failed are still to wait again
  std::int64_t recipients = 0;                 // that are planned
  std::optional<std::string> reason;           // of paused and failed ones: a word
  std::optional<Timestamp> starts_at, started_at, finished_at;
  Timestamp created_at, updated_at;
};
Definition definition_of(const Campaign& campaign);
std::string campaign_json(const Campaign& campaign, const std::string& progress = "");

/// Errors:  invalid_field (definition, time zone); not_found (sender, segments, named recipients); limit_reached
Campaign create_campaign(storage::Transaction& tx, const std::string& definition, const Definition& read, Timestamp now);
/// Errors:  not_found
Campaign get_campaign(storage::Transaction& tx, CampaignId id);
std::optional<Campaign> find_campaign(storage::Transaction& tx, CampaignId id);
Campaign lock_campaign(storage::Transaction& tx, CampaignId id);
/// The newest first. `status` empty: all.
storage::Page<Campaign> list_campaigns(storage::Transaction& tx, const std::string& status, int limit, const std::optional<std::string>& cursor,
                                       const storage::Cursors& cursors);
/// Drafts only. Errors: as create_campaign; conflict
Campaign update_campaign(storage::Transaction& tx, CampaignId id, const std::string& definition, const Definition& read, Timestamp now);
/// Drafts and those that are over. What is known of its recipients goes with time. Errors: not_found; conflict
void delete_campaign(storage::Transaction& tx, CampaignId id, Timestamp now);

/// Who is named, beside the segments. Again: takes the new values. Drafts only.
struct NamedInput {
  std::string name;                            // user_id or cid
  std::optional<std::string> values;           // JSON object: what `data.<key>` stands for
};
/// All or none. Errors: not_found (also of recipients, with their pointer); conflict; limit_reached (kMaxNamed)
void add_recipients(storage::Transaction& tx, CampaignId id, const std::vector<NamedInput>& recipients, Timestamp now);
void remove_recipients(storage::Transaction& tx, CampaignId id, const std::vector<std::string>& names);

/// Asked with the number of recipients before it starts. Errors: quota_exceeded
using CheckQuota = std::function<void(std::int64_t recipients)>;
/// draft → scheduled. Errors: conflict (another state; its time is over; nobody to write to); not_found (sender, segments); limit_reached (kMaxRecipients)
Campaign start_campaign(storage::Transaction& tx, CampaignId id, const CheckQuota& check, Timestamp now);
/// scheduled, sending → paused. What is on its way goes on. Event: campaign.paused
Campaign pause_campaign(storage::Transaction& tx, bus::Bus& bus, CampaignId id, Timestamp now);
/// paused → what it was. Event: campaign.started, if it was sending
Campaign resume_campaign(storage::Transaction& tx, bus::Bus& bus, CampaignId id, Timestamp now);
/// scheduled, sending, paused → stopped. Event: campaign.stopped
Campaign stop_campaign(storage::Transaction& tx, bus::Bus& bus, CampaignId id, Timestamp now);
/// completed, failed → sending, to those who failed, and those who still wait. Errors: conflict (nobody failed). Event: campaign.started
Campaign resend_campaign(storage::Transaction& tx, bus::Bus& bus, CampaignId id, const CheckQuota& check, Timestamp now);

/// A message that had waited for approval was sent: was it a campaign's, its recipient was sent to, and counts.
struct Approved {
  std::string nonce_key, user_id, channel_type, channel_id;
  MessageId message;
};
void keep_approved(storage::Transaction& tx, const Approved& approved, Timestamp now);

void tell(storage::Transaction& tx, bus::Bus& bus, std::string_view type, const Campaign& campaign, Timestamp now);

/// JSON: how many recipients there are, by state and by variant; how many of those sent were delivered to and read, by their marks as they are now.
/// Cost:    reads all rows of the campaign, and the marks of those sent
std::string progress_json(storage::Transaction& tx, const Campaign& campaign);

/// JSON objects, in the order of the server's ids. `state` empty: all.
storage::Page<std::string> list_recipients(storage::Transaction& tx, const Campaign& campaign, const std::string& state, int limit,
                                           const std::optional<std::string>& cursor, const storage::Cursors& cursors);

/// What would happen if it were sent now: what the first `samples` would get, how many would be skipped and why. Nothing is written.
/// Looks at kMaxTried recipients at most; then `exact` is false.
inline constexpr std::size_t kMaxTried = 10'000;
std::string dry_run_json(storage::Transaction& tx, const Campaign& campaign, std::size_t samples, Timestamp now);

/// Whether a user wants campaigns, and of which categories not.
struct Preferences {
  bool campaigns = true;
  std::vector<std::string> categories_off;
};
inline constexpr std::size_t kMaxCategories = 50;
std::string preferences_json(const Preferences& preferences);
/// Errors:  not_found (user)
Preferences get_preferences(storage::Transaction& tx, const std::string& user_id);
Preferences set_preferences(storage::Transaction& tx, const std::string& user_id, const Preferences& preferences, Timestamp now);

/// The job that gives every recipient its row, and lets those who failed wait again: campaigns whose time has come begin; at most `rows` recipients, in a
/// transaction. Event: campaign.started
/// One that can't be planned holds up no other: it is looked at again later, or, if that can't help, has failed (`segment_unreadable`,
/// `too_many_recipients`: kMaxRecipients).
/// Returns: whether there was anything to do
bool plan_some(storage::Connection& connection, bus::Bus& bus, int rows, const Clock& clock);

/// Since when the campaign that stands longest took nobody, though somebody was due. None: all go on.
std::optional<Timestamp> standing_since(storage::Transaction& tx, Timestamp now);

std::vector<exports::Section> export_sections();

}  // namespace chat::campaigns
