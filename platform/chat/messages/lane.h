#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "platform/chat/messages/lanes.h"
#include "platform/chat/messages/send_batch.h"
#include "platform/storage/pipeline.h"

namespace chat::messages {

/// One lane: a thread, a database session, a queue. Private to the folder.
/// Thread:  submit from any; everything else on the lane's own.
class Lane {
 public:
  Lane(const Lanes::Options& options, int shard, bus::Bus& bus, const Clock& clock);
  ~Lane();
  [[nodiscard]] bool submit(std::unique_ptr<Send> send);
  [[nodiscard]] std::size_t queued();
  void stop();

 private:
  using Batch = std::vector<std::unique_ptr<Send>>;
  void run();
  Batch take();
  void work(Batch batch);
  void send(std::vector<Send*> sends, int attempt);
  void send_each(const std::vector<Send*>& sends);
  void finish(const std::vector<Send*>& sends, const std::vector<Outcome>& outcomes, int attempt);
  void publish(const std::vector<Send*>& sends, const std::vector<Outcome>& outcomes);
  void refuse(Send& send, const Error& error);

  const std::size_t max_batch_;
  const std::function<void(AppId, ChannelId, const Message&)> mentions_here_;
  const int shard_;
  bus::Bus& bus_;
  const Clock& clock_;
  storage::Pipeline pipeline_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::unique_ptr<Send>> queue_;
  std::size_t queued_bytes_ = 0;
  bool stopping_ = false;
  std::thread thread_;                         // last: it uses all of the above
};

}  // namespace chat::messages
