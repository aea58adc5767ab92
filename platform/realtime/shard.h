#pragma once
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "platform/realtime/audiences.h"
#include "platform/realtime/commands.h"
#include "platform/realtime/gateway.h"
#include "platform/realtime/hub.h"
#include "platform/realtime/mailbox.h"
#include "platform/realtime/presence.h"
#include "platform/realtime/session.h"
#include "platform/realtime/wheel.h"

namespace chat::realtime {

/// A socket that http gave away, with what is known about it.
struct Newcomer {
  int socket = -1;
  std::string already_read;
  std::string answer;                            // the 101
  std::string remote;
  bool will_resume = false;
  Hooks::Credentials credentials;                // empty key and token: the first frame brings them
  std::optional<Identity> identity;              // authenticated by the credentials, hooks.opened called
  std::uint64_t revocations_seen = 0;            // when that was
};

/// One event loop and its sockets. A session lives and dies on one shard, so nothing about it needs a lock.
///
/// A turn of the loop: sockets that are readable, then the mailbox, then timers; all of it only queues. At the end of the turn
/// each touched socket is written once. So what came together leaves together, without waiting for more.
///
/// Thread:  its own; `post`, `deliver` and the counters are for any.
class Shard {
 public:
  /// What all shards share. Outlives them.
  struct Shared {
    const Options& options;
    const Hooks& hooks;
    const Clock& clock;
    Audiences& audiences;
    Presence& presence;
    std::atomic<std::uint64_t>& revocations;     // counts close_*: an authentication older than the last one is repeated
    std::function<bool(storage::Pool::Task)> submit;
    std::function<void()> on_tick;               // called by the first shard
  };

  Shard(Shared shared, int number);
  ~Shard();
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  void start();
  void stop();                                   // closes what is left, joins

  void post(Mailbox::Task task);                 // runs on the shard's thread
  void deliver(std::shared_ptr<const Delivery> delivery);   // read after wake_if_posted at the latest
  void wake_if_posted();
  void adopt(Newcomer newcomer);
  [[nodiscard]] std::int64_t queued_bytes() const { return queued_bytes_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t sockets() const { return socket_count_.load(std::memory_order_relaxed); }

  // On the shard's thread only.
  [[nodiscard]] Hub& hub() { return hub_; }
  void close_application(AppId app, std::optional<Timestamp> issued_before, Close code);
  void close_user(AppId app, const std::string& user_id, std::optional<Timestamp> issued_before, Close code);
  void close_those(AppId app, const Gateway::Verdict& verdict);
  void close_addresses(AppId app, const Gateway::RefusesAddress& refuses);
  void drain(std::chrono::milliseconds over);
  void count_copies(AppId app, Hub::Copies copies);

 private:
  using Steady = Session::Steady;
  struct Doom {
    Session* session;
    std::uint16_t code;                          // 0: no close frame, the socket is dead
    std::string reason;
  };

  // shard.cpp: the loop
  void run();
  void turn();
  void read_mailbox();
  void open(const Delivery& delivery);
  void flush_dirty();
  void wake();
  enum class Ends { spoken, all };
  void settle(Ends which);
  void end_turn();

  // shard_sockets.cpp: bytes
  void on_socket(Session& session, std::uint32_t events);
  void read(Session& session);
  void take_bytes(Session& session, char* bytes, std::size_t size);
  bool on_message(Session& session, const Message& message);
  void flush(Session& session);
  void on_drained(Session& session);
  void watch_socket(Session& session);
  void touch(Session& session);
  void send(Session& session, const LocalFrame& frame, Kind kind);
  void say(Session& session, std::string_view text);
  void doom(Session& session, std::uint16_t code, std::string reason);
  void doom(Session& session, Close code, std::string_view detail = {});
  void end(const Doom& doom);
  void say_goodbye(Session& session, std::uint16_t code, const std::string& reason);
  void destroy(Session& session);

  // shard_sessions.cpp: who, and for how long
  void welcome(Newcomer newcomer);
  void admit(Session& session, Identity identity, std::string_view ref);
  void extend(Session& session, Identity identity, std::string_view ref);
  void leave(Session& session);
  void authenticate(Session& session, Hooks::Credentials credentials, std::string ref);
  void ask_identity(Session& session, Hooks::Credentials credentials, std::string ref);
  void accept(Session& session, Identity identity, const std::string& ref);
  void reject(Session& session, const Error& error, const std::string& ref);
  void set_expiry(Session& session);
  void set_timer(Session& session);
  void on_timer(Session& session);
  void on_timer_ready(Session& session);

  // shard_commands.cpp, shard_resume.cpp: what they ask
  void on_text(Session& session, std::string_view text);
  void run_command(Session& session, Parsed parsed);
  bool may_command(Session& session, const std::string& ref);

  // shard_live.cpp: who types, who is here, what happened meanwhile
  void type(Session& session, const Typing& command, std::string ref);
  void sync(Session& session, SyncAsk asked, std::string ref);
  void follow(Session& session, PresenceCommand command, std::string ref);
  void set_status(Session& session, const StatusCommand& command, const std::string& ref);
  void set_away(Session& session, bool away);
  void ask_for_json(Session& session, std::string_view done, std::string ref, std::function<std::string(storage::Connection&)> work);
  void go_on(Session& session);
  void unwatch(Session& session, const UnwatchCommand& command, const std::string& ref);
  void resume(Session& session, const ResumeCommand& command, std::string ref);
  void watch(Session& session, const WatchCommand& command, std::string ref);
  bool resume_from_memory(Session& session, const ResumeCommand::Channel& channel, CatchUp& catch_up);
  void wait_for_database(Session& session, std::string cid, std::string epoch, std::int64_t seq, CatchUp& catch_up);
  void stop_holding_all(Session& session);
  void begin(Session& session, std::unique_ptr<CatchUp> catch_up);
  void locate(Session& session);
  void located(Session& session, std::vector<Position> positions);
  void advance(Session& session);
  bool advance_watch(Session& session, CatchUp::Channel& channel);
  bool advance_resume(Session& session, CatchUp::Channel& channel);
  void load_chunk(Session& session, const CatchUp::Channel& channel);
  void take_chunk(Session& session, std::optional<std::vector<Missed>> missed, std::int64_t to);
  void settle_channel(Session& session, CatchUp::Channel& channel, bool complete, std::string_view reason);
  void deny(Session& session, const CatchUp::Channel& channel);
  void fail(Session& session, const Error& error);
  void finish(Session& session);

  /// Runs `work` on the pool and `then` on this thread, unless the session is gone. The one place where the shard catches
  /// what a hook throws: `fail_with` gets it.
  template <class Result>
  void ask(Session& session, std::function<Result(storage::Connection&)> work,
           std::function<void(Session&, Result)> then, std::function<void(Session&, const Error&)> fail_with);
  Session* find(std::uint64_t number);

  const Shared shared_;
  const int number_;
  int epoll_ = -1;
  int bell_ = -1;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> posted_{false};              // deliveries, and nobody rang the bell for them yet
  Mailbox mailbox_;
  Mailbox::Contents opened_;                     // keeps its capacity

  Hub hub_;
  Wheel wheel_;
  Steady now_;                                   // of this turn
  std::vector<char> scratch_;                    // what a readable socket has
  LocalFrame ping_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Session>> sessions_;
  std::uint64_t next_number_ = 1;
  std::vector<Session*> dirty_;
  std::vector<Doom> doomed_;
  std::vector<Timestamp> written_soon_;          // created_at of the events delivered in this turn
  SendQueue::Tally tally_;                       // since the last turn's end
  std::int64_t queued_ = 0;
  std::int64_t queued_told_ = 0;
  std::atomic<std::int64_t> queued_bytes_{0};
  std::atomic<std::int64_t> socket_count_{0};
};

template <class Result>
void Shard::ask(Session& session, std::function<Result(storage::Connection&)> work,
                std::function<void(Session&, Result)> then, std::function<void(Session&, const Error&)> fail_with) {
  session.asking = true;
  const auto number = session.number;
  const auto back = [this, number](std::function<void(Session&)> with) {
    post([this, number, with = std::move(with)] {
      Session* there = find(number);
      if (there == nullptr || there->doomed || there->state == Session::State::closing) return;
      there->asking = false;
      with(*there);
      go_on(*there);
    });
  };
  const auto fail_back = [back, fail_with](const Error& error) {
    back([fail_with, error](Session& there) { fail_with(there, error); });
  };
  const bool accepted = shared_.submit([work = std::move(work), then = std::move(then), back, fail_back](storage::Connection& c) {
    try {
      auto result = std::make_shared<Result>(work(c));
      back([then, result](Session& there) { then(there, std::move(*result)); });
    } catch (const Error& error) {
      fail_back(error);
    } catch (const std::exception& error) {
      fail_back(Error(Code::internal, "Something went wrong here.").with_log(error.what()));
    }
  });
  if (!accepted) fail_back(Error(Code::unavailable, "The server is too busy; try again."));
}

}  // namespace chat::realtime
