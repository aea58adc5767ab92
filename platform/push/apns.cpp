#include <algorithm>
#include <array>
#include <mutex>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/push/keys.h"
#include "platform/push/receipt.h"

namespace chat::push {
namespace {

// Apple refuses tokens older than an hour and those renewed more often than every 20 minutes.
constexpr std::chrono::minutes kTokenLives{50};
constexpr std::size_t kMaxPayloadBytes = 4096;
constexpr std::size_t kMaxCollapseBytes = 64;
constexpr std::size_t kMaxTokenBytes = 200;

bool is_device_token(const std::string& token) {
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  return !token.empty() && token.size() <= kMaxTokenBytes && std::ranges::all_of(token, is_hex);
}

std::string payload_of(const Notification& notification) {
  json::Writer out;
  out.object().key("aps").object().key("alert").object().field("title", notification.title).field("body", notification.body).end();
  if (notification.badge) out.field("badge", *notification.badge);
  out.field("sound", "default").end();
  for (const auto& [name, value] : notification.data) {
    if (name != "aps") out.field(name, value);
  }
  return out.end().take();
}

// {"reason":"BadDeviceToken"}; empty when there is none.
std::string reason_in(const std::string& body) {
  try {
    const auto document = json::Document::parse(body);
    if (document.root().kind() != json::Kind::object) return {};
    const auto reason = document.root().find("reason");
    return reason && reason->kind() == json::Kind::text ? std::string(reason->text()) : std::string();
  } catch (const Error&) {
    return {};
  }
}

class ApnsProvider final : public Provider, public std::enable_shared_from_this<ApnsProvider> {
 public:
  ApnsProvider(PrivateKey key, Apns settings, std::string tenant, outbound::Client& client, const Clock& clock)
      : key_(std::move(key)), settings_(std::move(settings)), tenant_(std::move(tenant)), client_(client), clock_(clock) {}

  void send(const std::string& token, const Notification& notification, Done done) override {
    if (!is_device_token(token)) return done({Verdict::gone, {}, "no device token of APNs"});
    outbound::Call call;
    call.body = payload_of(notification);
    if (call.body.size() > kMaxPayloadBytes) return done({Verdict::refused, {}, "the payload is too large"});
    call.url = settings_.base_url + "/3/device/" + token;
    call.http2 = true;
    call.tenant = tenant_;
    const auto expires = std::chrono::duration_cast<std::chrono::seconds>((clock_.now() + notification.lives_for).time_since_epoch());
    call.headers = {{"authorization", "bearer " + token_now()},
                    {"apns-topic", settings_.topic},
                    {"apns-push-type", "alert"},
                    {"apns-priority", notification.is_urgent ? "10" : "5"},
                    {"apns-expiration", std::to_string(expires.count())},
                    {"content-type", "application/json"}};
    if (!notification.collapse_key.empty()) call.headers.emplace_back("apns-collapse-id", notification.collapse_key.substr(0, kMaxCollapseBytes));
    client_.send(std::move(call), [me = weak_from_this(), done = std::move(done)](const outbound::Answer& answer) { done(receipt_of(answer, me)); });
  }

 private:
  static Receipt receipt_of(const outbound::Answer& answer, const std::weak_ptr<ApnsProvider>& provider) {
    static constexpr std::array<std::string_view, 4> kDead{"BadDeviceToken", "Unregistered", "DeviceTokenNotForTopic", "ExpiredToken"};
    Receipt receipt = judge(answer);
    const std::string reason = reason_in(answer.body);
    if (answer.status == 410 || std::ranges::find(kDead, reason) != kDead.end()) receipt.verdict = Verdict::gone;
    if (reason == "ExpiredProviderToken") {
      receipt.verdict = Verdict::later;
      if (const auto there = provider.lock()) there->forget_token();
    }
    return receipt;
  }

  std::string token_now() {
    const std::lock_guard lock(mutex_);
    const Timestamp now = clock_.now();
    if (token_.empty() || now - made_at_ > kTokenLives) {
      made_at_ = now;
      json::Writer claims;
      const auto issued = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
      token_ = key_.jwt(settings_.key_id, claims.object().field("iss", settings_.team_id).field("iat", static_cast<std::int64_t>(issued)).end().take());
    }
    return token_;
  }
  void forget_token() {
    const std::lock_guard lock(mutex_);
    token_.clear();
  }

  const PrivateKey key_;
  const Apns settings_;
  const std::string tenant_;
  outbound::Client& client_;
  const Clock& clock_;
  std::mutex mutex_;
  std::string token_;                                    // guarded by mutex_
  Timestamp made_at_;                                    // guarded by mutex_
};

}  // namespace

std::shared_ptr<Provider> make_apns(const Apns& settings, const std::string& tenant, outbound::Client& client, const Clock& clock) {
  const auto key = PrivateKey::from_pem(settings.private_key);
  if (!key || !key->is_p256()) throw invalid_field("#/private_key", "must be the PEM text of Apple's .p8 key");
  return std::make_shared<ApnsProvider>(*key, settings, tenant, client, clock);
}

}  // namespace chat::push
