#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "platform/bus/feed.h"
#include "platform/http/server.h"
#include "platform/realtime/gateway.h"
#include "tests/support/ws_client.h"

namespace chat::test {

/// A gateway behind a real listener, with everything above it made up: channels live in a map, a token is a user id.
/// It tests the gateway's wiring and promises; that real statements keep them is tested with the database.
///
/// Tokens:  "alice" is the user alice; "server" the customer's backend; "revoked:…", "suspended:…", "expired:…" are refused;
///          "cold:alice" needs the database the first time.
class House {
 public:
  struct Channel {
    ChannelId id;
    std::string epoch;
    std::int64_t last_seq = 0;
    std::set<std::string> members;
    bool open = false;
    std::map<std::int64_t, bus::Event> events;
  };
  using Change = std::function<void(bus::Event&)>;

  explicit House(realtime::Options options = quick());
  ~House();

  static realtime::Options quick();                   // short authentication timeout

  /// Errors of the client come out: WsClient::Refused.
  WsClient connect(const std::string& token, WsClient::Mode mode = WsClient::Mode::header, const std::string& target = "/v1/connect");
  WsClient connect_deaf(const std::string& token, int receive_buffer_bytes = 0);
  /// Connected, and `connection.ready` read.
  WsClient ready(const std::string& token, const std::string& target = "/v1/connect");

  void make_channel(const std::string& cid, std::set<std::string> members, bool open = false);
  /// Commits an event as a transaction would, then publishes it. Returns its seq.
  std::int64_t commit(const std::string& cid, const std::string& type = "message.new", const Change& change = {});
  /// The same without publishing: the caller does that, late or never.
  std::shared_ptr<const bus::Event> commit_silently(const std::string& cid, const std::string& type = "message.new",
                                                    const Change& change = {});
  std::int64_t add_member(const std::string& cid, const std::string& user);
  std::int64_t remove_member(const std::string& cid, const std::string& user);
  void type_in(const std::string& cid, const std::string& user);            // ephemeral
  void tell_user(const std::string& user, const std::string& type);
  void publish(const std::shared_ptr<const bus::Event>& event) { bus_->publish(event); }
  /// The numbering begins anew, as after a restore.
  void restore(const std::string& cid, std::int64_t last_seq);
  void set_open(const std::string& cid, bool open);
  void purge_events(const std::string& cid);

  realtime::Gateway& gateway() { return *gateway_; }
  AppId app() const { return app_; }
  std::uint16_t port() const { return server_->port(); }
  std::string epoch(const std::string& cid);
  std::int64_t last_seq(const std::string& cid);
  void revoke(const std::string& user);
  void stop_gateway() { gateway_.reset(); }          // with traffic on the bus; no new connections after it

  std::atomic<bool> database_fails{false};
  std::atomic<bool> holds_locates{false};             // a locate waits until this is false
  std::atomic<int> loads{0}, locates{0}, missed_loads{0}, opened{0}, closed{0};
  std::atomic<int> holding{0};                        // locates that wait
  std::atomic<std::int64_t> copies{0};
  std::atomic<int> max_connections{1'000'000};
  std::optional<std::chrono::milliseconds> token_life;

 private:
  realtime::Hooks hooks();
  realtime::Identity identify(const realtime::Hooks::Credentials& credentials, bool cold);
  void check_database() const;

  const AppId app_ = AppId::make(system_clock().now());
  std::mutex mutex_;                                  // guards what follows
  std::map<std::string, Channel> channels_;
  std::set<std::string> warm_, revoked_;

  std::unique_ptr<bus::Bus> bus_;
  std::unique_ptr<storage::Pool> pool_;
  std::unique_ptr<realtime::Gateway> gateway_;
  std::unique_ptr<http::Server> server_;
};

/// Waits until `holds` is true. False: it did not come true within the patience.
bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds patience = WsClient::kPatience);

/// The seqs of the frames of one channel, in the order in which they came.
std::vector<std::int64_t> seqs(const std::vector<nlohmann::json>& frames, const std::string& cid);
std::vector<std::int64_t> numbers(std::int64_t from, std::int64_t to);

}  // namespace chat::test
