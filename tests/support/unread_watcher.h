#pragma once
#include <map>
#include <set>
#include <string>
#include <thread>

#include "tests/support/service.h"

/// What a client knows of its unread numbers that asked once after connecting, and from then on listened.
namespace chat::test {

/// An answer of GET /v1/unread, or an event's data, in a form that can be compared: maps instead of lists, nothing of what has nothing unread.
/// One thread a channel.
inline Json numbers_of(const Json& data) {
  Json numbers{{"total", data["total"]}, {"mentions", data["mentions"]}, {"unread_channels", data["unread_channels"]},
               {"unread_threads", data["unread_threads"]}};
  for (const char* part : {"types", "teams", "channels", "threads"}) numbers[part] = Json::object();
  const auto sum = [](const Json& one) { return Json{{"unread", one["unread"]}, {"mentions", one["mentions"]}, {"channels", one["channels"]}}; };
  for (const auto& one : data["types"]) numbers["types"][one["type"].get<std::string>()] = sum(one);
  for (const auto& one : data.value("teams", Json::array())) numbers["teams"][one.value("team", "")] = sum(one);
  for (const char* part : {"channels", "threads"})
    for (const auto& one : data[part])
      if (one["unread"] > 0) numbers[part][one["cid"].get<std::string>()] = {{"unread", one["unread"]}, {"mentions", one["mentions"]}};
  return numbers;
}

class UnreadWatcher {
 public:
  UnreadWatcher(TestApp& app, std::string user) : app_(app), user_(std::move(user)), socket_(app_.connect(user_)) { ask(); }

  /// Listens until it knows `wanted`, looking only at channels that are its own; what it knows in the end. A connection that was closed
  /// (in another team) is opened again.
  Json settle(const Json& wanted, const std::set<std::string>& own) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (true) {
      while (auto frame = socket_.next(std::chrono::milliseconds(1)))
        if ((*frame)["type"] == "notification.unread_changed") hear((*frame)["data"]);
      if (socket_.wait_closed(std::chrono::milliseconds(0))) {
        socket_ = app_.connect(user_);
        ask();
      }
      Json known = known_;
      for (const char* part : {"channels", "threads"})
        for (auto one = known[part].begin(); one != known[part].end();) one = own.contains(one.key()) ? std::next(one) : known[part].erase(one);
      if (known == wanted || std::chrono::steady_clock::now() > deadline) return known;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

 private:
  void ask() { known_ = numbers_of(app_.user(user_).get("/v1/unread").body); }

  /// Totals are whole; of channels and threads, those of the channels that are named.
  void hear(const Json& data) {
    if (data["more"] == true) return ask();
    Json heard = numbers_of(data);
    for (const char* part : {"channels", "threads"}) {
      for (const auto& channel : data["channels"]) known_[part].erase(channel["cid"].get<std::string>());
      known_[part].update(heard[part]);
      heard.erase(part);
    }
    known_.update(heard);
  }

  TestApp& app_;
  const std::string user_;
  WsClient socket_;
  Json known_;
};

}  // namespace chat::test
