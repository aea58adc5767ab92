#include <fcntl.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <list>
#include <thread>

#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/thread.h"
#include "platform/http/conversation.h"
#include "platform/http/engines.h"

namespace chat::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Socket = asio::basic_stream_socket<tcp, asio::io_context::executor_type>;
using Acceptor = asio::basic_socket_acceptor<tcp, asio::io_context::executor_type>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>,
                                         asio::io_context::executor_type>;

constexpr int kBacklog = 4096;
constexpr std::size_t kCrowd = 128;                         // connections above the limit that still get a 503
constexpr std::chrono::milliseconds kAcceptPause{100};

class BeastConversation;

/// One thread with its own event loop and the connections that live on it.
struct Loop {
  explicit Loop(Service& given)
      : service(given), sweep(io), inbox(std::make_shared<Inbox>([this] {
          asio::post(io, [this] { inbox->drain(); });
        })) {}
  void run();
  void arm_sweep();
  /// Calls `act` on every connection; an act may end any of them.
  template <class Act>
  void each(const Act& act) {
    const std::vector<std::shared_ptr<BeastConversation>> all(conversations.begin(), conversations.end());
    for (const auto& one : all) act(*one);
  }
  void close_all();

  Service& service;
  asio::io_context io{1};
  Timer sweep;
  std::shared_ptr<Inbox> inbox;
  std::list<std::shared_ptr<BeastConversation>> conversations;
  bool closing = false;
  std::thread thread;
};

class BeastConversation final : public Conversation {
 public:
  BeastConversation(Loop& loop, Socket socket, const tcp::endpoint& peer)
      : Conversation(loop.service, loop.inbox, socket.native_handle(), peer.address().to_string()),
        loop_(loop),
        asio_(std::move(socket)),
        protocol_(peer.protocol()) {}
  std::list<std::shared_ptr<BeastConversation>>::iterator place;

 private:
  std::shared_ptr<BeastConversation> self() { return std::static_pointer_cast<BeastConversation>(shared_from_this()); }
  void arm_read() override {
    if (std::exchange(reading_, true)) return;
    asio_.async_wait(Socket::wait_read, [me = self()](error_code error) {
      me->reading_ = false;
      if (!error) me->on_readable();
    });
  }
  void arm_write() override {
    if (std::exchange(writing_, true)) return;
    asio_.async_wait(Socket::wait_write, [me = self()](error_code error) {
      me->writing_ = false;
      if (!error) me->on_writable();
    });
  }
  void close_socket() override { asio_.close(ignored_); }
  bool release_socket() override {
    const int descriptor = asio_.release(ignored_);
    if (ignored_) return false;
    ::fcntl(descriptor, F_SETFL, ::fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    return true;
  }
  void take_back_socket() override { asio_.assign(protocol_, socket(), ignored_); }
  void forget() override { loop_.conversations.erase(place); }

  Loop& loop_;
  Socket asio_;
  error_code ignored_;
  tcp protocol_;
  bool reading_ = false;
  bool writing_ = false;
};

void Loop::run() {
  name_this_thread("http");
  inbox->adopt_this_thread();
  arm_sweep();
  io.run();
}

/// One timer for all deadlines of this thread's connections.
void Loop::arm_sweep() {
  sweep.expires_after(service.tick());
  sweep.async_wait([this](error_code error) {
    if (error || closing) return;
    const auto now = std::chrono::steady_clock::now();
    each([now](BeastConversation& one) { one.on_tick(now); });
    arm_sweep();
  });
}

void Loop::close_all() {
  closing = true;
  sweep.cancel();
  each([](BeastConversation& one) { one.abort(); });
}

class BeastServer final : public Server {
 public:
  BeastServer(const ServerOptions& options, OnRequest on_request, OnUpgrade on_upgrade)
      : service_(options, std::move(on_request), std::move(on_upgrade)) {
    for (int i = 0; i < options.threads; ++i) loops_.push_back(std::make_unique<Loop>(service_));
  }
  ~BeastServer() override { stop(std::chrono::milliseconds(0)); }

  void start() override;
  void stop(std::chrono::milliseconds deadline) override;
  [[nodiscard]] std::uint16_t port() const override { return port_; }

 private:
  void listen();
  void accept();
  void on_accepted(error_code error, Loop& loop, Socket socket);

  Service service_;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::unique_ptr<Acceptor> acceptor_;                      // lives on the first loop
  std::unique_ptr<Timer> pause_;
  std::size_t next_ = 0;
  std::uint16_t port_ = 0;
};

void BeastServer::listen() {
  const ServerOptions& options = service_.options;
  const auto fail = [&](const std::string& why) {
    return Error(Code::unavailable, "Cannot listen on " + place_of(options) + ": " + why + ".");
  };
  error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) throw fail("not an IP address");
  const tcp::endpoint endpoint(address, options.port);
  acceptor_ = std::make_unique<Acceptor>(loops_.front()->io);
  acceptor_->open(endpoint.protocol(), error);
  if (!error) acceptor_->set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_->set_option(tcp::no_delay(true), error);   // accepted sockets inherit it
  if (!error) acceptor_->bind(endpoint, error);
  if (!error) acceptor_->listen(kBacklog, error);
  if (error == asio::error::address_in_use) throw fail("the port is in use");
  if (error) throw fail(error.message());
  port_ = acceptor_->local_endpoint().port();
}

void BeastServer::start() {
  listen();
  pause_ = std::make_unique<Timer>(loops_.front()->io);
  accept();
  for (auto& loop : loops_) loop->thread = std::thread([&loop = *loop] { loop.run(); });
}

/// Connections go round the loops, so that each thread has the same number.
void BeastServer::accept() {
  Loop& loop = *loops_[next_++ % loops_.size()];
  acceptor_->async_accept(loop.io, [this, &loop](error_code error, Socket socket) {
    on_accepted(error, loop, std::move(socket));
  });
}

void BeastServer::on_accepted(error_code error, Loop& loop, Socket socket) {
  if (service_.draining) return;
  if (error && error != asio::error::connection_aborted) {   // EMFILE, ENFILE, ENOBUFS: trying at once would spin
    log::warn("http.accept_paused", {{"why", error.message()}});
    pause_->expires_after(kAcceptPause);
    pause_->async_wait([this](error_code cancelled) {
      if (!cancelled && !service_.draining) accept();
    });
    return;
  }
  const std::size_t open = service_.connections.load();
  if (!error && open < service_.options.max_connections + kCrowd) {
    const bool crowded = open >= service_.options.max_connections;
    asio::post(loop.io, [&loop, crowded, socket = std::move(socket)]() mutable {
      error_code gone;
      const auto peer = socket.remote_endpoint(gone);
      if (gone || loop.service.draining) return;
      auto one = std::make_shared<BeastConversation>(loop, std::move(socket), peer);
      one->place = loop.conversations.insert(loop.conversations.end(), one);
      crowded ? one->refuse_crowd() : one->begin();
    });
  }
  accept();
}

void BeastServer::stop(std::chrono::milliseconds deadline) {
  if (!acceptor_) return;
  const auto until = std::chrono::steady_clock::now() + deadline;
  service_.draining = true;
  asio::post(loops_.front()->io, [this] {
    error_code ignored;
    acceptor_->close(ignored);
    pause_->cancel();
  });
  for (auto& loop : loops_)
    asio::post(loop->io, [&loop = *loop] { loop.each([](BeastConversation& one) { one.on_drain(); }); });
  if (!service_.wait_until_empty(until)) log::warn("http.stop_cut", {{"connections", service_.connections.load()}});
  for (auto& loop : loops_) {
    loop->inbox->close();
    asio::post(loop->io, [&loop = *loop] { loop.close_all(); });
  }
  for (auto& loop : loops_)
    if (loop->thread.joinable()) loop->thread.join();
  acceptor_.reset();
  pause_.reset();
}

}  // namespace

std::unique_ptr<Server> make_beast_server(const ServerOptions& options, OnRequest on_request, OnUpgrade on_upgrade) {
  return std::make_unique<BeastServer>(options, std::move(on_request), std::move(on_upgrade));
}

}  // namespace chat::http
