#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/id.h"

namespace chat::bus {

/// Whom an event reaches. The feature chooses; the hub never guesses.
enum class Reach {
  channel,        // the channel's members and watchers
  user,           // every connection of `user_id`, and the servers'
  devices,        // every connection of `user_id`, and nobody else: what concerns the user's own screens only
  application,    // server connections only (tail, the customer's backend)
};

/// What the world is told. `data` is a JSON object, serialised once.
struct Event {
  EventId id;
  AppId app;
  std::string type;                         // message.new, member.added, …
  Reach reach = Reach::channel;
  ChannelId channel;                        // nil unless about a channel
  std::string cid;                          // type:id; empty unless about a channel
  std::string epoch;                        // of the channel's numbering; only with seq
  std::int64_t seq = 0;                     // 0: ephemeral, not numbered, not stored
  std::string user_id;                      // Reach::user: the customer's user id
  Timestamp created_at;
  std::string data;                         // {"message":{…}}
  std::vector<std::string> joined;          // user ids who became members by this event
  std::vector<std::string> left;            // user ids who stopped being members by this event
  std::vector<std::string> except;          // user ids who are not told; only of events without a number
};

/// The frame that sockets and webhooks carry: {"type","app","cid","seq","id","created_at","data"}.
/// `app` stands only in webhooks and server connections' copies when `with_app`.
std::string render(const Event& event, bool with_app = false);

}  // namespace chat::bus
