#include "platform/push/web_push.h"

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/push/receipt.h"

namespace chat::push {
namespace {

constexpr std::size_t kAuthBytes = 16;
constexpr std::size_t kSaltBytes = 16;
constexpr std::chrono::hours kTokenLives{12};          // RFC 8292 allows 24

std::optional<std::string> text_of(const json::Value& object, std::string_view name) {
  const auto value = object.find(name);
  if (!value || value->kind() != json::Kind::text) return std::nullopt;
  return std::string(value->text());
}

std::string origin_of(const std::string& url) {
  const auto host = url.find("://");
  return url.substr(0, url.find('/', host == std::string::npos ? 0 : host + 3));
}

// RFC 8030 5.4: at most 32 characters of base64url.
std::string topic_of(const std::string& collapse_key) { return crypto::base64url(crypto::sha256(collapse_key)).substr(0, 32); }

std::string payload_of(const Notification& notification) {
  json::Writer out;
  out.object().field("title", notification.title).field("body", notification.body);
  if (notification.badge) out.field("badge", *notification.badge);
  out.key("data").object();
  for (const auto& [name, value] : notification.data) out.field(name, value);
  return out.end().end().take();
}

Receipt receipt_of(const outbound::Answer& answer) {
  Receipt receipt = judge(answer);
  const bool leads_nowhere = answer.outcome == outbound::Outcome::invalid_target || answer.outcome == outbound::Outcome::refused_address;
  if (leads_nowhere || answer.status == 404 || answer.status == 410) receipt.verdict = Verdict::gone;
  return receipt;
}

class WebPushProvider final : public Provider {
 public:
  WebPushProvider(PrivateKey key, const WebPush& settings, std::string tenant, outbound::Client& client, const Clock& clock)
      : key_(std::move(key)), public_key_(crypto::base64url(key_.public_point())), contact_(settings.contact), tenant_(std::move(tenant)),
        client_(client), clock_(clock) {}

  void send(const std::string& token, const Notification& notification, Done done) override {
    const auto subscription = parse_subscription(token);
    const std::string plain = payload_of(notification);
    if (plain.size() > kMaxPlainBytes) return done({Verdict::refused, {}, "the payload is too large"});
    const auto body = subscription ? encrypt(*subscription, plain, PrivateKey::make_p256(), crypto::random_bytes(kSaltBytes)) : std::nullopt;
    if (!body) return done({Verdict::gone, {}, "no subscription that can be encrypted for"});
    outbound::Call call;
    call.url = subscription->endpoint;
    call.body = *body;
    call.tenant = tenant_;
    call.headers = {{"Content-Type", "application/octet-stream"},
                    {"Content-Encoding", "aes128gcm"},
                    {"TTL", std::to_string(notification.lives_for.count())},
                    {"Urgency", notification.is_urgent ? "high" : "normal"},
                    {"Authorization", "vapid t=" + token_for(subscription->endpoint) + ", k=" + public_key_}};
    if (!notification.collapse_key.empty()) call.headers.emplace_back("Topic", topic_of(notification.collapse_key));
    client_.send(std::move(call), [done = std::move(done)](const outbound::Answer& answer) { done(receipt_of(answer)); });
  }

 private:
  [[nodiscard]] std::string token_for(const std::string& endpoint) const {
    const auto expires = std::chrono::duration_cast<std::chrono::seconds>((clock_.now() + kTokenLives).time_since_epoch());
    json::Writer claims;
    return key_.jwt({}, claims.object().field("aud", origin_of(endpoint)).field("exp", static_cast<std::int64_t>(expires.count())).field("sub", contact_).end().take());
  }

  const PrivateKey key_;
  const std::string public_key_, contact_, tenant_;
  outbound::Client& client_;
  const Clock& clock_;
};

PrivateKey vapid_key(const WebPush& settings) {
  const auto scalar = crypto::parse_base64url(settings.private_key);
  const auto key = scalar ? PrivateKey::from_p256(*scalar) : std::nullopt;
  if (!key) throw invalid_field("#/private_key", "must be a P-256 private key, 32 bytes in base64url");
  return *key;
}

}  // namespace

std::optional<Subscription> parse_subscription(std::string_view text) {
  try {
    const auto document = json::Document::parse(text);
    if (document.root().kind() != json::Kind::object) return std::nullopt;
    const auto endpoint = text_of(document.root(), "endpoint");
    const auto keys = document.root().find("keys");
    if (!endpoint || !keys || keys->kind() != json::Kind::object) return std::nullopt;
    auto point = crypto::parse_base64url(text_of(*keys, "p256dh").value_or(""));
    auto auth = crypto::parse_base64url(text_of(*keys, "auth").value_or(""));
    if (!point || point->size() != 65 || !auth || auth->size() != kAuthBytes) return std::nullopt;
    return Subscription{*endpoint, std::move(*point), std::move(*auth)};
  } catch (const Error&) {
    return std::nullopt;       // no JSON
  }
}

std::optional<std::string> encrypt(const Subscription& subscription, std::string_view plain, const PrivateKey& ephemeral, std::string_view salt) {
  constexpr std::string_view kRecordSize("\0\0\x10\0", 4);          // 4,096
  const auto shared = ephemeral.agree(subscription.point);
  if (!shared) return std::nullopt;
  const std::string own_point = ephemeral.public_point();
  const std::string first = crypto::hmac_sha256(subscription.auth, *shared);
  const std::string ikm = crypto::hmac_sha256(first, std::string("WebPush: info\0", 14) + subscription.point + own_point + '\x01');
  const std::string prk = crypto::hmac_sha256(salt, ikm);
  const std::string key = crypto::hmac_sha256(prk, std::string_view("Content-Encoding: aes128gcm\0\x01", 29)).substr(0, 16);
  const std::string nonce = crypto::hmac_sha256(prk, std::string_view("Content-Encoding: nonce\0\x01", 25)).substr(0, 12);
  return std::string(salt) + std::string(kRecordSize) + static_cast<char>(own_point.size()) + own_point +
         aes_128_gcm(key, nonce, std::string(plain) + '\x02');
}

std::string web_push_public_key(const WebPush& settings) { return crypto::base64url(vapid_key(settings).public_point()); }

std::shared_ptr<Provider> make_web_push(const WebPush& settings, const std::string& tenant, outbound::Client& client, const Clock& clock) {
  if (settings.contact.rfind("mailto:", 0) != 0 && settings.contact.rfind("https:", 0) != 0)
    throw invalid_field("#/contact", "must begin with mailto: or https:");
  return std::make_shared<WebPushProvider>(vapid_key(settings), settings, tenant, client, clock);
}

}  // namespace chat::push
