#pragma once
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/chat/channels/channel_types.h"
#include "platform/chat/channels/permissions.h"
#include "platform/storage/listing.h"
#include "platform/storage/transaction.h"
#include "tenants/auth.h"

/// Channels: where messages are. A channel is named by its customer as type:id, the cid.
namespace chat::channels {

struct Channel {
  ChannelId id;                                // the server's own; never shown
  std::string type, channel_id;
  std::optional<std::string> name, image, description;
  std::string custom = "{}";
  std::string overrides = "{}";                // of its type's settings: JSON, as in overrides.h
  bool frozen = false, distinct = false;
  std::int64_t slow_mode = 0;                  // seconds between two messages of one user; 0: none
  std::int64_t cooldown = 0;                   // the same of all users together; who may skip slow mode skips both
  std::optional<std::string> created_by;
  std::optional<std::string> team;             // users of other teams don't reach it, where the application keeps teams apart,
  bool cross_team = false;                     // unless this is set
  Timestamp created_at, updated_at;
  std::string epoch;                           // of the numbering
  std::int64_t last_seq = 0;                   // all durable events
  std::int64_t last_message_seq = 0;           // countable messages
  std::optional<MessageId> last_message_id;
  std::optional<Timestamp> last_message_at;
  std::int64_t member_count = 0;
  std::optional<Timestamp> truncated_at;
  std::optional<MessageId> truncated_up_to;    // no message up to this one is shown to anybody
  // Of whom it was opened for:
  std::string reader;                          // user id; empty: nobody in particular
  bool sees_shadowed = true;                   // what shadow-banned users wrote; the reader's own it sees always
  std::optional<MessageId> cleared_up_to;      // no message up to this one is shown: truncated, or cleared by the reader

  [[nodiscard]] std::string cid() const { return type + ":" + channel_id; }
};
std::string channel_json(const Channel& channel);

/// A user's place in a channel.
struct Member {
  UserId id;
  std::string user_id;
  std::string role = "member";
  Timestamp created_at, updated_at;
  std::optional<std::int64_t> read_seq;        // watermark over countable messages; absent: never opened
  std::optional<Timestamp> read_at;
  std::int64_t unread = 0;
  std::string custom = "{}";
  // The member's own affair, shown to nobody else:
  bool muted = false;                          // and the mute has not expired
  std::optional<Timestamp> mute_expires_at;
  bool hidden = false;                         // until the next countable message
  std::optional<Timestamp> pinned_at, archived_at;
  std::optional<MessageId> cleared_up_to;      // the history starts after it
};
std::string member_json(const Member& member, bool own = false);

bool is_channel_id(std::string_view text);     // 1-128 of A-Z a-z 0-9 _ -, or '!' first for distinct channels

/// A channel as one caller may see and use it.
struct Opened {
  Channel channel;
  TypeSettings settings;
  std::string acting_user;                     // empty: a server acting for nobody
  std::optional<UserId> acting_id;
  std::optional<Member> membership;
  Actions actions = 0;

  [[nodiscard]] bool may(Action action) const { return allows(actions, action); }
  /// Errors:  forbidden, naming the action
  void require(Action action) const;
};

/// Errors:  forbidden: the caller's own role here is below `theirs`
void check_rank(const Opened& opened, Role theirs);

/// The only door to a channel: it exists, belongs to this application, and the caller may read it.
/// With `acting_user` empty, a server sees everything and may do everything.
/// Errors:  not_found (missing, another application's, of a team out of reach, or hidden from this user, all alike); user_deactivated; forbidden (banned)
/// Cost:    one statement.
Opened open_channel(storage::Transaction& tx, const tenants::Caller& caller, const std::string& type,
                    const std::string& channel_id, const std::string& acting_user);
/// Those of the channels, `type:id` each, whose door is open to the caller; in no order.
/// Errors:  user_deactivated
/// Cost:    one statement.
std::vector<Opened> open_channels(storage::Transaction& tx, const tenants::Caller& caller, const std::vector<std::string>& cids,
                                  const std::string& acting_user);
/// open_channel for a user that another way proved, as sockets do.
Opened open_channel_as(storage::Transaction& tx, const std::string& type, const std::string& channel_id, const std::string& user_id);
/// As open_channel, and holds the channel's head until the end of the transaction: changes of one channel happen one by one.
Opened lock_channel(storage::Transaction& tx, const tenants::Caller& caller, const std::string& type,
                    const std::string& channel_id, const std::string& acting_user);

/// Holds the head, too, of a channel that the caller can't open: it comes with another right (an invitation). Errors: not_found
Channel lock_head(storage::Transaction& tx, const std::string& type, const std::string& channel_id);

struct MemberInput {
  std::string user_id;
  std::string role = "member";
};
/// Errors:  invalid_field: roles that the channel type does not know
void check_roles(const std::vector<MemberInput>& members, const Grants& grants);

struct ChannelInput {
  std::optional<std::string> name, image, description, custom;
  std::vector<MemberInput> members;
  std::string created_by;                      // empty: the server itself
  std::optional<std::string> team;             // none: the creator's, where teams are apart and it has one
  bool cross_team = false;                     // servers only
};

/// What the application's plan allows: members of a channel, channels that one user is a member of, and that one made in 24 hours.
struct Caps {
  std::int64_t members = kNoCap, memberships = kNoCap, created_a_day = kNoCap;
  static constexpr std::int64_t kNoCap = std::numeric_limits<std::int64_t>::max();
};

/// Makes the channel, or finds it as it is. The creator becomes its owner.
/// Errors:  not_found (type, team, users out of its reach); invalid_field #/team (which of the creator's?); limit_reached (Caps); forbidden (may not be read; chat:channel:create)
/// Event:   channel.created to the members, when made.
struct Created {
  bool created = false;
  Channel channel;
};
Created get_or_create_channel(storage::Transaction& tx, bus::Bus& bus, const tenants::Caller& caller,
                              const std::string& type, const std::string& channel_id, const ChannelInput& input,
                              const Caps& caps, Timestamp now, bool distinct = false);
/// The id that a set of members shares, in each team another: '!' and a hash of the sorted user ids.
std::string distinct_id(std::vector<std::string> user_ids, const std::optional<std::string>& team = std::nullopt);
/// The team that a channel is made in. Errors: as get_or_create_channel
std::optional<std::string> team_for(storage::Transaction& tx, const tenants::Caller& caller, const ChannelInput& input);

/// Makes a user a member: the caller has checked that it may become one. Twice changes nothing.
/// Thread:  the channel's head must be locked.
/// Errors:  limit_reached (Caps)
/// Event:   member.added, when new
struct Admitted {
  bool is_new = false;
  Member member;
};
Admitted admit_member(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, const std::string& user_id, UserId id,
                      const std::string& role, const Caps& caps, Timestamp now);

struct ChannelChange {
  std::optional<std::string> name, image, description, custom, overrides;
  std::optional<bool> frozen;
  std::optional<std::int64_t> slow_mode, cooldown;
  std::optional<std::string> team;             // these two only servers change
  std::optional<bool> cross_team;

  [[nodiscard]] bool paces() const { return slow_mode || cooldown; }
  std::vector<std::string> unset;              // name | image | description | team | custom | custom.<key> | settings | settings.<name>
};
/// Errors:  as lock_channel; forbidden; not_found (team)
/// Event:   channel.updated
Channel update_channel(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const ChannelChange& change, Timestamp now);

/// Gone at once for everybody; its rows are purged by a job. The same cid may be created anew, with a new epoch.
/// Event:   channel.deleted
void delete_channel(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, Timestamp now);

/// Filter: cid type id name team created_by created_at updated_at last_message_at member_count frozen members; of the acting user's
/// own membership: unread muted hidden pinned archived pinned_at archived_at.
/// Sort: last_message_at created_at updated_at member_count unread pinned_first pinned_at archived_at.
const storage::Listing& listing();
struct Listed {
  Channel channel;
  Actions actions = 0;
  std::optional<Member> membership;
};
/// A user sees its own channels and open ones; a server acting for nobody sees all. `with_hidden`: also what the user hid.
storage::Page<Listed> query_channels(storage::Transaction& tx, const std::string& acting_user, bool is_server, bool with_hidden,
                                     const storage::ListRequest& request, const storage::Cursors& cursors);

}  // namespace chat::channels
