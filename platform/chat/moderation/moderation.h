#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/storage/listing.h"
#include "platform/storage/pool.h"
#include "tenants/auth.h"

/// Moderation: what users and rules flagged waits in a queue; moderators decide, and can take a decision back; who it concerns may appeal.
///
/// Who sees what: a server acting for nobody, and users whose role in the application is moderator or admin, everything; others what is
/// in channels where their role has chat:moderation:review. Teams keep all of them apart as everywhere. Nobody sees what concerns itself.
namespace chat::moderation {

struct ItemTag { static constexpr std::string_view kPrefix = "mdi"; };
struct FlagTag { static constexpr std::string_view kPrefix = "flg"; };
struct DecisionTag { static constexpr std::string_view kPrefix = "mdd"; };
struct AppealTag { static constexpr std::string_view kPrefix = "apl"; };
using ItemId = Id<ItemTag>;
using FlagId = Id<FlagTag>;
using DecisionId = Id<DecisionTag>;   // of a line of the log
using AppealId = Id<AppealTag>;

inline constexpr std::size_t kMaxCustomBytes = 5'120, kMaxReasonBytes = 500, kMaxAppealBytes = 5'000, kMaxRuleBytes = 255;
inline constexpr std::size_t kMaxDecided = 100;          // items in one call
inline constexpr int kMaxFlagsShown = 100, kMaxLogShown = 100;   // of one item: the newest
inline constexpr int kMaxModerators = 100;               // of a channel, told of one flag

/// Who asks, and how far its sight reaches.
struct Reviewer {
  std::string user_id;                         // empty: a server acting for nobody
  std::optional<UserId> id;
  bool whole = true;                           // everything of the application
  bool is_admin = true;                        // of the application
  std::string roles = "{}", team_roles = "{}";   // arrays of type/role that may review: of members, and of the user in a channel's team
};
/// Errors:  not_found (a server names no user); forbidden (anonymous); user_deactivated
Reviewer reviewer_of(storage::Transaction& tx, const tenants::Caller& caller, const std::string& acting_user);

// ------------------------------------------------------------------ flags

struct Flag {
  FlagId id;
  ItemId item;
  std::string source;                          // user | server | list | rule | classifier | hook | …
  std::optional<std::string> user_id, reason, rule, custom, detail, evidence;
  std::int64_t severity = 2;                   // 1 low, 2, 3 high
  Timestamp created_at;
};
/// What the one who flagged is shown is without `detail` and `evidence`.
std::string flag_json(const Flag& flag, bool for_moderators);

struct Subject {
  std::string type;                            // message | user | channel
  Uuid id;
  std::optional<ChannelId> channel;
  std::optional<UserId> whose;                 // the author, the user, who made the channel
};
struct FlagInput {
  std::string reason;
  std::optional<std::string> custom;
};
struct Flagged {
  bool created = false;
  Flag flag;
};
/// Flags, once per user and subject until that is decided: again it gives the first one. What is open in the queue already is added to.
/// Errors:  not_found (message, or deleted); forbidden (no right; oneself); invalid_field #/reason (none of the application's)
/// Event:   moderation.flagged, soon after the commit (tell_flags)
Flagged flag_message(storage::Transaction& tx, const channels::Opened& opened, MessageId id, const FlagInput& input, Timestamp now);
Flagged flag_channel(storage::Transaction& tx, const channels::Opened& opened, const FlagInput& input, Timestamp now);
/// Errors:  not_found (user, or out of reach)
Flagged flag_user(storage::Transaction& tx, const std::string& by, const std::string& user_id, const FlagInput& input, Timestamp now);

// ------------------------------------------------------------------ the queue

struct Item {
  ItemId id;
  Subject subject;
  std::optional<std::string> cid, user_id;     // where and whose; of a subject that is a user: that one
  std::string status;                          // pending | escalated | approved | rejected
  std::int64_t severity = 2, flags = 0, findings = 0, priority = 0;
  std::optional<std::string> assigned_to, outcome, evidence;
  bool evidence_ends = false;
  Timestamp created_at, updated_at;
  std::optional<Timestamp> decided_at;
};
std::string item_json(const Item& item);

/// Filter: status subject_type cid user_id assigned_to severity flags findings priority outcome reason source rule created_at updated_at decided_at.
/// Sort: priority created_at updated_at.
const storage::Listing& item_listing();
storage::Page<Item> query_items(storage::Transaction& tx, const Reviewer& reviewer, const storage::ListRequest& request, const storage::Cursors& cursors);
/// Errors:  not_found (missing, or out of sight)
Item get_item(storage::Transaction& tx, const Reviewer& reviewer, ItemId id);
std::vector<Flag> flags_of(storage::Transaction& tx, ItemId id);

/// To a moderator who sees it, or (none) to nobody.
/// Errors:  not_found (item, moderator, or the moderator does not see it); forbidden; conflict (decided)
Item assign_item(storage::Transaction& tx, const Reviewer& reviewer, ItemId id, const std::optional<std::string>& moderator, Timestamp now);

// ------------------------------------------------------------------ decisions

/// How users are kept out of channels and of the application, and messages brought out of the shadow; handed in by `server`
/// (channels/bans.h and messages/shadow.h say what each does).
struct Ban {
  bool shadow = false;
  std::optional<std::string> reason;
  std::optional<Timestamp> expires_at;
};
struct Hands {
  bus::Bus& bus;
  std::function<void(storage::Transaction&, const channels::Opened&, const std::string& user_id, const Ban&, Timestamp)> ban_from_channel;
  std::function<void(storage::Transaction&, const channels::Opened&, const std::string& user_id, Timestamp)> lift_from_channel;
  std::function<void(storage::Transaction&, const std::string& user_id, const Ban&, Timestamp)> ban_from_application;
  std::function<void(storage::Transaction&, const std::string& user_id, Timestamp)> lift_from_application;
  std::function<bool(storage::Transaction&, const channels::Opened&, MessageId, Timestamp)> show_shadowed;
};

struct Decision {
  std::string action;                          // approve reject delete restore ban shadow_ban timeout warn escalate
  std::optional<std::string> reason, rule;
  bool hard = false;                           // of delete
  bool delete_message = false;                 // beside ban, shadow_ban, timeout, warn
  bool whole = false;                          // ban, shadow_ban, timeout: from the application
  std::optional<Timestamp> expires_at;
  std::optional<std::int64_t> points;          // instead of the settings'
  std::optional<std::string> assign_to;        // of escalate
};
/// One line of the log.
struct Line {
  DecisionId id;
  std::string action, by;                      // by: moderator | server | automatic
  std::optional<std::string> moderator, cid, user_id, rule, reason, subject_type;
  std::optional<Uuid> subject;
  std::optional<ItemId> item;
  std::int64_t points = 0;
  bool shown = false;
  std::string params = "{}", changed = "{}";
  std::optional<DecisionId> undoes, undone_by;
  std::optional<Timestamp> undone_at;
  std::optional<ChannelId> channel;
  std::optional<UserId> about;
  Timestamp created_at;
};
std::string line_json(const Line& line);

/// Decides one item, acts, and writes it into the log. Another's decision stands: what is decided is decided again only by its undoing.
/// Errors:  not_found; forbidden (no right, a stronger role, more points than it gives); conflict (decided; nothing to delete or restore); invalid_field
/// Event:   moderation.decided, and what the act itself tells; moderation.warned to whom it warns
Line decide_item(storage::Transaction& tx, const Hands& hands, const Reviewer& reviewer, ItemId id, const Decision& decision, Timestamp now);

/// The same decision of several items, each on its own: one that is refused changes nothing and keeps no other from being decided.
/// Shape:   one result per id, in order.
struct Decided {
  ItemId item;
  std::optional<Line> line;
  std::optional<Error> error;                  // why not
};
std::vector<Decided> decide_items(storage::Transaction& tx, const Hands& hands, const Reviewer& reviewer, const std::vector<ItemId>& ids,
                                  const Decision& decision, Timestamp now);

/// Puts back what the decision changed, as far as nobody changed it since, with the strikes and what they caused. Once.
/// A hard deleted message does not come back.
/// Errors:  not_found; forbidden; conflict (undone already; nothing that could be)
/// Event:   moderation.undone, and what the act itself tells
Line undo_decision(storage::Transaction& tx, const Hands& hands, const Reviewer& reviewer, DecisionId id,
                   const std::optional<std::string>& reason, Timestamp now);

/// Filter: action by moderator user_id cid item_id rule undone created_at. Sort: created_at.
const storage::Listing& log_listing();
storage::Page<Line> query_log(storage::Transaction& tx, const Reviewer& reviewer, const storage::ListRequest& request, const storage::Cursors& cursors);
std::vector<Line> log_of(storage::Transaction& tx, ItemId id);

/// What was flagged (by source, reason) or decided (by action), day by day in UTC; the median wait of decisions in seconds.
struct Count {
  std::string day, value;
  std::int64_t count = 0;
  std::optional<double> median_seconds;
};
struct StatsAsk {
  std::string from, to;                        // days, both included; at most kMaxStatsDays
  std::string by;                              // source | reason | decision
  int limit = 100;
  std::optional<std::string> cursor;
};
inline constexpr int kMaxStatsDays = 92;
/// Errors:  forbidden: the whole application must be the reviewer's
storage::Page<Count> count_stats(storage::Transaction& tx, const Reviewer& reviewer, const StatsAsk& ask, const storage::Cursors& cursors);

// ------------------------------------------------------------------ how users stand

struct Standing {
  std::optional<std::string> cid;              // none: in the application
  std::int64_t strike_count = 0;               // points that have not decayed
  std::optional<Timestamp> probation_until, last_warning_at;
  std::optional<std::string> ban_reason;       // JSON
};
std::string standing_json(const Standing& standing);
/// In the application, then in at most 100 channels that the reviewer sees. Errors: not_found
std::vector<Standing> standings_of(storage::Transaction& tx, const Reviewer& reviewer, const std::string& user_id, Timestamp now);

// ------------------------------------------------------------------ appeals

/// What a user is told of a decision against it, without who decided or flagged.
std::string notice_json(const Line& line, const std::optional<std::string>& appeal);
struct Notice {
  Line line;
  std::optional<std::string> appeal;           // JSON
};
/// The newest first; nothing of what happens in the shadow.
storage::Page<Notice> list_notices(storage::Transaction& tx, const std::string& user_id, int limit, const std::optional<std::string>& cursor,
                                   const storage::Cursors& cursors);

struct Appeal {
  AppealId id;
  DecisionId decision;
  std::string user_id, text, status;           // pending | accepted | refused
  std::optional<std::string> answer, decided_by;
  Timestamp created_at;
  std::optional<Timestamp> decided_at;
  std::optional<ChannelId> channel;            // of the decision
};
std::string appeal_json(const Appeal& appeal, bool for_moderators);
/// Errors:  not_found (no decision against this user); conflict (undone, too late); already_exists (appealed)
/// Event:   moderation.appealed
Appeal appeal_decision(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, DecisionId id, const std::string& text, Timestamp now);
/// Filter: status user_id created_at. Sort: created_at.
const storage::Listing& appeal_listing();
storage::Page<Appeal> query_appeals(storage::Transaction& tx, const Reviewer& reviewer, const storage::ListRequest& request, const storage::Cursors& cursors);
/// Accepted, the decision is undone and the item approved.
/// Errors:  not_found; forbidden; conflict (decided)
/// Event:   moderation.appeal_decided to the user and moderators; moderation.undone
Appeal decide_appeal(storage::Transaction& tx, const Hands& hands, const Reviewer& reviewer, AppealId id, bool accept,
                     const std::optional<std::string>& answer, Timestamp now);

// ------------------------------------------------------------------ jobs

/// Tells of new flags, each once, however many nodes ask: some of each application, beginning behind `last`, which it moves. Returns: how many.
int tell_flags(storage::Connection& connection, bus::Bus& bus, AppId& last, Timestamp now);
/// Forgets evidence that was kept long enough.
void sweep_evidence(storage::Connection& connection, Timestamp now);
/// Gauges of the queues of all applications.
void measure_queue(storage::Connection& connection, Timestamp now);

}  // namespace chat::moderation
