#pragma once
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/outbound/client.h"

namespace chat::outbound {

/// A call on its way through the client.
struct Errand {
  Call call;
  Client::Done done;
  std::string host;                                  // of its target
  std::chrono::steady_clock::time_point waits_since;
};

/// Who waits and whose turn it is: a queue per tenant and host, taken in turns, so that a host that hangs and a tenant with a
/// backlog delay nobody else. Pure.
/// Thread:  one at a time.
/// Cost:    next() looks at each waiting pair of tenant and host at most once.
class Queue {
 public:
  explicit Queue(const Client::Options& options) : options_(options) {}

  /// False: full; the errand was not taken.
  [[nodiscard]] bool push(std::unique_ptr<Errand>& errand);
  /// The next that may start, counted as active from here on; null: none may.
  std::unique_ptr<Errand> next();
  void finished(const Errand& errand);
  /// Those that began to wait before `then`.
  std::vector<std::unique_ptr<Errand>> take_waiting_since_before(std::chrono::steady_clock::time_point then);

  [[nodiscard]] std::size_t waiting() const { return waiting_; }
  [[nodiscard]] std::size_t active() const { return active_; }

 private:
  struct Line {
    std::string key;
    std::deque<std::unique_ptr<Errand>> errands;     // never empty
  };
  [[nodiscard]] bool may_start(const Errand& errand) const;
  void drop_if_empty(std::list<Line>::iterator line);

  const Client::Options options_;
  std::list<Line> lines_;                            // the one whose turn is next first
  std::unordered_map<std::string, std::list<Line>::iterator> by_key_;
  std::unordered_map<std::string, std::size_t> active_by_host_, active_by_tenant_;
  std::size_t waiting_ = 0, active_ = 0;
};

}  // namespace chat::outbound
