#include "tests/api/http/engines.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <stdexcept>

namespace chat::test {
namespace {

http::Response echo(const http::Request& request) {
  std::string text = std::string(http::word(request.method)) + " " + request.path + " ";
  for (const auto& [name, value] : request.query) text += name + "=" + value + ";";
  text += " " + request.body;
  http::Response response = http::json(200, text);
  response.content_type = "text/plain";
  return std::move(response.with("X-Remote", request.remote).with("X-Split", "a\r\nInjected: yes"));
}

/// One thread that answers what other threads ask of it, as a pool worker would.
class Other {
 public:
  ~Other() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    more_.notify_all();
    thread_.join();
  }
  void post(std::function<void()> task) {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
    more_.notify_all();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      more_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      auto task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    }
  }
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::function<void()>> tasks_;
  bool ending_ = false;
  std::thread thread_{[this] { run(); }};
};

http::OnRequest handler() {
  return [other = std::make_shared<Other>()](http::Request request, http::Responder respond) {
    if (request.path == "/throw") throw std::runtime_error("thrown by the test");
    if (request.path == "/drop") return;
    if (request.path == "/big") return respond(http::json(200, std::string(kBigBytes, 'x')));
    if (request.path == "/nothing") return respond(http::no_content());
    if (request.path != "/later") return respond(echo(request));
    other->post([request = std::move(request), respond = std::move(respond)] { respond(echo(request)); });
  };
}

}  // namespace

Engine::Engine(http::ServerOptions options, http::OnUpgrade on_upgrade)
    : server(http::make_server(options, handler(), std::move(on_upgrade))) {
  server->start();
}
Engine::~Engine() { server->stop(std::chrono::milliseconds(0)); }

}  // namespace chat::test
