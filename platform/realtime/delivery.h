#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/id.h"
#include "platform/realtime/frame.h"
#include "platform/realtime/gateway.h"

/// What the node's audiences tell the shards. Immutable once posted: every shard reads the same object.
namespace chat::realtime {

/// A customer's word (cid, user id) made unique on the node: 16 bytes of the application, then the word.
/// Channels are keyed by cid, not by ChannelId, so that a session can listen before the database was asked;
/// a channel deleted and made again under the same cid has another epoch.
inline std::string scoped(const AppId& app, std::string_view word) {
  std::string key(reinterpret_cast<const char*>(app.uuid.bytes.data()), app.uuid.bytes.size());
  return key.append(word);
}

/// One event of a channel, in its turn.
struct Delivery {
  AppId app;
  std::string key;                     // scoped(app, cid)
  std::string cid;
  std::string epoch;
  std::int64_t seq = 0;                // 0: ephemeral, may be dropped
  Bytes frame;
  Timestamp created_at;
  bool is_repeat = false;              // loaded after a gap: not a fresh event, so not timed
  std::vector<std::string> joined;     // hear this event and what follows
  std::vector<std::string> left;       // hear this event and nothing more
  std::vector<std::string> told;       // hear this event in any case; their membership has changed again since
  std::vector<std::string> except;     // don't hear it; sorted, only without seq
  bool large = false;                  // nothing is done for members one by one
};

/// Who hears a channel from here on.
struct Roster {
  AppId app;
  std::string key;
  std::string cid;
  std::vector<std::string> members;    // sorted
  bool open = false;                   // watchers who are not members may stay
};

/// What was missed cannot be told piece by piece: read the channel anew.
struct Resync {
  std::string key;
  std::string cid;
  std::string_view reason;             // gap | epoch | too_old | ahead | not_found: fixed words
  std::string epoch;
  std::int64_t last_seq = 0;           // everything up to here counts as told
};

/// The shards, as the audiences see them. Calls for one channel must arrive in this order on every shard.
/// Thread:  called under the audiences' lock: must only post. `wake` comes after it, when all that belongs together is posted.
class Shards {
 public:
  virtual ~Shards() = default;
  virtual void deliver(std::shared_ptr<const Delivery> delivery) = 0;
  virtual void wake() = 0;
  virtual void assemble(std::shared_ptr<const Roster> roster) = 0;
  virtual void resync(std::shared_ptr<const Resync> resync) = 0;
  virtual void forget(const std::string& key) = 0;
  virtual void close_application(AppId app, Close code) = 0;
};

}  // namespace chat::realtime
