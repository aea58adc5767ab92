#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/chat/channels/channels.h"
#include "platform/ephemeral/store.h"
#include "platform/realtime/gateway.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"

/// Who is here: online while one of a user's devices is connected, away while all of them say so.
///
/// An invisible user is offline for everybody but itself and servers; so are two users between whom a block stands. Nobody
/// can tell that from being offline.
namespace chat::presence {

inline constexpr ephemeral::Space kOnline{"online", true};     // name: user id; members: those of words.h
inline constexpr ephemeral::Space kWatchers{"watchers", true}; // name: cid; members: user ids
inline constexpr std::chrono::seconds kTtl{45};                // of what a node holds, unless the configuration says otherwise
inline constexpr std::size_t kMaxUsers = 100;                  // in one question
inline constexpr int kMaxMembers = 1'000;                      // of a channel, among whom those online are looked for

using realtime::Status;
std::string_view word(Status status);

struct Standing {
  std::string user_id;
  Status status = Status::offline;
  std::optional<Timestamp> last_active_at;                     // of those who are not online; not of hidden ones
};
std::string standing_json(const Standing& standing);

/// Where users stand, as `viewer` may see them (empty: a server). In the order of the request; those who don't exist are left out.
/// Cost:    one statement and one question to the store.
std::vector<Standing> find_standings(storage::Transaction& tx, ephemeral::Store& store, const std::string& viewer,
                                     const std::vector<std::string>& user_ids);

/// The same for a socket.
realtime::Shown shown_to(storage::Transaction& tx, ephemeral::Store& store, const std::string& viewer, const std::vector<std::string>& user_ids);

/// Those of the users who have a socket, on this node or another. May wait for the store.
std::vector<std::string> connected_among(ephemeral::Store& store, AppId app, const std::vector<std::string>& user_ids);

/// Those of the users who are online, however they appear to others: not those who are away. May wait for the store.
std::vector<std::string> online_among(ephemeral::Store& store, AppId app, const std::vector<std::string>& user_ids);

/// Members of a channel who are here, by user id.
struct Present {
  std::int64_t count = 0;                                      // all of them
  bool complete = true;                                        // false: the channel has more than kMaxMembers; the others were not looked for
  std::vector<Standing> users;                                 // a page
  std::optional<std::string> next;
};
/// Errors:  forbidden (a large channel)
Present list_online(storage::Transaction& tx, ephemeral::Store& store, const channels::Opened& opened, int limit,
                    const std::optional<std::string>& cursor, const storage::Cursors& cursors);

/// Users who have the channel in front of them: those who watch it on a socket.
struct Watching {
  std::int64_t count = 0;
  std::vector<std::string> users;                              // a page, by user id; none of a large channel: it is only counted
  std::optional<std::string> next;
};
Watching list_watchers(storage::Transaction& tx, ephemeral::Store& store, const channels::Opened& opened, int limit,
                       const std::optional<std::string>& cursor, const storage::Cursors& cursors);

}  // namespace chat::presence
