#pragma once
#include <catch2/catch.hpp>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "platform/redis/link.h"
#include "tests/support/redis.h"

namespace chat::test {

inline void soon(const std::string& what, const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) FAIL("did not happen in time: " << what);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

/// A node as far as Redis is concerned.
struct TestNode {
  redis::Link link;
  std::unique_ptr<bus::Bus> bus;
  std::unique_ptr<ephemeral::Store> store;
  std::mutex mutex;
  std::vector<std::string> heard;             // "type seq" of events, "word detail" of controls, "missed" and "missed events"

  explicit TestNode(const redis::Options& options) : link(options, system_clock()), bus(redis::make_bus(link)), store(redis::make_store(link)) {
    bus->subscribe(
        [this](bus::Bus::Events events) {
          const std::lock_guard lock(mutex);
          for (const auto& event : events) heard.push_back(event->type + " " + std::to_string(event->seq));
        },
        [this](const bus::Bus::Control& control) {
          const std::lock_guard lock(mutex);
          heard.push_back(control.word + " " + control.detail);
        },
        [this](bus::Bus::Missed missed) {
          const std::lock_guard lock(mutex);
          heard.push_back(missed.events ? "missed events" : "missed");
        });
    link.start();
    soon("the node is connected", [&] { return link.is_up(); });
  }
  ~TestNode() { link.stop(); }

  [[nodiscard]] std::vector<std::string> all() {
    const std::lock_guard lock(mutex);
    return heard;
  }
  [[nodiscard]] bool has(const std::string& one) {
    const std::lock_guard lock(mutex);
    return std::ranges::find(heard, one) != heard.end();
  }
  void tell(std::int64_t seq, std::size_t bytes = 0) {
    auto event = std::make_shared<bus::Event>();
    event->type = "e";
    event->seq = seq;
    event->data.resize(bytes, ' ');
    bus->publish(std::shared_ptr<const bus::Event>(std::move(event)));
  }
};

}  // namespace chat::test
