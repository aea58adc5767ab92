#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pistache/os.h>
#include <pistache/reactor.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <unordered_map>

#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/http/conversation.h"
#include "platform/http/engines.h"

// Pistache gives the threads and the event loop (Aio::Reactor); reading, judging, writing and accepting are ours.
// Its own of 0.0.5 can be made to loop, spin, crash or answer the wrong client by a stranger: README.md has the list.
namespace chat::http {
namespace {

using Pistache::Aio::FdSet;
using Pistache::Aio::Reactor;
using Pistache::Polling::Mode;
using Pistache::Polling::NotifyOn;
using Pistache::Polling::Tag;

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 64;
constexpr std::size_t kCrowd = 128;                         // connections above the limit that still get a 503

/// A descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

Descriptor checked(int fd, const char* what) {
  if (fd < 0) throw Error(Code::unavailable, std::string("Cannot make a ") + what + ": " + std::strerror(errno) + ".");
  return Descriptor(fd);
}

class Worker;

class PistacheConversation final : public Conversation {
 public:
  PistacheConversation(Worker& worker, Service& service, std::shared_ptr<Inbox> inbox, int socket, std::string remote)
      : Conversation(service, std::move(inbox), socket, std::move(remote)), worker_(worker), owned_(socket) {}
  void on_event();

 private:
  void arm_read() override { arm(reading_); }
  void arm_write() override { arm(writing_); }
  void arm(bool& wanted);
  void close_socket() override { owned_ = Descriptor(); }
  void forget() override;

  Worker& worker_;
  Descriptor owned_;
  bool reading_ = false;
  bool writing_ = false;
};

/// One reactor thread: its connections, its mailbox, its sweep of deadlines. Pistache clones one per thread.
class Worker final : public Pistache::Aio::Handler {
 public:
  using Task = std::function<void(Worker&)>;

  explicit Worker(Service& given)
      : service(given),
        inbox(std::make_shared<Inbox>([wake = wake_] { ring(wake->get()); })) {}
  std::shared_ptr<Pistache::Aio::Handler> clone() const override { return std::make_shared<Worker>(service); }

  void registerPoller(Pistache::Polling::Epoll& poller) override;
  void onReady(const FdSet& ready) override;
  void post(Task task);                                     // from any thread

  void adopt(int socket, std::string remote, bool crowded);
  template <class Act>
  void each(const Act& act) {
    std::vector<std::shared_ptr<PistacheConversation>> all;
    all.reserve(conversations.size());
    for (const auto& [socket, one] : conversations) all.push_back(one);
    for (const auto& one : all) act(*one);
  }

  Service& service;

 private:
  /// Outlives the worker, because a Responder of another thread may still ring.
  std::shared_ptr<Descriptor> wake_ = std::make_shared<Descriptor>(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "wake-up"));
  Descriptor timer_ = checked(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timer");

 public:
  std::shared_ptr<Inbox> inbox;
  std::unordered_map<int, std::shared_ptr<PistacheConversation>> conversations;
  Task on_listener;                                         // only of the worker that accepts
  Task on_tick;
  int listener = -1;

 private:
  static void ring(int wake) {
    const std::uint64_t one = 1;
    if (::write(wake, &one, sizeof one) < 0 && errno != EAGAIN) log::error("http.wake", {{"why", std::strerror(errno)}});
  }
  static void swallow(int fd) {
    std::uint64_t count = 0;
    while (::read(fd, &count, sizeof count) > 0) {}
  }
  void on_event(int fd);
  void run_tasks();
  void sweep();

  std::mutex mutex_;
  std::vector<Task> tasks_;
};

/// Whatever happened, errors included, shows when what was waited for is tried.
void PistacheConversation::on_event() {
  const auto me = shared_from_this();
  const bool reads = std::exchange(reading_, false);
  const bool writes = std::exchange(writing_, false);
  if (writes) on_writable();
  if (reads) on_readable();
}

/// Edge-triggered, so every change of interest also reports what is ready already.
void PistacheConversation::arm(bool& wanted) {
  if (std::exchange(wanted, true)) return;
  const NotifyOn interest = reading_ && writing_ ? NotifyOn::Read | NotifyOn::Write
                                                 : (writing_ ? NotifyOn::Write : NotifyOn::Read);
  worker_.reactor()->modifyFd(worker_.key(), socket(), interest, Tag(static_cast<std::uint64_t>(socket())), Mode::Edge);
}

void PistacheConversation::forget() { worker_.conversations.erase(socket()); }

void Worker::registerPoller(Pistache::Polling::Epoll& poller) {
  const auto every = service.tick();
  const timespec period{every.count() / 1000, (every.count() % 1000) * 1'000'000};
  const itimerspec when{period, period};
  ::timerfd_settime(timer_.get(), 0, &when, nullptr);
  for (const int fd : {wake_->get(), timer_.get()})
    poller.addFd(fd, Pistache::Flags<NotifyOn>(NotifyOn::Read), Tag(static_cast<std::uint64_t>(fd)));
}

/// Pistache calls this for everything that is ready. What escaped from here would end the process.
void Worker::onReady(const FdSet& ready) {
  for (const auto& entry : ready) {
    const int fd = static_cast<int>(entry.getTag().value());
    try {
      on_event(fd);
    } catch (const std::exception& error) {
      log::error("http.worker", {{"what", error.what()}});
      const auto found = conversations.find(fd);
      if (found != conversations.end()) std::shared_ptr(found->second)->abort();
    }
  }
}

void Worker::on_event(int fd) {
  if (fd == wake_->get()) {
    swallow(fd);
    run_tasks();
    inbox->drain();
  } else if (fd == timer_.get()) {
    swallow(fd);
    sweep();
  } else if (fd == listener) {
    on_listener(*this);
  } else if (const auto found = conversations.find(fd); found != conversations.end()) {
    found->second->on_event();
  }
}

void Worker::sweep() {
  const auto now = std::chrono::steady_clock::now();
  each([now](PistacheConversation& one) { one.on_tick(now); });
  if (on_tick) on_tick(*this);
}

void Worker::post(Task task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  ring(wake_->get());
}

void Worker::run_tasks() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const Task& task : tasks) task(*this);
}

void Worker::adopt(int socket, std::string remote, bool crowded) {
  auto one = std::make_shared<PistacheConversation>(*this, service, inbox, socket, std::move(remote));
  reactor()->registerFd(key(), socket, NotifyOn::Read, Tag(static_cast<std::uint64_t>(socket)), Mode::Edge);
  conversations[socket] = one;
  crowded ? one->refuse_crowd() : one->begin();
}

/// Binds and listens; the port that it got goes to `port`.
Descriptor listen_on(const ServerOptions& options, std::uint16_t& port) {
  const auto fail = [&](const std::string& why) {
    return Error(Code::unavailable, "Cannot listen on " + place_of(options) + ": " + why + ".");
  };
  sockaddr_in6 v6{};
  sockaddr_in v4{};
  v6.sin6_family = AF_INET6;
  v4.sin_family = AF_INET;
  v6.sin6_port = v4.sin_port = htons(options.port);
  const bool is_v4 = ::inet_pton(AF_INET, options.address.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && ::inet_pton(AF_INET6, options.address.c_str(), &v6.sin6_addr) != 1) throw fail("not an IP address");
  auto* address = is_v4 ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6);
  socklen_t size = is_v4 ? sizeof v4 : sizeof v6;

  Descriptor fd(::socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  const bool ready = fd.get() >= 0 && ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                     ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
                     ::bind(fd.get(), address, size) == 0 && ::listen(fd.get(), kBacklog) == 0 &&
                     ::getsockname(fd.get(), address, &size) == 0;
  if (!ready) throw fail(errno == EADDRINUSE ? "the port is in use" : std::strerror(errno));
  port = ntohs(is_v4 ? v4.sin_port : v6.sin6_port);
  return fd;
}

std::string text_of(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET)
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  else
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text, sizeof text);
  return text;
}

class PistacheServer final : public Server {
 public:
  PistacheServer(const ServerOptions& options, OnRequest on_request, OnUpgrade on_upgrade)
      : service_(options, std::move(on_request), std::move(on_upgrade)) {}
  ~PistacheServer() override { stop(std::chrono::milliseconds(0)); }

  void start() override;
  void stop(std::chrono::milliseconds deadline) override;
  [[nodiscard]] std::uint16_t port() const override { return port_; }

 private:
  void watch_listener(Worker& first, bool on);
  void accept_some(Worker& first);
  bool accept_one();

  Service service_;
  Descriptor listener_;
  std::shared_ptr<Reactor> reactor_;
  std::vector<std::shared_ptr<Worker>> workers_;
  std::size_t next_ = 0;
  bool paused_ = false;                                     // of the first worker's thread: out of descriptors
  std::uint16_t port_ = 0;
};

void PistacheServer::start() {
  listener_ = listen_on(service_.options, port_);
  reactor_ = Reactor::create();
  reactor_->init(Pistache::Aio::AsyncContext(static_cast<std::size_t>(service_.options.threads), "http"));
  const auto key = reactor_->addHandler(std::make_shared<Worker>(service_));
  for (const auto& handler : reactor_->handlers(key)) {
    auto worker = std::static_pointer_cast<Worker>(handler);
    worker->post([](Worker& me) { me.inbox->adopt_this_thread(); });
    workers_.push_back(std::move(worker));
  }
  Worker& first = *workers_.front();
  first.listener = listener_.get();
  first.on_listener = [this](Worker& me) { accept_some(me); };
  first.on_tick = [this](Worker& me) {
    if (std::exchange(paused_, false)) watch_listener(me, true);
  };
  reactor_->registerFd(first.key(), listener_.get(), NotifyOn::Read, Tag(static_cast<std::uint64_t>(listener_.get())));
  reactor_->run();
}

void PistacheServer::watch_listener(Worker& first, bool on) {
  if (listener_.get() < 0) return;
  reactor_->modifyFd(first.key(), listener_.get(), on ? NotifyOn::Read : NotifyOn::None,
                     Tag(static_cast<std::uint64_t>(listener_.get())));
}

void PistacheServer::accept_some(Worker& first) {
  for (int i = 0; i < kAcceptsPerTurn && !service_.draining; ++i) {
    if (accept_one()) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ECONNABORTED || errno == EINTR) return;
    log::warn("http.accept_paused", {{"why", std::strerror(errno)}});   // EMFILE: trying on at once would spin
    paused_ = true;
    return watch_listener(first, false);
  }
}

bool PistacheServer::accept_one() {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const int socket =
      ::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) return false;
  const std::size_t open = service_.connections.load();
  const std::size_t most = service_.options.max_connections;
  if (open >= most + kCrowd) {
    ::close(socket);
    return true;
  }
  auto owned = std::make_shared<Descriptor>(socket);        // closed when the task never runs
  workers_[next_++ % workers_.size()]->post([owned, remote = text_of(from), crowded = open >= most](Worker& me) {
    if (!me.service.draining) me.adopt(owned->release(), remote, crowded);
  });
  return true;
}

void PistacheServer::stop(std::chrono::milliseconds deadline) {
  if (!reactor_) return;
  const auto until = std::chrono::steady_clock::now() + deadline;
  service_.draining = true;
  workers_.front()->post([this](Worker&) { listener_ = Descriptor(); });
  for (const auto& worker : workers_)
    worker->post([](Worker& me) { me.each([](PistacheConversation& one) { one.on_drain(); }); });
  if (!service_.wait_until_empty(until)) log::warn("http.stop_cut", {{"connections", service_.connections.load()}});
  for (const auto& worker : workers_) {
    worker->inbox->close();
    worker->post([](Worker& me) { me.each([](PistacheConversation& one) { one.abort(); }); });
  }
  service_.wait_until_empty(std::chrono::steady_clock::now() + std::chrono::seconds(5));
  reactor_->shutdown();
  reactor_.reset();                                         // joins its threads
  workers_.clear();
}

}  // namespace

std::unique_ptr<Server> make_pistache_server(const ServerOptions& options, OnRequest on_request, OnUpgrade on_upgrade) {
  return std::make_unique<PistacheServer>(options, std::move(on_request), std::move(on_upgrade));
}

}  // namespace chat::http
