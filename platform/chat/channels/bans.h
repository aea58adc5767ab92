#pragma once
#include <optional>
#include <string>

#include "platform/chat/channels/channels.h"
#include "platform/storage/pool.h"

/// Bans: a user may neither read nor write in a channel, or nowhere in the application; with an end, or until lifted.
///
/// In the shadow, the user is told nothing and goes on writing, but only it and those who may see it (chat:message:see_shadowed,
/// servers) ever see or hear what it writes: such a message takes no number (`seq` 0), so it is in nobody's unread.
/// Servers' sends are never judged.
namespace chat::channels {

struct Ban {
  std::string user_id;
  bool shadow = false;
  std::optional<std::string> reason, banned_by;
  Timestamp created_at;
  std::optional<Timestamp> expires_at;         // none: until it is lifted
};
std::string ban_json(const Ban& ban);

struct BanInput {
  bool shadow = false;
  std::optional<std::string> reason;
  std::optional<Timestamp> expires_at;
};

/// Replaces an earlier ban of the same user. Whoever is banned need not be a member, and stays one.
/// Errors:  not_found (user); forbidden (no right, a stronger role, oneself)
/// Event:   member.banned to the channel and for the last time to the user; member.unbanned when only the shadow remains
Ban ban_from_channel(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const std::string& user_id,
                     const BanInput& input, Timestamp now);
/// Errors:  not_found (no such ban); forbidden
/// Event:   member.unbanned, unless it was in the shadow
void lift_from_channel(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const std::string& user_id, Timestamp now);

/// The user's tokens and sockets are refused until the end; in the shadow they work.
/// Errors:  not_found (user); limit_reached
Ban ban_from_application(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, const BanInput& input, Timestamp now);
/// Errors:  not_found (no such ban)
void lift_from_application(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, Timestamp now);

/// By user, those that hold now; of the channel, or of the application when none is given.
storage::Page<Ban> list_bans(storage::Transaction& tx, const Channel* channel, int limit, const std::optional<std::string>& cursor,
                             const storage::Cursors& cursors);

/// Lifts what has expired, in all applications, so that members hear their channels again. Reading and writing need no lifting.
void lift_expired_bans(storage::Connection& connection, bus::Bus& bus, Timestamp now);

}  // namespace chat::channels
