#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channels.h"
#include "platform/storage/page.h"
#include "tenants/auth.h"

/// Invitations to channels. Who is invited is no member: it sees the invitation and nothing of the channel until it accepts.
namespace chat::invites {

inline constexpr int kMaxPending = 1'000;      // of one channel, and of one user
inline constexpr std::size_t kMaxTextBytes = 500;

enum class State { pending, accepted, rejected };

struct Invite {
  std::string cid;
  std::optional<std::string> name, image;      // the channel's
  std::int64_t member_count = 0;
  std::string user_id;                         // who is invited
  std::optional<std::string> invited_by;       // absent: the customer's server
  std::string role = "member";                 // that it gets
  std::optional<std::string> text;
  State state = State::pending;
  Timestamp created_at;
  std::optional<Timestamp> answered_at;
};
/// Shape:   as openapi.yaml's Invite.
std::string invite_json(const Invite& invite);

struct InviteInput {
  std::vector<channels::MemberInput> users;
  std::optional<std::string> text;             // the same for all of them
};
enum class Status { invited, unchanged, member, no_such_user, blocked, limit_reached };
struct InviteResult {
  Status status = Status::invited;
  std::optional<Invite> invite;                // invited | unchanged
};
/// Each item stands alone. Who is invited stays so (`unchanged`); who rejected may be invited again.
/// Shape:   one result per input, in order. `opened` comes from lock_channel.
/// Errors:  forbidden (no right, or a role above the own); invalid_field (no such role)
/// Event:   invite.created to the devices of each one invited
std::vector<InviteResult> invite_users(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const InviteInput& input,
                                       Timestamp now);

struct Answered {
  Invite invite;
  std::optional<channels::Member> member;      // accepted
};
/// The invited user becomes a member. Twice gives the same answer, as long as it is one.
/// Errors:  not_found (channel; no invitation that could be accepted); forbidden (banned); limit_reached (channels::Caps)
/// Event:   member.added; invite.accepted to the devices of the two
Answered accept_invite(storage::Transaction& tx, bus::Bus& bus, const std::string& type, const std::string& channel_id,
                       const std::string& user_id, const channels::Caps& caps, Timestamp now);
/// Twice gives the same answer. Errors: not_found (as above; accepted already)
/// Event:   invite.rejected to the devices of the two
Answered reject_invite(storage::Transaction& tx, bus::Bus& bus, const std::string& type, const std::string& channel_id,
                       const std::string& user_id, Timestamp now);

/// Takes an invitation back that was not answered. `opened` comes from lock_channel.
/// Errors:  forbidden; not_found
/// Event:   invite.revoked to the devices of the two
void revoke_invite(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const std::string& user_id, Timestamp now);

/// Of a channel. Errors: forbidden
storage::Page<Invite> list_invites(storage::Transaction& tx, const channels::Opened& opened, State state, int limit,
                                   const std::optional<std::string>& cursor, const storage::Cursors& cursors);
/// Of a user, to all channels, the newest first. Left out: deleted channels, and those of whoever blocks the user or is blocked by it.
/// Errors:  not_found (user)
storage::Page<Invite> list_own_invites(storage::Transaction& tx, const std::string& user_id, State state, int limit,
                                       const std::optional<std::string>& cursor, const storage::Cursors& cursors);

}  // namespace chat::invites
