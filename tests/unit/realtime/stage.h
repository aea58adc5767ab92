#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "platform/realtime/audiences.h"
#include "platform/realtime/hub.h"

namespace chat::realtime {

/// Audiences and one shard's hub without threads or sockets: every step is taken by the test, so every order can be tried.
class Stage final : public Shards {
 public:
  struct Channel {
    ChannelId id;
    std::string epoch = "e1";
    std::int64_t last_seq = 0;
    std::set<std::string> members;
    std::map<std::int64_t, std::shared_ptr<const bus::Event>> events;
    std::set<std::int64_t> purged;
  };
  /// What a session got: events as their seq, resyncs with the seq that they cover.
  struct Heard {
    bool is_resync = false;
    std::int64_t seq = 0;
    std::string reason;
    bool operator==(const Heard&) const = default;
  };

  explicit Stage(Options options = {}, Audiences::Bounds bounds = {});
  ~Stage() override;

  // The database, and the bus.
  Channel& channel(const std::string& cid) { return channels_[cid]; }
  void make_channel(const std::string& cid, std::set<std::string> members);
  std::shared_ptr<const bus::Event> commit(const std::string& cid, std::vector<std::string> joined = {},
                                           std::vector<std::string> left = {}, const std::string& type = "message.new");
  void publish(const std::shared_ptr<const bus::Event>& event) { audiences_->publish({&event, 1}); }
  std::shared_ptr<const bus::Event> ephemeral(const std::string& cid);

  // The sockets of the shard.
  int connect(const std::string& user);                 // empty: a server
  void disconnect(int session);
  const std::vector<Heard>& heard(int session) const { return heard_.at(session); }
  const std::string& last_text(int session) const { return texts_.at(session).back(); }
  bool is_connected(int session) const { return sessions_.contains(session); }

  // Time, and other threads.
  void read_mail(std::size_t letters = SIZE_MAX);       // the shard's mailbox
  bool run_job(bool fails = false);                     // one pool task; false: there was none
  void begin_job();                                     // it reads the database now, and answers when it is run
  void pass(std::chrono::milliseconds time);            // and tick
  void settle();                                        // until nothing is left to do
  void refuse_jobs(bool refuse) { refuses_ = refuse; }
  std::size_t waiting_jobs() const { return jobs_.size(); }

  Audiences& audiences() { return *audiences_; }
  Hub& hub() { return hub_; }
  AppId app() const { return app_; }
  std::vector<AppId> closed_applications;

  // Shards
  void deliver(std::shared_ptr<const Delivery> delivery) override;
  void wake() override {}
  void assemble(std::shared_ptr<const Roster> roster) override;
  void resync(std::shared_ptr<const Resync> resync) override;
  void forget(const std::string& key) override;
  void close_application(AppId app, Close code) override;

 private:
  void note(Session& session, const LocalFrame& frame);
  Channel* find(ChannelId id);

  const AppId app_;
  std::map<std::string, Channel> channels_;
  std::optional<std::map<std::string, Channel>> snapshot_;   // what the running job sees
  Presence presence_;
  Hub hub_;
  std::unique_ptr<Audiences> audiences_;
  std::deque<std::function<void()>> mail_;
  struct WaitingJob {
    storage::Pool::Task task;
    std::optional<std::map<std::string, Channel>> snapshot;
  };
  std::deque<WaitingJob> jobs_;
  bool refuses_ = false, fails_ = false;
  std::unique_ptr<storage::Connection> connection_;     // never connects
  std::map<int, std::unique_ptr<Session>> sessions_;
  std::map<int, std::vector<Heard>> heard_;
  std::map<int, std::vector<std::string>> texts_;
  std::map<const Session*, int> names_;
  int next_session_ = 1;
  Audiences::Steady now_{std::chrono::hours(1)};
};

}  // namespace chat::realtime
