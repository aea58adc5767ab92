#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/json.h"
#include "platform/bus/feed.h"
#include "platform/http/request.h"
#include "platform/http/server.h"
#include "platform/storage/pool.h"

/// The live half: WebSockets at /v1/connect, who hears what, and resuming without a hole.
/// The protocol that clients speak is PROTOCOL.md in this folder.
namespace chat::realtime {

struct Options {
  int shards = 2;                                    // event loops, one thread each
  std::chrono::milliseconds heartbeat{25'000};       // a ping this often; silent for 2.5 of them: closed
  std::chrono::milliseconds authentication_timeout{10'000};   // for the first frame
  std::size_t max_frame_bytes = 64 * 1024;           // from clients
  std::size_t max_queue_bytes = 1024 * 1024;         // pending for one socket; beyond: closed 4008, the client resumes
  std::size_t ring_bytes = 256 * 1024;               // recent frames kept per hot channel, for resumes from memory
  std::size_t max_rings_bytes = 256 * 1024 * 1024;   // of all hot channels together; beyond: the longest unused are forgotten
  std::int64_t max_resume_events = 1'000;            // a channel that missed more gets `resync`
  int max_resume_channels = 200;                     // in one resume command
  int max_watched = 100;                             // channels one connection may watch
  int max_followed = 200;                            // users whose presence one connection hears of
  int max_sync_channels = 1'000;                     // in one sync command
  std::chrono::milliseconds audience_idle{600'000};  // a channel without events for so long is forgotten
  std::size_t max_hot_channels = 100'000;
};

/// Close codes. 4000-4499: reconnect (and resume). 4500-4999: do not.
enum class Close : std::uint16_t {
  draining = 4001,            // this node stops: reconnect elsewhere, now
  slow_reader = 4008,         // too much was pending: reconnect and resume
  no_heartbeat = 4009,        // nothing heard for 2.5 heartbeats
  token_expired = 4040,       // get a new token, then reconnect
  teams_changed = 4041,       // the user is in other teams: reconnect and resume, what one may hear is another
  unavailable = 4050,         // the database is away: reconnect with backoff
  unauthenticated = 4501,
  application_suspended = 4503,
  token_revoked = 4504,
  too_many_connections = 4505,
  protocol_error = 4506,      // not JSON, too large, unknown command: a bug in the client
  user_deactivated = 4507,
  user_banned = 4508,         // from the whole application; or the address is refused
};

/// Whose connection it is, as the hooks found out.
struct Identity {
  AppId app;
  std::string user_id;                               // empty: the customer's server; hears every event of the application
  Timestamp issued_at{};
  std::optional<Timestamp> expires_at;
  std::string token_id = {};                         // of the token; empty: it has none
  Uuid signed_with = {};                             // the secret that signed it
};

/// A channel as a loader found it, in one snapshot of the database.
struct Audience {
  std::string epoch;
  std::int64_t last_seq = 0;
  std::vector<std::string> members;                  // user ids
  bool open = false;                                 // may be watched by users who are not members
  bool large = false;                                // too many members to do something for each of them
};
struct Position {
  ChannelId channel;
  std::string cid;
  std::string epoch;
  std::int64_t last_seq = 0;
  std::optional<std::int64_t> read_seq;              // countable messages; null: never opened
  std::int64_t unread = 0;
  bool may_hear = false;                             // member, or the channel is open; false answers like a missing channel
};
struct Missed {
  std::int64_t seq = 0;
  std::string frame;                                 // as bus::render made it
};

/// What a client has of a channel, as its `sync` says.
struct Known {
  std::string cid;
  std::string epoch;
  std::int64_t seq = 0;
  std::optional<std::int64_t> read_seq;
};
/// `channels` of a resume or, with read_seq, of a sync: cid to {epoch, seq, read_seq?}. Mistakes are left in `fields`.
std::vector<Known> read_known(json::Fields& fields, std::size_t max_channels, bool with_read_seq);
/// What a client asks with `sync`, of all its channels or, when it has more than it may name, of those from one cid to another.
struct SyncAsk {
  std::vector<Known> known;
  std::optional<std::string> next;
  std::string after, until;                          // only cids behind the one, up to the other, byte by byte; empty: no bound
};
/// Mistakes are left in `fields`: also a channel that is named and lies outside.
SyncAsk read_sync_ask(json::Fields& fields, std::size_t max_channels);
struct Typing {
  std::string cid;
  std::string parent_id;                             // of the thread; empty: in the channel
  bool stops = false;
};
enum class Status : std::uint8_t { offline, away, online };

/// Where users stand, as one user may see them: the data of presence.done, and the same for the gateway to compare with.
struct Shown {
  std::string data;
  std::vector<std::pair<std::string, Status>> users;
};
/// A user's status may have changed. Each connection that follows the user is told once if what it was told last differs.
struct PresenceNews {
  AppId app;
  std::string user_id;
  Status status = Status::offline;
  std::string frame;                                 // as bus::render makes it
  std::string offline_frame;                         // for those who must not see more
  std::vector<std::string> hidden_from;              // user ids, sorted
};

/// What the gateway asks of the layers above; handed in by platform/server.
struct Hooks {
  struct Credentials {
    std::string api_key;
    std::string token;
    std::string remote;
  };
  /// As http::GateHooks: the first answers from memory or throws http::NeedsDatabase.
  std::function<Identity(const Credentials&)> authenticate;
  std::function<Identity(const Credentials&, storage::Connection&)> authenticate_cold;
  /// Concurrent-connection limit and active users. Throws too_many_connections.
  std::function<void(const Identity&)> opened;
  std::function<void(const Identity&)> closed;
  /// Copies delivered, per application, called once per published event and shard: for metering.
  std::function<void(const AppId&, std::int64_t copies, std::int64_t bytes)> delivered;

  /// A numbered event of the channel reached somebody; `left` hear it no longer. On a shard's thread: must be quick.
  std::function<void(const AppId&, const std::string& cid, const std::vector<std::string>& left)> heard;

  /// A user types or stops. The first, on a shard's thread, says whether the second has anything to do.
  std::function<bool(const Identity&, const Typing&)> typing_due;
  std::function<void(storage::Connection&, const Identity&, const Typing&)> type;
  /// What happened in all channels of the user: the data of sync.done.
  std::function<std::string(storage::Connection&, const Identity&, const SyncAsk&)> sync;
  /// Where users stand. Those who don't exist, or not for this user, are left out.
  std::function<Shown(storage::Connection&, const Identity&, const std::vector<std::string>& user_ids)> show_presence;
  /// On a shard's thread, quick: look again where this user stands; a connection became away or came back; began or ended to
  /// watch a channel, always in pairs.
  std::function<void(AppId, const std::string& user_id)> look_again;
  std::function<void(const Identity&, bool away)> away;
  std::function<void(const Identity&, const std::string& cid, bool watches)> watches;

  std::function<std::optional<Audience>(storage::Connection&, AppId, ChannelId)> load_audience;
  std::function<std::vector<Position>(storage::Connection&, const Identity&, const std::vector<std::string>& cids)> locate;
  /// Events with from < seq <= to, in order and complete; nullopt when some are no longer stored (→ resync).
  std::function<std::optional<std::vector<Missed>>(storage::Connection&, AppId, ChannelId,
                                                   std::int64_t from, std::int64_t to)> load_missed;
};

/// Owns the sockets, the hub and the audiences.
class Gateway {
 public:
  Gateway(Options options, Hooks hooks, bus::Bus& bus, storage::Pool& pool, const Clock& clock);
  ~Gateway();

  /// For http::make_server: takes requests for `/v1/connect`, refuses bad ones over HTTP.
  bool take(http::Upgrade& upgrade);

  /// Within a second.
  void close_application(AppId app, Close code);
  void close_user(AppId app, const std::string& user_id, std::optional<Timestamp> issued_before, Close code);
  void close_application_tokens(AppId app, Timestamp issued_before);
  /// Those that the verdict ends. It is called on the shards' threads: must be quick.
  using Verdict = std::function<std::optional<Close>(const Identity&)>;
  void close_those(AppId app, const Verdict& verdict);
  /// Those that come from an address which is refused from now on. `refuses` is called on the shards' threads: must be quick.
  using RefusesAddress = std::function<bool(const std::string& remote, bool is_server)>;
  void close_addresses(AppId app, const RefusesAddress& refuses);

  /// Who hears these channels, or all of the application's, is asked anew before anybody hears more of them.
  void regather(AppId app, const std::vector<std::string>& cids);
  void regather_all(AppId app);
  /// Those who hear a channel without being members hear it no more until they watch it again.
  void end_watches(AppId app, const std::string& cid);

  /// Users on this node who hear the channel as members, or who of `user_ids` is connected to it. `tell` is called on each
  /// shard's thread that has any; a user with several devices may come more than once.
  using TellUsers = std::function<void(std::vector<std::string>)>;
  void ask_members(AppId app, const std::string& cid, const TellUsers& tell);
  void ask_connected(AppId app, const std::vector<std::string>& user_ids, const TellUsers& tell);
  /// Likewise users who follow `user_id`.
  void ask_followers(AppId app, const std::string& user_id, const TellUsers& tell);
  void tell_followers(std::shared_ptr<const PresenceNews> news);
  /// To a user's or an application's connections on this node, past the bus.
  void tell_here(bus::Event event);

  /// Events of other nodes were lost for good: hot channels are compared with the database, and every socket is told to connect
  /// again and resume (4001), spread over `over`.
  void look_again(std::chrono::milliseconds over);

  struct Counts { std::int64_t connections = 0; std::int64_t queued_bytes = 0; std::int64_t hot_channels = 0; };
  [[nodiscard]] Counts counts() const;
  [[nodiscard]] std::map<std::string, std::int64_t> connections_by_application() const;   // for the top-K metric
  [[nodiscard]] std::vector<AppId> connected_applications() const;
  [[nodiscard]] bool is_connected(AppId app) const;   // somebody of it

  /// Tells every socket to reconnect elsewhere (4001), spread over `over`, then stops. No new sockets meanwhile.
  void drain(std::chrono::milliseconds over);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace chat::realtime
