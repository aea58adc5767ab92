#pragma once
#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/outbound/queue.h"

namespace chat::outbound {

/// The client's thread: libcurl tells which sockets and which timer it waits for, epoll waits.
/// Thread:  submit and answer from any; everything else on its own.
class Client::Loop {
 public:
  explicit Loop(Options options);
  ~Loop();

  void submit(std::unique_ptr<Errand> errand);
  void answer(Done done, Answer answer);             // on the loop's thread, as all answers
  [[nodiscard]] const Options& options() const { return options_; }

 private:
  struct Transfer;
  struct Multi;

  void run();
  void turn();
  void take_arrivals();
  void start_waiting();
  void start(std::unique_ptr<Errand> errand);
  void take_finished();
  void finish(Transfer& transfer, int curl_code);
  void refuse_late();
  void stop_all();
  void close(std::unique_ptr<Errand> errand, Answer answer);
  void wake();
  [[nodiscard]] int wait_ms() const;

  const Options options_;
  const Guard guard_;
  Queue queue_;
  std::unique_ptr<Multi> multi_;
  std::vector<std::unique_ptr<Transfer>> transfers_;
  std::chrono::steady_clock::time_point next_look_;  // for those who waited too long
  bool has_news_ = false;                            // somebody came or went: the queue may go on

  std::mutex mutex_;
  std::vector<std::unique_ptr<Errand>> arrived_;     // guarded by mutex_
  std::vector<std::function<void()>> answers_;       // guarded by mutex_
  std::atomic<bool> stopping_{false};
  int bell_ = -1;
  std::thread thread_;                               // last: it uses all of the above
};

}  // namespace chat::outbound
