#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/outbound/address.h"

/// The one way out: HTTP calls to addresses that customers chose (webhooks, push, link previews).
namespace chat::outbound {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Call {
  std::string method = "POST";
  std::string url;                                   // https; http where the operator allows it
  Headers headers;
  std::string body;
  std::string tenant;                                // whose share of the connections it takes
  std::chrono::milliseconds timeout{10'000};         // from the moment it is started
  std::size_t max_body_bytes = 16 * 1024;            // of the answer; the rest is cut off
  bool http2 = false;                                // over TLS, where the server speaks it
};

enum class Outcome {
  answered,          // with any status
  invalid_target,    // no URL that may be called
  refused_address,   // it leads to an address that is not public
  unresolved,        // no such name
  unreachable,       // nobody listens
  tls_failed,        // no certificate to be trusted
  timed_out,
  broken,            // the connection ended early, or what came was no HTTP
  busy,              // waited too long for its turn here
  stopped,           // this process ends
};
/// A stable word for logs and API: "answered", "refused_address", …
std::string_view word(Outcome outcome);
/// A sentence that a customer understands and that tells nothing about this side's network.
std::string_view explain(Outcome outcome);

struct Answer {
  Outcome outcome = Outcome::stopped;
  int status = 0;                                    // of answered
  Headers headers;                                   // names in lower case; at most 100, 16 KiB together
  std::string body;
  bool is_cut = false;                               // the body was longer
  std::chrono::microseconds duration{0};
  std::string detail;                                // for the operator's log, never for customers
  [[nodiscard]] std::string_view header(std::string_view lower_name) const;
};
/// Nobody was called, or not to the end, because of this side: that says nothing of the other.
bool is_our_fault(const Answer& answer);

/// Calls many at once from one thread (libcurl's multi interface).
///
/// What protects this side: the address is judged behind DNS when the socket is opened, no redirect is followed, no proxy of the
/// environment is used, answers are cut, every call has a deadline. What protects the tenants from each other: calls wait
/// in a queue of their tenant and host, and both have a most at a time; a host that hangs fills its own share only.
///
/// Event:   chat_outbound_calls_total{outcome}, chat_outbound_seconds, chat_outbound_active, chat_outbound_waiting
/// Thread:  any; `done` is called on the client's own thread, once per call, must be quick and must not throw.
class Client {
 public:
  struct Options {
    std::vector<Network> allowed_networks;           // besides the public ones
    bool allows_http = false;
    std::string ca_file;                             // empty: the system's
    std::string user_agent = "chatd";
    std::size_t max_active = 512;
    std::size_t max_active_per_host = 32;
    std::size_t max_active_per_tenant = 128;
    std::size_t max_waiting = 10'000;                // more are `busy` at once
    std::chrono::milliseconds max_wait{10'000};      // then `busy`
    std::chrono::milliseconds connect_timeout{5'000};
  };
  using Done = std::function<void(Answer)>;

  explicit Client(Options options);
  ~Client();                                         // what is under way is `stopped`
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(Call call, Done done);

  /// Why a customer's URL can't be called whatever it resolves to; empty: it may be tried.
  [[nodiscard]] std::string refuses_url(const std::string& url) const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace chat::outbound
