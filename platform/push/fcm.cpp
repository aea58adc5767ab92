#include <deque>
#include <mutex>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/push/keys.h"
#include "platform/push/receipt.h"

namespace chat::push {
namespace {

constexpr std::string_view kScope = "https://www.googleapis.com/auth/firebase.messaging";
constexpr std::string_view kGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
constexpr std::chrono::minutes kAssertionLives{60};
constexpr std::chrono::seconds kSpare{60};               // an access token is not used in its last minute
constexpr std::size_t kMaxPayloadBytes = 4096;
constexpr std::size_t kMaxTokenBytes = 4096;
constexpr std::size_t kMaxWaiting = 1'000;               // for an access token

struct Account {
  std::string project, email, token_url;
  PrivateKey key;
};

Account read_account(const std::string& text) {
  const auto document = json::Document::parse(text);
  const auto member = [&](std::string_view name) {
    const auto value = document.root().kind() == json::Kind::object ? document.root().find(name) : std::nullopt;
    if (!value || value->kind() != json::Kind::text || value->text().empty())
      throw invalid_field("#/service_account", "must be a service account's JSON with " + std::string(name));
    return std::string(value->text());
  };
  const auto key = PrivateKey::from_pem(member("private_key"));
  if (!key || !key->is_rsa()) throw invalid_field("#/service_account", "its private_key must be an RSA key in PEM");
  return {member("project_id"), member("client_email"), member("token_uri"), *key};
}

std::string payload_of(const std::string& token, const Notification& notification) {
  json::Writer out;
  out.object().key("message").object().field("token", token);
  out.key("notification").object().field("title", notification.title).field("body", notification.body).end();
  out.key("data").object();
  for (const auto& [name, value] : notification.data) out.field(name, value);
  out.end().key("android").object().field("priority", notification.is_urgent ? "high" : "normal");
  out.field("ttl", std::to_string(notification.lives_for.count()) + "s");
  if (!notification.collapse_key.empty()) out.field("collapse_key", notification.collapse_key);
  if (notification.badge) out.key("notification").object().field("notification_count", *notification.badge).end();
  return out.end().end().end().take();
}

// A text at any depth of Google's error document; empty: none.
std::string error_code_in(const std::string& body) {
  for (const std::string_view code : {"UNREGISTERED", "SENDER_ID_MISMATCH"}) {
    if (body.find("\"" + std::string(code) + "\"") != std::string::npos) return std::string(code);
  }
  return {};
}

class FcmProvider final : public Provider, public std::enable_shared_from_this<FcmProvider> {
 public:
  FcmProvider(Account account, std::string base_url, std::string tenant, outbound::Client& client, const Clock& clock)
      : account_(std::move(account)), base_url_(std::move(base_url)), tenant_(std::move(tenant)), client_(client), clock_(clock) {}

  void send(const std::string& token, const Notification& notification, Done done) override {
    if (token.empty() || token.size() > kMaxTokenBytes) return done({Verdict::gone, {}, "no registration token"});
    Waiting waiting{payload_of(token, notification), std::move(done)};
    if (waiting.body.size() > kMaxPayloadBytes + token.size()) return waiting.done({Verdict::refused, {}, "the payload is too large"});
    std::string access;
    {
      const std::lock_guard lock(mutex_);
      if (clock_.now() < access_until_) {
        access = access_;
      } else if (waiting_.size() >= kMaxWaiting) {
        return waiting.done({Verdict::later, {}, "too many wait for an access token"});
      } else {
        waiting_.push_back(std::move(waiting));
        if (waiting_.size() > 1) return;                 // somebody asks already
      }
    }
    if (access.empty()) ask_access();
    else deliver(std::move(waiting), access);
  }

 private:
  struct Waiting {
    std::string body;
    Done done;
  };

  void ask_access() {
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
    json::Writer claims;
    claims.object().field("iss", account_.email).field("scope", kScope).field("aud", account_.token_url).field("iat", static_cast<std::int64_t>(now));
    claims.field("exp", static_cast<std::int64_t>(now + std::chrono::duration_cast<std::chrono::seconds>(kAssertionLives).count())).end();
    outbound::Call call;
    call.url = account_.token_url;
    call.tenant = tenant_;
    call.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    call.body = "grant_type=" + text::percent_encode(kGrant) + "&assertion=" + account_.key.jwt({}, claims.take());
    client_.send(std::move(call), [me = shared_from_this()](const outbound::Answer& answer) { me->take_access(answer); });
  }

  void take_access(const outbound::Answer& answer) {
    Receipt receipt = judge(answer);
    std::string access;
    std::deque<Waiting> waiting;
    {
      const std::lock_guard lock(mutex_);
      if (receipt.verdict == Verdict::sent && !read_access(answer.body)) receipt = {Verdict::later, {}, "no access token in the answer"};
      access = access_;
      waiting.swap(waiting_);
    }
    for (auto& one : waiting) {
      if (receipt.verdict == Verdict::sent) deliver(std::move(one), access);
      else one.done(receipt);
    }
  }

  // Under the lock.
  bool read_access(const std::string& body) {
    try {
      const auto document = json::Document::parse(body);
      if (document.root().kind() != json::Kind::object) return false;
      const auto token = document.root().find("access_token");
      const auto lives = document.root().find("expires_in");
      if (!token || token->kind() != json::Kind::text || !lives || lives->kind() != json::Kind::integer) return false;
      access_ = token->text();
      access_until_ = clock_.now() + std::chrono::seconds(lives->integer()) - kSpare;
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  void deliver(Waiting waiting, const std::string& access) {
    outbound::Call call;
    call.url = base_url_ + "/v1/projects/" + text::percent_encode(account_.project) + "/messages:send";
    call.tenant = tenant_;
    call.headers = {{"Authorization", "Bearer " + access}, {"Content-Type", "application/json"}};
    call.body = std::move(waiting.body);
    client_.send(std::move(call), [me = shared_from_this(), done = std::move(waiting.done)](const outbound::Answer& answer) { done(me->receipt_of(answer)); });
  }

  Receipt receipt_of(const outbound::Answer& answer) {
    Receipt receipt = judge(answer);
    if (receipt.verdict == Verdict::refused && !error_code_in(answer.body).empty()) receipt.verdict = Verdict::gone;
    if (answer.status == 401) {                          // the access token was withdrawn: a new one next time
      receipt.verdict = Verdict::later;
      const std::lock_guard lock(mutex_);
      access_until_ = {};
    }
    return receipt;
  }

  const Account account_;
  const std::string base_url_, tenant_;
  outbound::Client& client_;
  const Clock& clock_;
  std::mutex mutex_;
  std::string access_;                                   // guarded by mutex_
  Timestamp access_until_;                               // guarded by mutex_
  std::deque<Waiting> waiting_;                          // guarded by mutex_; not empty: an access token is being asked for
};

}  // namespace

std::shared_ptr<Provider> make_fcm(const Fcm& settings, const std::string& tenant, outbound::Client& client, const Clock& clock) {
  return std::make_shared<FcmProvider>(read_account(settings.service_account), settings.base_url, tenant, client, clock);
}

}  // namespace chat::push
