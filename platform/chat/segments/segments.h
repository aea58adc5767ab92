#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/base/id.h"
#include "platform/base/json.h"
#include "platform/chat/exports/exports.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"

/// Segments: users or channels that belong together and that a campaign writes to. Either a saved filter, which is asked when it is
/// needed, or a list of ids.
namespace chat::segments {

struct SegmentTag { static constexpr std::string_view kPrefix = "seg"; };
using SegmentId = Id<SegmentTag>;

enum class Of { users, channels };
std::string_view word(Of of);
Of parse_of(std::string_view word);

inline constexpr int kMaxSegments = 1'000;     // of an application
inline constexpr int kMaxTargets = 10'000;     // in a list
inline constexpr std::size_t kMaxTargetsAtOnce = 1'000;
inline constexpr int kMaxSamples = 10;
inline constexpr std::int64_t kMaxCounted = 100'000;   // a preview counts no further

struct Segment {
  SegmentId id;
  std::string name;
  Of of = Of::users;
  std::optional<std::string> filter;           // JSON; none: a list
  std::optional<std::string> description;
  Timestamp created_at, updated_at;
};
std::string segment_json(const Segment& segment);

/// A filter of users has the fields of POST /v1/users/query as servers have them; of channels those of POST /v1/channels/query that
/// are the channel's own.
/// Errors:  invalid_field with the pointer of the mistake below `pointer`
void check_filter(Of of, const std::string& filter, const std::string& pointer);

struct SegmentInput {
  std::string name;
  Of of = Of::users;
  std::optional<std::string> filter, description;
  std::vector<std::string> targets;            // of a list: user_ids, or cids
};
/// Errors:  invalid_field (filter); already_exists (name); limit_reached; not_found (targets)
Segment create_segment(storage::Transaction& tx, const SegmentInput& input, Timestamp now);
/// Errors:  not_found
Segment get_segment(storage::Transaction& tx, SegmentId id);
/// As get_segment, and it stays as it is until the commit.
Segment lock_segment(storage::Transaction& tx, SegmentId id);
/// The newest first.
storage::Page<Segment> list_segments(storage::Transaction& tx, int limit, const std::optional<std::string>& cursor,
                                     const storage::Cursors& cursors);

struct SegmentChange {
  std::optional<std::string> name, filter, description;
  bool unset_description = false;
};
/// Errors:  not_found; invalid_field (filter; a list has none); already_exists
Segment update_segment(storage::Transaction& tx, SegmentId id, const SegmentChange& change, Timestamp now);
/// Errors:  not_found; conflict (a campaign that is not over writes to it)
void delete_segment(storage::Transaction& tx, SegmentId id);

/// Who is in a list already is no mistake, nor is taking out who is not in it.
/// Errors:  not_found (segment, or a target, with its pointer); conflict (a saved filter); limit_reached (kMaxTargets)
/// Returns: how many were new, or went
int add_targets(storage::Transaction& tx, SegmentId id, const std::vector<std::string>& targets, Timestamp now);
int remove_targets(storage::Transaction& tx, SegmentId id, const std::vector<std::string>& targets);

/// A user or a channel: the server's own id, and the customer's (user_id, or cid).
struct Target {
  Uuid id;
  std::string name;
};
/// Who is in it now, in the order of the server's ids, after that one. Deleted users and channels are not.
/// Cost:    of a filter: a walk along the primary key until `limit` are found
std::vector<Target> read_targets(storage::Transaction& tx, const Segment& segment, const std::optional<Uuid>& after, int limit);
storage::Page<Target> list_targets(storage::Transaction& tx, const Segment& segment, int limit, const std::optional<std::string>& cursor,
                                   const storage::Cursors& cursors);

/// How many there are, and some of them.
struct Preview {
  std::int64_t count = 0;
  bool is_exact = true;                        // false: at least so many (kMaxCounted)
  std::vector<Target> samples;
};
Preview preview(storage::Transaction& tx, const Segment& segment, int samples);
std::string preview_json(Of of, const Preview& preview);

/// The lists that a user is in.
std::vector<exports::Section> export_sections();

}  // namespace chat::segments
