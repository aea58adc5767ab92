#include "tests/support/ws_client.h"

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace chat::test {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using nlohmann::json;
using Steady = std::chrono::steady_clock;

constexpr std::uint16_t kAbnormal = 1006;
constexpr std::chrono::seconds kHandshakeTimeout{5};

}  // namespace

// Handlers hold a plain pointer: they end with the io_context, which the connection owns.
struct WsClient::Connection {
  ~Connection() {
    if (thread.joinable()) thread.join();
  }

  void open(const Options& options) {
    auto& tcp = beast::get_lowest_layer(socket);
    tcp.expires_after(kHandshakeTimeout);
    const asio::ip::tcp::endpoint peer(asio::ip::make_address(options.host), options.port);
    tcp.socket().open(asio::ip::tcp::v4());
    if (options.receive_buffer_bytes > 0) {
      tcp.socket().set_option(asio::socket_base::receive_buffer_size(options.receive_buffer_bytes));
    }
    tcp.connect(peer);
    tcp.socket().set_option(asio::ip::tcp::no_delay(true));
    socket.set_option(websocket::stream_base::decorator([options](websocket::request_type& request) {
      for (const auto& [name, value] : options.headers) request.set(name, value);
      if (options.mode == Mode::header) {
        request.set("X-API-Key", options.api_key);
        request.set("Authorization", "Bearer " + options.token);
      } else if (options.mode == Mode::subprotocol) {
        request.set("Sec-WebSocket-Protocol", "chat.v1, key." + options.api_key + ", token." + options.token);
      }
    }));
    websocket::response_type response;
    beast::error_code error;
    bool answered = false;             // the asynchronous form: the other one loses the answer of a refusal
    socket.async_handshake(response, options.host, options.target, [&](beast::error_code result) {
      error = result;
      answered = true;
    });
    while (!answered) io.run_one();
    if (error == websocket::error::upgrade_declined) throw Refused(response.result_int(), response.body());
    if (error) throw std::runtime_error("handshake: " + error.message());
    protocol = std::string(response["Sec-WebSocket-Protocol"]);
    tcp.expires_never();
    socket.read_message_max(64 * 1024 * 1024);
  }

  void start() {
    thread = std::thread([this] { io.run(); });
  }

  // On the connection's thread.
  void read() {
    if (reading || ended_here) return;
    reading = true;
    socket.async_read(buffer, [self = this](beast::error_code error, std::size_t) {
      self->reading = false;
      if (error) return self->on_end();
      {
        const std::lock_guard lock(self->mutex);
        self->frames.push_back(beast::buffers_to_string(self->buffer.data()));
        self->changed.notify_all();
      }
      self->buffer.consume(self->buffer.size());
      self->read();
    });
  }
  void on_end() {
    ended_here = true;
    const std::lock_guard lock(mutex);
    ended = true;
    const auto code = static_cast<std::uint16_t>(socket.reason().code);
    close_code = code == 0 ? kAbnormal : code;
    close_reason = std::string(socket.reason().reason.data(), socket.reason().reason.size());
    changed.notify_all();
  }
  void write_next() {
    if (writing || outgoing.empty() || ended_here) return;
    writing = true;
    socket.binary(outgoing.front().first);
    socket.async_write(asio::buffer(outgoing.front().second), [self = this](beast::error_code error, std::size_t) {
      self->writing = false;
      self->outgoing.pop_front();
      if (!error) self->write_next();
    });
  }

  void write(bool binary, std::string bytes) {
    asio::post(io, [self = this, binary, bytes = std::move(bytes)]() mutable {
      self->outgoing.emplace_back(binary, std::move(bytes));
      self->write_next();
    });
  }

  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  websocket::stream<beast::tcp_stream> socket{io};
  beast::flat_buffer buffer;
  std::deque<std::pair<bool, std::string>> outgoing;
  bool reading = false, writing = false, ended_here = false;
  std::string protocol;
  std::thread thread;

  std::mutex mutex;                    // guards what follows
  std::condition_variable changed;
  std::deque<std::string> frames;
  bool ended = false;
  std::uint16_t close_code = 0;
  std::string close_reason;
};

WsClient::WsClient(const Options& options) : connection_(std::make_unique<Connection>()) {
  connection_->open(options);
  connection_->start();
  if (!options.deaf) go_on();
  if (options.mode == Mode::first_frame) {
    send({{"type", "auth"}, {"api_key", options.api_key}, {"token", options.token}});
  }
}

WsClient::WsClient(WsClient&&) noexcept = default;
WsClient& WsClient::operator=(WsClient&& other) noexcept {
  std::swap(connection_, other.connection_);
  return *this;
}

WsClient::~WsClient() {
  if (!connection_) return;
  asio::post(connection_->io, [self = connection_.get()] {
    beast::error_code ignored;
    beast::get_lowest_layer(self->socket).socket().close(ignored);
    self->work.reset();
    self->io.stop();
  });
  connection_->thread.join();
}

void WsClient::send(const json& frame) { send_text(frame.dump()); }
void WsClient::send_text(std::string text) { connection_->write(false, std::move(text)); }
void WsClient::send_binary(std::string bytes) { connection_->write(true, std::move(bytes)); }

std::optional<json> WsClient::next(Milliseconds patience) {
  std::unique_lock lock(connection_->mutex);
  connection_->changed.wait_for(lock, patience, [&] { return !connection_->frames.empty() || connection_->ended; });
  if (connection_->frames.empty()) return std::nullopt;
  const std::string text = std::move(connection_->frames.front());
  connection_->frames.pop_front();
  return json::parse(text);
}

std::optional<json> WsClient::find(const std::string& type, Milliseconds patience) {
  const auto deadline = Steady::now() + patience;
  for (;;) {
    const auto left = std::chrono::duration_cast<Milliseconds>(deadline - Steady::now());
    auto frame = next(std::max(left, Milliseconds(0)));
    if (!frame || frame->value("type", "") == type) return frame;
  }
}

json WsClient::wait_for(const std::string& type, Milliseconds patience) {
  const auto deadline = Steady::now() + patience;
  std::string others;
  for (;;) {
    const auto left = std::chrono::duration_cast<Milliseconds>(deadline - Steady::now());
    auto frame = next(std::max(left, Milliseconds(0)));
    if (!frame) throw std::runtime_error("no " + type + " came; instead:" + (others.empty() ? " nothing" : others));
    if (frame->value("type", "") == type) return *std::move(frame);
    if (others.size() < 2000) others += "\n  " + frame->dump();
  }
}

std::vector<json> WsClient::drain(Milliseconds patience) {
  const auto deadline = Steady::now() + patience;
  std::vector<json> all;
  for (;;) {
    const auto left = std::chrono::duration_cast<Milliseconds>(deadline - Steady::now());
    auto frame = next(std::max(left, Milliseconds(0)));
    if (!frame) return all;
    all.push_back(*std::move(frame));
  }
}

void WsClient::go_on() {
  asio::post(connection_->io, [self = connection_.get()] { self->read(); });
}

void WsClient::close(std::uint16_t code) {
  asio::post(connection_->io, [self = connection_.get(), code] {
    self->socket.async_close(websocket::close_reason(static_cast<websocket::close_code>(code)), [self](beast::error_code) {});
  });
}

std::optional<std::uint16_t> WsClient::wait_closed(Milliseconds patience) {
  std::unique_lock lock(connection_->mutex);
  connection_->changed.wait_for(lock, patience, [&] { return connection_->ended; });
  if (!connection_->ended) return std::nullopt;
  return connection_->close_code;
}

std::string WsClient::close_reason() const {
  const std::lock_guard lock(connection_->mutex);
  return connection_->close_reason;
}

std::string WsClient::protocol() const { return connection_->protocol; }

}  // namespace chat::test
