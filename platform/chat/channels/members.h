#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/chat/channels/channels.h"

/// Who is in a channel, and as what.
namespace chat::channels {

/// Errors:  not_found
Member get_member(storage::Transaction& tx, const Channel& channel, const std::string& user_id);
std::string member_data(const Member& member);                       // {"member":{…}}, as everybody may see it
/// Errors:  invalid_field at `pointer`: merged custom data above 6 KiB
void check_custom_size(std::int64_t bytes, const char* pointer);

/// Adds users; each item stands alone, a missing user refuses only itself.
/// Shape:   one result per input, in order. Adding twice changes nothing the second time.
/// Errors:  forbidden; limit_reached (Caps; nothing is added then)
/// Event:   member.added for each one added
struct AddResult {
  enum class Status { added, unchanged, no_such_user } status = Status::added;
  std::optional<Member> member;
};
std::vector<AddResult> add_members(storage::Transaction& tx, bus::Bus& bus, const Opened& opened,
                                   const std::vector<MemberInput>& inputs, const Caps& caps, Timestamp now);

/// A user makes itself a member of an open channel.
/// Errors:  forbidden; limit_reached (Caps)
/// Event:   member.added, when new
Admitted join_channel(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const Caps& caps, Timestamp now);

struct MemberChange {
  std::optional<std::string> role;
  std::optional<std::string> custom;           // merged by key
};
/// Errors:  not_found; forbidden (only owners make and unmake owners); conflict (a user takes the last owner's role)
/// Event:   member.updated, when changed
Member update_member(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const std::string& user_id,
                     const MemberChange& change, Timestamp now);

/// A user may remove itself: that is leaving. When the last owner goes, the channel is passed on (ownership.h).
/// Errors:  not_found; forbidden (a stronger role)
/// Event:   member.removed, which still reaches the removed one; member.updated of a new owner
void remove_member(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const std::string& user_id, Timestamp now);

/// By user id, 1..limit a page.
storage::Page<Member> list_members(storage::Transaction& tx, const Opened& opened, int limit,
                                   const std::optional<std::string>& cursor, const storage::Cursors& cursors);

/// Before and after users become members: who of them would be a member of too many channels? Errors: limit_reached
void hold_memberships(storage::Transaction& tx, const std::string& users, const Caps& caps);
void check_memberships(storage::Transaction& tx, const std::string& users, const Caps& caps);

}  // namespace chat::channels
