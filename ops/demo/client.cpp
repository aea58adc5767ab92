#include "ops/demo/client.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <deque>
#include <functional>
#include <nlohmann/json.hpp>

namespace chat::demo {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using Error = boost::system::error_code;
using Clock = std::chrono::steady_clock;
using nlohmann::json;

constexpr std::chrono::seconds kPatience{10};

void must(const Error& error, const std::string& what) {
  if (error) throw Failure(what + ": " + error.message());
}

asio::ip::tcp::endpoint address_of(const Door& door) {
  return {asio::ip::make_address(door.host), static_cast<std::uint16_t>(std::stoi(door.port))};
}

/// Runs one asynchronous step to its end.
void step(asio::io_context& io, const std::string& what, const std::function<void(std::function<void(Error)>)>& start) {
  std::optional<Error> result;
  start([&result](Error error) { result = error; });
  io.restart();
  const auto deadline = Clock::now() + kPatience;
  while (!result && Clock::now() < deadline) io.run_one_until(deadline);
  if (!result) throw Failure(what + ": no answer within 10 s");
  must(*result, what);
}

}  // namespace

Answer ask(const Door& door, const Credentials& who, const std::string& method, const std::string& target,
           const json& body) {
  asio::io_context io;
  beast::tcp_stream stream(io);
  const std::string what = method + " " + target;
  step(io, what, [&](auto done) { stream.async_connect(address_of(door), done); });

  http::request<http::string_body> request(http::string_to_verb(method), target, 11);
  request.set(http::field::host, door.host + ":" + door.port);
  request.set("X-API-Key", who.api_key);
  request.set(http::field::authorization, "Bearer " + who.token);
  if (!body.is_null()) {
    request.set(http::field::content_type, "application/json");
    request.body() = body.dump();
  }
  request.prepare_payload();
  step(io, what, [&](auto done) { http::async_write(stream, request, [done](Error error, std::size_t) { done(error); }); });

  beast::flat_buffer buffer;
  http::response<http::string_body> response;
  step(io, what, [&](auto done) {
    http::async_read(stream, buffer, response, [done](Error error, std::size_t) { done(error); });
  });
  return {response.result_int(), response.body().empty() ? json() : json::parse(response.body())};
}

struct Socket::State {
  asio::io_context io;
  websocket::stream<beast::tcp_stream> stream{io};
  beast::flat_buffer buffer;
  std::deque<json> frames;
  Error ended;

  void read() {
    stream.async_read(buffer, [this](Error error, std::size_t) {
      ended = error;
      if (error) return;
      frames.push_back(json::parse(beast::buffers_to_string(buffer.data())));
      buffer.clear();
      read();
    });
  }
};

Socket::Socket(const Door& door, const Credentials& who, bool resuming) : state_(std::make_unique<State>()) {
  auto& stream = state_->stream;
  stream.set_option(websocket::stream_base::decorator([&who](websocket::request_type& request) {
    request.set("X-API-Key", who.api_key);
    request.set(http::field::authorization, "Bearer " + who.token);
  }));
  const std::string target = resuming ? "/v1/connect?resume=1" : "/v1/connect";
  step(state_->io, "connecting", [&](auto done) { beast::get_lowest_layer(stream).async_connect(address_of(door), done); });
  step(state_->io, "WebSocket handshake", [&](auto done) { stream.async_handshake(door.host, target, done); });
  state_->read();
  if (!wait_for("connection.ready", kPatience)) throw Failure("connection.ready did not come");
}

Socket::~Socket() = default;

void Socket::say(const json& command) {
  const std::string text = command.dump();
  state_->stream.text(true);
  step(state_->io, "sending a command", [&](auto done) {
    state_->stream.async_write(asio::buffer(text), [done](Error error, std::size_t) { done(error); });
  });
}

std::optional<json> Socket::wait_for(const std::string& type, std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  state_->io.restart();
  for (;;) {
    while (!state_->frames.empty()) {
      json frame = std::move(state_->frames.front());
      state_->frames.pop_front();
      if (frame.value("type", "") == type) return frame;
    }
    must(state_->ended, "the WebSocket ended while waiting for " + type);
    if (Clock::now() >= deadline) return std::nullopt;
    state_->io.run_one_until(deadline);
  }
}

void Socket::cut() {
  beast::get_lowest_layer(state_->stream).socket().close();
  state_->io.restart();
  state_->io.run_for(std::chrono::milliseconds(100));
}

}  // namespace chat::demo
