#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "platform/base/metrics.h"
#include "platform/http/files.h"
#include "platform/http/request_reader.h"
#include "platform/http/server.h"

namespace chat::http {

class Conversation;

/// What all connections of one server share.
struct Service {
  Service(ServerOptions given, OnRequest request, OnUpgrade upgrade);
  /// Waits until the last connection is gone. False: some are left at the deadline.
  bool wait_until_empty(std::chrono::steady_clock::time_point deadline);
  void joined();
  void left();
  /// How often an engine should call on_tick: a fraction of the shortest timeout.
  [[nodiscard]] std::chrono::milliseconds tick() const;

  const ServerOptions options;
  const OnRequest on_request;
  const OnUpgrade on_upgrade;
  FileThreads files;
  std::atomic<bool> draining{false};
  std::atomic<std::size_t> connections{0};
  metrics::Gauge& open;

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
};

/// Carries answers from any thread to the one engine thread that owns the connection; one wake-up for many answers.
/// Outlives its engine, because a Responder may: after close() answers go nowhere.
class Inbox {
 public:
  explicit Inbox(std::function<void()> wake) : wake_(std::move(wake)) {}
  void adopt_this_thread() { owner_ = std::this_thread::get_id(); }
  void deliver(std::weak_ptr<Conversation> to, std::uint64_t turn, Response response);
  void deliver(std::weak_ptr<Conversation> to, std::function<void(Conversation&)> news);
  void drain();                                             // on the owning thread
  void close();

 private:
  struct Letter {
    std::weak_ptr<Conversation> to;
    std::uint64_t turn;
    Response response;
    std::function<void(Conversation&)> news = {};           // instead of a response
  };
  void put(Letter letter);
  std::function<void()> wake_;                              // called under the lock: must not block
  std::atomic<std::thread::id> owner_{};
  std::mutex mutex_;
  std::vector<Letter> letters_;
  std::vector<Letter> opened_;                              // of the owning thread: keeps its capacity
  bool closed_ = false;
};

/// One HTTP connection: reads requests, has each answered before the next begins, writes, and keeps the deadlines.
/// The engines differ only in how they learn that the socket is readable or writable, which is what they add.
///
/// States:  reading → handling → (writing) → reading … → lingering → closed. Between, while a file thread works for it:
///          storing (a large body) and loading (a file as answer). While handling nothing is read, so a
///          client that sends ahead is held back by TCP. Lingering: all is said, what still comes is thrown away for a
///          moment, because closing on unread bytes would make the kernel take back the answer.
/// Thread:  its engine thread only; answers of other threads come through the Inbox.
class Conversation : public std::enable_shared_from_this<Conversation> {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Conversation(Service& service, std::shared_ptr<Inbox> inbox, int socket, std::string remote);
  virtual ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void begin();                                             // right after accepting
  void refuse_crowd();                                      // instead of begin(): 503 and the end
  void on_readable();
  void on_writable();
  void on_tick(Time now);
  void on_drain();                                          // the server stops: ends when nothing is running
  void abort();                                             // ends now
  void answer(std::uint64_t turn, Response response);       // ignored unless `turn` waits for it
  void on_stored(bool last, const std::optional<Error>& error);   // a file thread has written a piece of the body
  void on_loaded(std::string piece);                        // a file thread has read a piece of the answer

 protected:
  /// Asks for one later call of on_readable() / on_writable(). Asking twice changes nothing.
  virtual void arm_read() = 0;
  virtual void arm_write() = 0;
  virtual void close_socket() = 0;
  virtual void forget() = 0;                                // the engine's own reference goes; last call of all
  /// Gives the descriptor away, or takes it back. False: this engine can't.
  virtual bool release_socket() { return false; }
  virtual void take_back_socket() {}
  [[nodiscard]] int socket() const { return socket_; }

 private:
  enum class State { reading, storing, handling, writing, loading, lingering, closed };

  void feed(std::string_view bytes);
  void go_on();
  void on_step();
  std::size_t judge_head(const Request& head);
  void store(bool last);
  void load();
  void dispatch();
  bool offer_upgrade(Request& request);
  void refuse(const Error& error);
  void send(Response response);
  bool flush();
  void on_sent();
  void linger();
  void settle();
  [[nodiscard]] bool pending() const { return sent_ < head_.size() + body_.size(); }
  void set_deadline(std::chrono::milliseconds wait) { deadline_ = std::chrono::steady_clock::now() + wait; }

  Service& service_;
  const std::shared_ptr<Inbox> inbox_;
  const int socket_;
  const std::string remote_;
  RequestReader reader_;
  State state_ = State::reading;
  RequestReader::Step step_ = RequestReader::Step::waiting;
  bool feeding_ = false;
  bool keep_alive_ = true;
  bool head_only_ = false;
  bool socket_open_ = true;
  std::uint64_t turn_ = 0;
  Time deadline_{};
  std::string request_id_;
  std::string_view rest_;                                   // while feeding: not yet read of what arrived
  std::string ahead_;                                       // read beyond the request being handled
  std::string head_, body_;                                 // being written
  std::size_t sent_ = 0;                                    // of head_ and body_ together
  std::size_t discarded_ = 0;
  std::shared_ptr<Upload> upload_;                          // while a large body is read
  std::shared_ptr<FileReader> file_;                        // while a file is the answer's body
};

}  // namespace chat::http
