#include "platform/storage/watch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "platform/base/log.h"

namespace chat::storage {
namespace {

constexpr std::chrono::milliseconds kLook{500};

/// All watches of the process and the thread that looks after them, from the first session on.
class Watchers {
 public:
  void add(Watch* watch) {
    std::lock_guard lock(mutex_);
    watches_.insert(watch);
    if (std::exchange(started_, true)) return;
    std::thread([this] { look(); }).detach();
  }

  void remove(Watch* watch) {
    std::lock_guard lock(mutex_);
    watches_.erase(watch);
  }

 private:
  [[noreturn]] void look() {
    for (;;) {
      std::this_thread::sleep_for(kLook);
      const auto now = std::chrono::steady_clock::now();
      std::lock_guard lock(mutex_);
      for (Watch* watch : watches_) watch->cut_if_late(now);
    }
  }

  std::mutex mutex_;
  std::set<Watch*> watches_;              // guarded by mutex_, as is the next
  bool started_ = false;
};

/// Never destroyed: a session may be closed by a destructor that runs after main.
Watchers& watchers() {
  static Watchers& all = *new Watchers;
  return all;
}

}  // namespace

Watch::Watch(int socket) : socket_(::fcntl(socket, F_DUPFD_CLOEXEC, 0)) { watchers().add(this); }

Watch::~Watch() {
  watchers().remove(this);
  if (socket_ >= 0) ::close(socket_);
}

void Watch::begin(std::chrono::milliseconds limit) {
  if (limit.count() > 0) deadline_ = (std::chrono::steady_clock::now() + limit).time_since_epoch().count();
}

void Watch::cut_if_late(std::chrono::steady_clock::time_point now) {
  auto deadline = deadline_.load();
  if (deadline == 0 || now.time_since_epoch().count() < deadline) return;
  if (!deadline_.compare_exchange_strong(deadline, 0)) return;    // it was answered just now
  log::warn("database.no_answer");
  ::shutdown(socket_, SHUT_RDWR);
}

}  // namespace chat::storage
