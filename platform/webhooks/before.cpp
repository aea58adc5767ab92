#include "platform/webhooks/before.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/webhooks/before.sql.h"

namespace chat::webhooks {
namespace {

constexpr std::size_t kMaxReasonBytes = 500, kMaxCustomBytes = 5 * 1024;

std::string context_of(AppId app) { return app.wire() + "/before_message_send"; }

std::string array_of(const std::vector<std::string>& values) {
  text::ArrayLiteral out;
  for (const auto& value : values) out.add(value);
  return out.take();
}

BeforeHook read_hook(const storage::Row& row) {
  return {std::string(row.text(0)), row.integer(1), std::string(row.text(2)), text::parse_array_literal(row.text(3)), row.time(5), row.time(6)};
}

std::optional<webhook::Key> open_key(AppId app, const crypto::Sealer& sealer, const storage::Row& row) {
  const auto text = sealer.open(row.bytes(4), context_of(app));
  if (!text) log::error("webhook.key_unreadable", {{"app_id", app.wire()}});
  return text ? webhook::parse_key(*text) : std::nullopt;
}

void count(const char* verdict) {
  metrics::counter("chat_webhook_before_total", "Messages that the customer's server was asked about, by what it said.", {{"verdict", verdict}}).add();
}
const char* word(Judgement::Kind kind) {
  switch (kind) {
    case Judgement::Kind::allow: return "allow";
    case Judgement::Kind::change: return "change";
    case Judgement::Kind::reject: return "reject";
    case Judgement::Kind::hold: return "hold";
    case Judgement::Kind::unknown: return "failed";
  }
  return "failed";
}

Judgement by_policy(const std::string& on_failure) {
  if (on_failure == "reject") return {Judgement::Kind::reject, "This message could not be checked; try again later.", {}, {}};
  return {on_failure == "hold" ? Judgement::Kind::hold : Judgement::Kind::allow, {}, {}, {}};
}

std::optional<Judgement> read_action(const json::Value& root) {
  json::Fields body(root);
  Judgement judgement;
  const auto action = body.word("action", {"allow", "change", "reject", "hold"});
  judgement.reason = body.find_text("reason", {.min_bytes = 1, .max_bytes = kMaxReasonBytes}).value_or("This message was not accepted.");
  if (const auto message = body.find_object("message")) {
    json::Fields fields(*message, "#/message");
    judgement.text = fields.find_text("text", {.max_bytes = kMaxAnswerBytes});
    judgement.custom = fields.find_raw_object("custom", kMaxCustomBytes);
    body.absorb(fields);
  }
  if (!body.ok()) return std::nullopt;
  judgement.kind = action == "allow" ? Judgement::Kind::allow : action == "change" ? Judgement::Kind::change
                   : action == "reject" ? Judgement::Kind::reject : Judgement::Kind::hold;
  if (judgement.kind == Judgement::Kind::change && !judgement.text && !judgement.custom) return std::nullopt;
  return judgement;
}

}  // namespace

std::string before_hook_json(const BeforeHook& hook) {
  json::Writer out;
  out.object().field("url", hook.url).field("timeout_ms", hook.timeout_ms).field("on_failure", hook.on_failure).key("channel_types").array();
  for (const auto& type : hook.channel_types) out.text(type);
  out.end().key("created_at").time(hook.created_at).key("updated_at").time(hook.updated_at).end();
  return out.take();
}

SavedHook save_before_hook(storage::Transaction& tx, const Keeper& keeper, const BeforeHook& hook, bool new_secret, Timestamp now) {
  lock_endpoints(tx);
  SavedHook saved;
  const auto rows = tx.find(sql::find_before_hook, tx.app());
  saved.created = !rows;
  auto key = rows && !new_secret ? open_key(tx.app(), keeper.sealer, (*rows)[0]) : std::nullopt;
  if (!key) {
    key = webhook::make_key(webhook::Scheme::v1);
    saved.secret = key->text();
  }
  tx.run(sql::save_before_hook, tx.app(), hook.url, hook.timeout_ms, hook.on_failure, array_of(hook.channel_types),
         crypto::hex(keeper.sealer.seal(key->text(), context_of(tx.app()))), now);
  announce_subscriptions(tx, keeper);
  saved.hook = get_before_hook(tx);
  return saved;
}

std::optional<BeforeHook> find_before_hook(storage::Transaction& tx) {
  const auto rows = tx.find(sql::find_before_hook, tx.app());
  return rows ? std::optional<BeforeHook>(read_hook((*rows)[0])) : std::nullopt;
}

BeforeHook get_before_hook(storage::Transaction& tx) {
  auto hook = find_before_hook(tx);
  if (!hook) throw not_found("hook before messages are sent");
  return std::move(*hook);
}

void delete_before_hook(storage::Transaction& tx, const Keeper& keeper) {
  lock_endpoints(tx);
  if (tx.run(sql::delete_before_hook, tx.app()) == 0) throw not_found("hook before messages are sent");
  announce_subscriptions(tx, keeper);
}

std::optional<Judgement> read_judgement(const outbound::Answer& answer) {
  const bool is_fine = answer.outcome == outbound::Outcome::answered && answer.status >= 200 && answer.status < 300 && !answer.is_cut;
  if (!is_fine) return std::nullopt;
  if (text::trim(answer.body).empty()) return Judgement{};
  try {
    const auto document = json::Document::parse(answer.body);
    return read_action(document.root());
  } catch (const Error&) {                     // no JSON
    return std::nullopt;
  }
}

void BeforeSend::forget(AppId app) {
  const std::lock_guard lock(mutex_);
  kept_.erase(app);
}

std::shared_ptr<BeforeSend::Kept> BeforeSend::find(AppId app) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(app);
  const bool is_fresh = found != kept_.end() && found->second && clock_.now() - found->second->loaded_at < kFresh;
  return is_fresh ? found->second : nullptr;
}

void BeforeSend::load(storage::Connection& connection, AppId app) {
  auto kept = std::make_shared<Kept>();
  bool is_there = false;
  connection.transact(app, storage::Mode::read, [&](storage::Transaction& tx) {
    is_there = false;
    const auto rows = tx.find(sql::find_before_hook, app);
    if (!rows) return;
    kept->hook = read_hook((*rows)[0]);
    kept->key = open_key(app, sealer_, (*rows)[0]);
    is_there = true;
  });
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= kMaxKept && !kept_.contains(app)) kept_.erase(kept_.begin());
  if (const auto before = kept_.find(app); before != kept_.end() && before->second && is_there) kept->breaker.take_over(before->second->breaker);
  kept->loaded_at = clock_.now();
  if (is_there) kept_[app] = kept;
  else kept_.erase(app);
}

void BeforeSend::ask(AppId app, const std::string& channel_type, const std::string& cid, const std::string& message, Then then) {
  if (const auto kept = find(app)) return ask(kept, app, channel_type, cid, message, then);
  const bool taken = run_([this, app, channel_type, cid, message, then](storage::Connection& connection) {
    try {
      load(connection, app);
    } catch (const Error&) {
      return then({Judgement::Kind::unknown, {}, {}, {}});
    }
    if (const auto kept = find(app)) ask(kept, app, channel_type, cid, message, then);
    else then({});                             // deleted meanwhile
  });
  if (!taken) then({Judgement::Kind::unknown, {}, {}, {}});
}

void BeforeSend::ask(const std::shared_ptr<Kept>& kept, AppId app, const std::string& channel_type, const std::string& cid,
                     const std::string& message, const Then& then) {
  const auto now = clock_.now();
  const auto& hook = kept->hook;
  if (!hook.channel_types.empty() && std::ranges::find(hook.channel_types, channel_type) == hook.channel_types.end()) return then({});
  if (!kept->key || kept->breaker.is_closed(now)) {
    count(kept->key ? "closed" : "failed");
    return then(by_policy(hook.on_failure));
  }
  webhooks::ask(client_, {app, kBeforeSend, cid, "{\"message\":" + message + "}", hook.url, std::chrono::milliseconds(hook.timeout_ms)}, *kept->key, now,
                [this, kept, then](const outbound::Answer& answer) { then(conclude(kept, answer)); });
}

Judgement BeforeSend::conclude(const std::shared_ptr<Kept>& kept, const outbound::Answer& answer) {
  const auto judgement = read_judgement(answer);
  count(judgement ? word(judgement->kind) : "failed");
  kept->breaker.note(answer, judgement.has_value(), clock_.now());
  return judgement ? *judgement : by_policy(kept->hook.on_failure);
}

}  // namespace chat::webhooks
