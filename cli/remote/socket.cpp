#include "cli/remote/socket.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <csignal>
#include <deque>
#include <type_traits>

#include "cli/exit_code.h"
#include "cli/output/value.h"
#include "platform/base/error.h"
#include "platform/base/json.h"

namespace chat::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using Tcp = asio::ip::tcp;
using Plain = beast::tcp_stream;
using Secure = beast::ssl_stream<beast::tcp_stream>;

constexpr std::size_t kMaxFrameBytes = 4 * 1024 * 1024;
constexpr std::chrono::seconds kIdle{75};  // pings every half of it; the server pings too

struct Target {
  bool secure = false;
  std::string host;  // without brackets
  std::string port;
  std::string authority;  // for the Host header
  std::string path;
};

Target parse_url(const std::string& url) {
  Target target;
  target.secure = url.rfind("wss://", 0) == 0;
  if (!target.secure && url.rfind("ws://", 0) != 0)
    throw Failure(Exit::usage, "\"" + url + "\" is no ws:// or wss:// address");
  const auto rest = url.substr(target.secure ? 6 : 5);
  const auto slash = rest.find('/');
  target.authority = rest.substr(0, slash);
  target.path = slash == std::string::npos ? "/v1/connect" : rest.substr(slash);
  auto host = target.authority;
  target.port = target.secure ? "443" : "80";
  const auto colon = host.rfind(':');
  if (colon != std::string::npos && host.find(']', colon) == std::string::npos) {
    target.port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty() || target.port.empty()) throw Failure(Exit::usage, "\"" + url + "\" names no server");
  target.host = host;
  return target;
}

/// What the server says of a refused handshake, else the bare status.
std::string refusal_of(int status, const std::string& body) {
  try {
    const auto document = json::Document::parse(body);
    if (const auto detail = text_at(document.root(), "detail"); !detail.empty()) return detail;
  } catch (const Error&) {
    return "the server answered " + std::to_string(status);  // a page of a proxy in between
  }
  return "the server answered " + std::to_string(status);
}

/// Callbacks on one io_context, driven by whoever waits in next().
template <class Stream>
class Socket : public EventSocket {
 public:
  Socket(SocketOptions options, Target target)
      : options_(std::move(options)),
        target_(std::move(target)),
        signals_(io_, SIGINT, SIGTERM),
        resolver_(io_) {
    if constexpr (std::is_same_v<Stream, Secure>) {
      tls_.set_verify_mode(asio::ssl::verify_peer);
      boost::system::error_code failed;
      if (options_.ca_file.empty())
        tls_.set_default_verify_paths(failed);
      else
        tls_.load_verify_file(options_.ca_file, failed);
      if (failed) throw Failure(Exit::failure, "cannot read " + options_.ca_file + ": " + failed.message());
      socket_ = std::make_unique<websocket::stream<Stream>>(io_, tls_);
    } else {
      socket_ = std::make_unique<websocket::stream<Stream>>(io_);
    }
    signals_.async_wait(
        [this](boost::system::error_code failed, int) { interrupted_ = interrupted_ || !failed; });
  }

  SocketEvent next(std::chrono::steady_clock::time_point deadline) override {
    if (!started_)
      connect();
    else if (open_ && !reading_ && ready_.empty())
      read();
    while (ready_.empty() && !interrupted_) {
      if (io_.stopped()) io_.restart();
      if (io_.run_one_until(deadline) == 0) return {.kind = SocketEvent::Kind::deadline};
    }
    if (interrupted_) return {.kind = SocketEvent::Kind::interrupted};
    auto event = ready_.front();
    if (event.kind != SocketEvent::Kind::closed) ready_.pop_front();  // closed stays: for ever
    return event;
  }

 private:
  using Failed = beast::error_code;

  void connect() {
    started_ = true;
    auto& tcp = beast::get_lowest_layer(*socket_);
    tcp.expires_after(options_.connect_timeout);
    resolver_.async_resolve(
        target_.host, target_.port, [this, &tcp](Failed failed, Tcp::resolver::results_type found) {
          if (failed) return close("cannot find " + target_.host + ": " + failed.message());
          tcp.async_connect(found, [this](Failed why, const Tcp::endpoint&) {
            if (why) return close("cannot connect to " + target_.authority + ": " + why.message());
            beast::get_lowest_layer(*socket_).socket().set_option(Tcp::no_delay(true));
            secure();
          });
        });
  }

  void secure() {
    if constexpr (std::is_same_v<Stream, Secure>) {
      auto& tls = socket_->next_layer();
      SSL_set_tlsext_host_name(tls.native_handle(), target_.host.c_str());
      tls.set_verify_callback(asio::ssl::host_name_verification(target_.host));
      tls.async_handshake(asio::ssl::stream_base::client, [this](Failed failed) {
        if (failed) return close("TLS with " + target_.authority + " failed: " + failed.message());
        shake();
      });
    } else {
      shake();
    }
  }

  void shake() {
    beast::get_lowest_layer(*socket_).expires_never();
    websocket::stream_base::timeout limits{};
    limits.handshake_timeout = options_.connect_timeout;
    limits.idle_timeout = kIdle;
    limits.keep_alive_pings = true;
    socket_->set_option(limits);
    socket_->read_message_max(kMaxFrameBytes);
    socket_->set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
      request.set(beast::http::field::user_agent, "chatctl/" CHAT_VERSION);
      request.set("X-API-Key", options_.api_key);
      request.set(beast::http::field::authorization, "Bearer " + options_.token);
    }));
    socket_->async_handshake(answer_, target_.authority, target_.path, [this](Failed failed) {
      if (!failed) {
        open_ = true;
        return read();
      }
      const bool answered = failed == websocket::error::upgrade_declined;
      close(answered ? refusal_of(static_cast<int>(answer_.result_int()), answer_.body()) : failed.message());
      if (answered) ready_.back().http_status = static_cast<int>(answer_.result_int());
    });
  }

  void read() {
    reading_ = true;
    socket_->async_read(buffer_, [this](Failed failed, std::size_t) {
      reading_ = false;
      if (failed) return close_after(failed);
      ready_.push_back({.kind = SocketEvent::Kind::frame, .text = beast::buffers_to_string(buffer_.data())});
      buffer_.consume(buffer_.size());
    });
  }

  void close_after(Failed failed) {
    const auto& reason = socket_->reason();
    if (failed != websocket::error::closed) return close(failed.message());
    close(std::string(reason.reason.data(), reason.reason.size()));
    ready_.back().close_code = reason.code;
  }

  void close(std::string why) {
    open_ = false;
    ready_.push_back({.kind = SocketEvent::Kind::closed, .text = std::move(why)});
  }

  SocketOptions options_;
  Target target_;
  asio::io_context io_{1};
  asio::ssl::context tls_{asio::ssl::context::tls_client};
  asio::signal_set signals_;
  Tcp::resolver resolver_;
  std::unique_ptr<websocket::stream<Stream>> socket_;
  websocket::response_type answer_;
  beast::flat_buffer buffer_;
  std::deque<SocketEvent> ready_;
  bool started_ = false, open_ = false, reading_ = false, interrupted_ = false;
};

}  // namespace

std::unique_ptr<EventSocket> make_socket(SocketOptions options) {
  auto target = parse_url(options.url);
  if (target.secure) return std::make_unique<Socket<Secure>>(std::move(options), std::move(target));
  return std::make_unique<Socket<Plain>>(std::move(options), std::move(target));
}

bool wait_uninterrupted(std::chrono::milliseconds time) {
  asio::io_context io(1);
  bool interrupted = false;
  asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](boost::system::error_code failed, int) { interrupted = !failed; });
  io.run_one_for(time);
  return !interrupted;
}

}  // namespace chat::cli
