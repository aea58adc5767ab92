#pragma once
#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "platform/bus/event.h"
#include "platform/realtime/delivery.h"
#include "platform/realtime/directory.h"
#include "platform/realtime/gateway.h"
#include "platform/realtime/presence.h"
#include "platform/realtime/sequencer.h"

namespace chat::realtime {

/// Frame and, when it came over the bus, its event (null: loaded after a gap).
struct Item {
  std::shared_ptr<const bus::Event> event;
  Bytes frame;
};

/// A channel that somebody on this node may be listening to.
struct HotChannel {
  enum class State { loading, hot };
  explicit HotChannel(std::size_t max_held) : sequencer(max_held) {}

  AppId app;
  ChannelId id;
  std::string key;
  std::string cid;
  State state = State::loading;

  // hot
  std::string epoch;
  bool open = false;
  bool large = false;
  Directory::Members members;
  std::int64_t as_of = 0;                 // members already reflect the events up to here
  Sequencer<Item> sequencer;
  Ring ring;
  std::chrono::steady_clock::time_point hole_since{};
  bool wants_refresh = false;
  bool may_be_behind = false;             // the newest events may have been lost: the refresh also asks for them

  // loading
  std::vector<Item> queue;
  std::string_view resync_reason;         // not empty: the sessions must be told when loaded

  // a job on the pool
  std::uint64_t generation = 0;           // answers to older ones are dropped
  bool job_running = false;
  int attempts = 0;
  std::chrono::steady_clock::time_point retry_at{};
  std::vector<std::shared_ptr<const bus::Event>> changes;   // memberships changed while a job runs, to be applied on top of its snapshot

  std::chrono::steady_clock::time_point used_at{};
  std::list<HotChannel*>::iterator by_use;
};

/// Who on this node hears which channel, and in which order its events go out.
///
/// A channel is cold (unknown here) until an event of it comes by while its application has a socket; then its audience is
/// loaded once, and the events wait. No connection needs a query: a session that connects asks `channels_of`.
///
/// Why no session is missed: a session first stands in its shard's user list and then asks `channels_of`; a channel that becomes
/// hot (or a user who joins) first stands in the directory and then is posted to the shards. Whichever of the two comes first,
/// the other one sees it. Both seeing it is harmless: subscribing twice is once.
///
/// Why nothing is told twice or out of turn: everything about a channel is decided and posted under one lock.
///
/// Thread:  any. One mutex: an event holds it for about a microsecond, far above the rate of any database behind it.
class Audiences {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  struct Source {
    std::function<bool(storage::Pool::Task)> submit;
    decltype(Hooks::load_audience) load_audience;
    decltype(Hooks::load_missed) load_missed;
    std::function<Steady()> now;
  };
  struct Bounds {
    std::chrono::milliseconds gap_wait{250};       // for a number that another thread is about to publish
    std::size_t max_held = 4'096;                  // events behind a hole
    std::size_t max_queued = 10'000;               // events of a channel being loaded
    int max_jobs = 4;                              // pool workers busy with audiences at once
    int load_attempts = 6;                         // with backoff 0.1 … 3.2 s; then the application's sockets are closed
    int fill_attempts = 3;                         // then the channel is loaded anew and resynced
  };

  Audiences(const Options& options, Bounds bounds, Source source, Shards& shards, const Presence& presence);

  /// Events of channels, from the thread that committed them or from the bus.
  void publish(std::span<const std::shared_ptr<const bus::Event>> events);

  /// Keys of the hot channels of a user.
  [[nodiscard]] std::vector<std::string> channels_of(AppId app, const std::string& user_id);

  struct Since {
    std::string_view epoch;
    std::int64_t seq = 0;
  };
  struct View {
    std::string epoch;
    std::int64_t last_seq = 0;
    std::vector<Bytes> frames;                     // everything after `since`
  };
  /// Answers a resume or watch from memory. Nothing when the database must be asked: cold, another epoch, too long ago,
  /// or the user is no member (who may watch an open channel is decided by the database alone).
  /// What is posted to the shards after this call has a larger seq than last_seq.
  [[nodiscard]] std::optional<View> view(AppId app, const std::string& cid, const std::string& user_id,
                                         std::optional<Since> since);

  /// The members of a channel are not what they were, though no event of it says so: its events wait until they are loaded
  /// again. Cold channels need nothing.
  void regather(AppId app, const std::string& cid);
  void regather_all(AppId app);
  /// Events of other nodes were lost for good: every hot channel is compared with the database, and what is missing is told.
  void look_again();

  /// Holes, retries, eviction. Call every 50-100 ms.
  void tick();
  [[nodiscard]] std::int64_t hot_channels() const;

 private:
  struct Job {
    std::string key;
    std::uint64_t generation = 0;
    AppId app;
    ChannelId id;
    std::optional<std::pair<std::int64_t, std::int64_t>> hole;   // from < seq <= to
    std::optional<std::int64_t> known;                           // whatever is newer than this is missing
  };
  struct Found {
    bool failed = false;
    std::optional<Audience> audience;
    std::optional<std::vector<Missed>> missed;
  };

  /// The lock; the shards are woken when it was given back.
  class Turn {
   public:
    explicit Turn(Audiences& audiences) : shards_(audiences.shards_), lock_(audiences.mutex_) {}
    ~Turn() {
      lock_.unlock();
      shards_.wake();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    Shards& shards_;
    std::unique_lock<std::mutex> lock_;
  };

  // audiences.cpp: events in, deliveries out
  [[nodiscard]] bool is_for_somebody(const bus::Event& event) const;
  void take(Item item);
  HotChannel& create(const bus::Event& event, const std::string& key);
  void queue(HotChannel& channel, Item item);
  void take_hot(HotChannel& channel, Item item);
  void tell(HotChannel& channel, std::int64_t seq, const Item& item);
  void apply_names(HotChannel& channel, const std::shared_ptr<const bus::Event>& event, Delivery& delivery);
  void change_members(HotChannel& channel, const bus::Event& event);
  void tell_named_only(HotChannel& channel, const Item& item);
  void post_resync(HotChannel& channel, std::string_view reason, std::int64_t last_seq);

  // audience_jobs.cpp: loading, filling holes, eviction
  void start_job(HotChannel& channel);
  void pump();
  void run(Job job, storage::Connection& connection);
  void finish(const Job& job, Found found);
  void failed(HotChannel& channel);
  void loaded(HotChannel& channel, std::optional<Audience> audience);
  void filled(HotChannel& channel, Audience audience, std::vector<Missed> missed, const Job& job);
  void set_audience(HotChannel& channel, Audience audience);
  void restart(HotChannel& channel, std::string_view reason);
  void regather(HotChannel& channel);
  void look_after(HotChannel& channel, Steady now);
  void forget(HotChannel& channel);
  void evict(Steady now);
  [[nodiscard]] std::vector<std::string> member_ids(const HotChannel& channel) const;

  const std::size_t ring_bytes_;
  const std::size_t max_rings_bytes_;
  const std::chrono::milliseconds idle_;
  const std::size_t max_hot_;
  const Bounds bounds_;
  const Source source_;
  Shards& shards_;
  const Presence& presence_;

  mutable std::mutex mutex_;
  std::unordered_map<std::string, std::unique_ptr<HotChannel>> channels_;   // by key
  Directory directory_;
  std::list<HotChannel*> by_use_;                        // longest unused first
  std::unordered_set<HotChannel*> attention_;            // what tick must look at
  std::deque<Job> jobs_;
  int running_jobs_ = 0;
  std::uint64_t next_generation_ = 1;
  std::int64_t rings_bytes_ = 0;
};

}  // namespace chat::realtime
