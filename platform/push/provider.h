#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/clock.h"
#include "platform/outbound/client.h"

namespace chat::push {

/// What a device is told, the same for every provider.
struct Notification {
  std::string title;
  std::string body;
  std::string collapse_key;                                       // a later one replaces an earlier one; empty: none
  std::optional<std::int64_t> badge;
  std::vector<std::pair<std::string, std::string>> data;          // for the customer's application on the device
  std::chrono::seconds lives_for{24 * 3600};                      // undelivered longer: thrown away by the provider
  bool is_urgent = true;
};

enum class Verdict {
  sent,         // the provider has it
  gone,         // the device's token is dead: forget it
  later,        // try again, not before `retry_after`
  refused,      // never as it is: wrong credentials or content
};
struct Receipt {
  Verdict verdict = Verdict::later;
  std::optional<std::chrono::seconds> retry_after;
  std::string detail;                                             // what the provider said, for the operator
};
using Done = std::function<void(Receipt)>;

/// Thread:  send from any; `done` comes once, on the outbound client's thread.
class Provider {
 public:
  virtual ~Provider() = default;
  /// `token` is what the device registered: a registration token, a hex token, a PushSubscription as JSON.
  virtual void send(const std::string& token, const Notification& notification, Done done) = 0;
};

/// Errors of all: invalid_field naming the member whose key or document can't be read. The client must outlive the provider.
struct Fcm {
  std::string service_account;                                    // Google's JSON document
  std::string base_url = "https://fcm.googleapis.com";
};
std::shared_ptr<Provider> make_fcm(const Fcm& settings, const std::string& tenant, outbound::Client& client, const Clock& clock);

struct Apns {
  std::string private_key;                                        // .p8, PEM
  std::string key_id;
  std::string team_id;
  std::string topic;                                              // the bundle id
  std::string base_url = "https://api.push.apple.com";            // or https://api.sandbox.push.apple.com
};
std::shared_ptr<Provider> make_apns(const Apns& settings, const std::string& tenant, outbound::Client& client, const Clock& clock);

struct WebPush {
  std::string private_key;                                        // VAPID: 32 bytes, base64url
  std::string contact;                                            // mailto: or https:
};
std::shared_ptr<Provider> make_web_push(const WebPush& settings, const std::string& tenant, outbound::Client& client, const Clock& clock);
/// What browsers need to subscribe: the public half, base64url. Errors: as make_web_push
std::string web_push_public_key(const WebPush& settings);

}  // namespace chat::push
