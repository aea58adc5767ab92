#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <unordered_map>

#include "billing/metering.h"
#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/devices/devices.h"
#include "platform/chat/notifications/deliver.sql.h"
#include "platform/chat/notifications/notifications.h"
#include "platform/chat/notifications/notice.h"
#include "platform/chat/notifications/templates.h"
#include "platform/chat/reads/reads.h"

namespace chat::notifications {
namespace {

using push::Receipt;
using push::Verdict;

/// Waits between attempts; a provider that names a longer one is believed.
constexpr std::chrono::seconds kRoomAgain{2};                 // others have what is left on their way
constexpr std::array<std::chrono::seconds, Courier::kMaxAttempts - 1> kWaits{
    std::chrono::seconds(5),   std::chrono::seconds(20),   std::chrono::seconds(60),  std::chrono::seconds(300),
    std::chrono::seconds(900), std::chrono::seconds(3600), std::chrono::seconds(7200)};

void count(const char* outcome) {
  metrics::counter("chat_push_deliveries_total", "Ends of deliveries to devices: sent, dead, refused, gave_up, no_provider, no_device, stale, collapsed, over_limit.",
                   {{"outcome", outcome}}).add();
}

/// What becomes of one delivery.
struct End {
  const char* outcome = "sent";
  std::optional<Timestamp> again_at;           // it is tried again instead
};

End end_of(const Delivery& delivery, const Receipt& receipt, Timestamp now) {
  if (receipt.verdict == Verdict::sent) return {"sent", {}};
  if (receipt.verdict == Verdict::gone) return {"dead", {}};
  if (receipt.verdict == Verdict::refused) return {"refused", {}};
  if (delivery.attempts >= Courier::kMaxAttempts) return {"gave_up", {}};
  const auto wait = std::max(kWaits.at(static_cast<std::size_t>(std::max(delivery.attempts, 1)) - 1), receipt.retry_after.value_or(std::chrono::seconds(0)));
  if (now + wait > delivery.expires_at) return {"gave_up", {}};
  return {"later", now + wait};
}

}  // namespace

/// The deliveries of one application that were claimed together.
struct Batch {
  AppId app;
  Uuid worker;
  std::vector<Delivery> deliveries;
  std::vector<End> ends;                       // as many
  std::atomic<std::size_t> open{0};            // answers that are missing
  std::vector<std::size_t> ready;              // those that are handed over
  std::optional<Uuid> hold;                    // of the plan's limit, for these
};

struct Courier::State : std::enable_shared_from_this<Courier::State> {
  explicit State(const Notifying& given) : notifying(given) {}

  Notifying notifying;
  std::atomic<int> under_way{0};
  std::mutex mutex;
  std::vector<std::shared_ptr<Batch>> answered;     // guarded by mutex; to be kept

  std::shared_ptr<Batch> load(storage::Connection& connection, AppId app, const Uuid& worker);
  void choose(storage::Connection& connection, Batch& batch) const;
  void send(const std::shared_ptr<Batch>& batch);
  void take_answer(const std::shared_ptr<Batch>& batch, std::size_t at, const Receipt& receipt);
  void close(const std::shared_ptr<Batch>& batch);
  void keep(storage::Connection& connection);
  void keep(storage::Connection& connection, const Batch& batch);
};

namespace {

void fill_providers(storage::Transaction& tx, Senders& senders, std::vector<Delivery>& deliveries) {
  std::unordered_map<std::string, std::shared_ptr<push::Provider>> found;
  for (auto& delivery : deliveries) {
    if (delivery.token.empty()) continue;
    const auto key = delivery.provider + "/" + delivery.provider_name;
    if (!found.contains(key)) found[key] = senders.find(tx, delivery.provider, delivery.provider_name);
    delivery.wire = found[key];
  }
}

void fill_badges(storage::Transaction& tx, std::vector<Delivery>& deliveries) {
  std::set<std::string> users;
  for (const auto& delivery : deliveries)
    if (delivery.wire) users.insert(delivery.user_id);
  if (users.empty()) return;
  std::unordered_map<std::string, std::int64_t> badges;
  for (const auto& [user_id, sum] : reads::sum_unread(tx, {users.begin(), users.end()})) badges[user_id] = sum.unread;
  for (auto& delivery : deliveries) delivery.badge = badges[delivery.user_id];
}

/// Why it is not handed over; null: it is. Of a channel's new messages one device is told the newest.
const char* obstacle(const Delivery& delivery, std::set<std::string>& told) {
  if (delivery.token.empty()) return "no_device";
  if (!delivery.is_due) return "stale";
  if (!delivery.wire) return "no_provider";
  if (delivery.event != "message.new") return nullptr;
  return told.insert(delivery.user.text() + delivery.device_id + "\n" + collapse_key(delivery)).second ? nullptr : "collapsed";
}

bool was_handed_over(const End& end) {
  const std::string_view outcome = end.outcome;
  return !end.again_at && (outcome == "sent" || outcome == "dead" || outcome == "refused" || outcome == "gave_up");
}

/// For the customer's servers.
bus::Event ended_event(AppId app, const Delivery& delivery, const End& end, Timestamp now) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = app;
  event.type = std::string_view(end.outcome) == "sent" ? "push.sent" : "push.failed";
  event.reach = bus::Reach::application;
  event.channel = delivery.channel;
  event.cid = delivery.cid();
  event.user_id = delivery.user_id;            // whose erasure takes what waits to be delivered
  event.created_at = now;
  json::Writer data;
  data.object().field("user_id", delivery.user_id).field("device_id", delivery.device_id).field("provider", delivery.provider).field("event", delivery.event);
  if (delivery.event != "invite.created") data.field("message_id", delivery.message.wire());
  data.field("outcome", end.outcome).end();
  event.data = data.take();
  return event;
}

}  // namespace

std::shared_ptr<Batch> Courier::State::load(storage::Connection& connection, AppId app, const Uuid& worker) {
  auto batch = std::make_shared<Batch>();
  batch->app = app;
  batch->worker = worker;
  connection.transact(app, storage::Mode::read, [&](storage::Transaction& tx) {
    batch->deliveries.clear();
    auto rows = tx.query(sql::load_deliveries, app, worker);
    for (auto row : rows) batch->deliveries.push_back(read_delivery(row));
    fill_providers(tx, notifying.senders, batch->deliveries);
    fill_badges(tx, batch->deliveries);
    const auto templates = list_templates(tx);
    const std::string name(tx.query(sql::application_name, app)[0].text(0));
    for (auto& delivery : batch->deliveries)
      if (delivery.wire && delivery.is_due) delivery.notification = notice_of(delivery, templates, name);
  });
  batch->ends.resize(batch->deliveries.size());
  return batch;
}

/// Those that nothing speaks against, as far as the plan goes.
void Courier::State::choose(storage::Connection& connection, Batch& batch) const {
  std::set<std::string> told;
  for (std::size_t i = 0; i < batch.deliveries.size(); ++i) {
    if (const char* why = obstacle(batch.deliveries[i], told)) batch.ends[i] = {why, {}};
    else batch.ready.push_back(i);
  }
  if (batch.ready.empty() || !notifying.take) return;
  const auto taken = notifying.take(connection, batch.app, static_cast<std::int64_t>(batch.ready.size()));
  const auto given = static_cast<std::size_t>(taken.count);
  const auto end = taken.is_refused ? End{"over_limit", {}} : End{"later", notifying.clock.now() + kRoomAgain};
  for (std::size_t i = given; i < batch.ready.size(); ++i) batch.ends[batch.ready[i]] = end;
  batch.ready.resize(given);
  batch.hold = taken.hold;
}

void Courier::State::send(const std::shared_ptr<Batch>& batch) {
  const auto& ready = batch->ready;
  if (ready.empty()) return close(batch);
  under_way += static_cast<int>(ready.size());
  batch->open = ready.size();
  for (const auto i : ready) {
    const auto& delivery = batch->deliveries[i];
    delivery.wire->send(delivery.token, delivery.notification,
                        [me = shared_from_this(), batch, i](const Receipt& receipt) { me->take_answer(batch, i, receipt); });
  }
}

void Courier::State::take_answer(const std::shared_ptr<Batch>& batch, std::size_t at, const Receipt& receipt) {
  const auto& delivery = batch->deliveries[at];
  batch->ends[at] = end_of(delivery, receipt, notifying.clock.now());
  if (receipt.verdict == Verdict::refused)
    log::warn("push.refused", {{"app_id", batch->app.wire()}, {"provider", delivery.provider}, {"answer", receipt.detail.substr(0, receipt.detail.find(' '))}});
  --under_way;
  if (--batch->open == 0) close(batch);
}

/// Every answer is here. Kept at once if a worker is free, else with the next run.
void Courier::State::close(const std::shared_ptr<Batch>& batch) {
  {
    const std::lock_guard lock(mutex);
    answered.push_back(batch);
  }
  const bool taken = notifying.run([me = shared_from_this()](storage::Connection& connection) {
    try {
      me->keep(connection);
    } catch (const Error& error) {
      log::warn("push.answers_not_kept", {{"detail", error.what()}});
    }
  });
  if (!taken) log::debug("push.answers_wait", {});
}

void Courier::State::keep(storage::Connection& connection) {
  std::vector<std::shared_ptr<Batch>> batches;
  {
    const std::lock_guard lock(mutex);
    batches.swap(answered);
  }
  for (std::size_t i = 0; i < batches.size(); ++i) {
    try {
      keep(connection, *batches[i]);
    } catch (const Error&) {
      const std::lock_guard lock(mutex);
      answered.insert(answered.end(), batches.begin() + static_cast<std::ptrdiff_t>(i), batches.end());   // the next run tries again
      throw;
    }
  }
}

void Courier::State::keep(storage::Connection& connection, const Batch& batch) {
  const auto now = notifying.clock.now();
  connection.transact(batch.app, storage::Mode::write, [&](storage::Transaction& tx) {
    text::ArrayLiteral users, devices, messages, events, actors, sent;
    for (std::size_t i = 0; i < batch.deliveries.size(); ++i) {
      const auto& delivery = batch.deliveries[i];
      const auto& end = batch.ends[i];
      if (end.again_at) {
        tx.run(sql::postpone_delivery, tx.app(), batch.worker, delivery.user, delivery.device_id, delivery.message, delivery.event, delivery.actor,
               *end.again_at);
        continue;
      }
      users.add(delivery.user.text());
      devices.add(delivery.device_id);
      messages.add(delivery.message.text());
      events.add(delivery.event);
      actors.add(delivery.actor.text());
      sent.add(std::string_view(end.outcome) == "sent" ? "t" : "f");
      if (std::string_view(end.outcome) == "dead") devices::forget_dead(tx, delivery.user, delivery.device_id, delivery.token);
      if (notifying.tell && was_handed_over(end)) notifying.tell(tx, ended_event(batch.app, delivery, end, now));
    }
    tx.run(sql::end_deliveries, tx.app(), batch.worker, users.take(), devices.take(), messages.take(), events.take(), actors.take(), sent.take(),
           day_of(now));
    if (batch.hold) billing::end_hold(tx, *batch.hold);
  });
  const auto is_sent = [](const End& end) { return !end.again_at && std::string_view(end.outcome) == "sent"; };
  if (notifying.settle && !batch.ready.empty())
    notifying.settle(batch.app, static_cast<std::int64_t>(batch.ready.size()), std::count_if(batch.ends.begin(), batch.ends.end(), is_sent));
  static auto& later = metrics::counter("chat_push_postponed_total", "Deliveries that a provider could not take now; they are tried again.");
  static auto& seconds = metrics::histogram("chat_push_delay_seconds", "From the decision to notify a device until its provider took it.");
  for (std::size_t i = 0; i < batch.ends.size(); ++i) {
    if (batch.ends[i].again_at) {
      later.add();
      continue;
    }
    count(batch.ends[i].outcome);
    if (std::string_view(batch.ends[i].outcome) == "sent")
      seconds.observe(std::chrono::duration<double>(now - batch.deliveries[i].created_at).count());
  }
}

Courier::Courier(const Notifying& notifying) : state_(std::make_shared<State>(notifying)) {}

int Courier::deliver(storage::Connection& connection) {
  state_->keep(connection);
  const int room = kMaxUnderWay - state_->under_way;
  if (room <= 0) return 0;
  const auto now = state_->notifying.clock.now();
  const Uuid worker = new_uuid7(now);
  std::vector<AppId> applications;
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    applications.clear();
    auto rows = tx.query(sql::claim_push_deliveries, worker, now, now + kLease, kMaxEach, room);
    for (auto row : rows) applications.push_back(AppId{row.uuid(0)});
  });
  int handed = 0;
  for (const auto& app : applications) {
    const auto batch = state_->load(connection, app, worker);
    handed += static_cast<int>(batch->deliveries.size());
    state_->choose(connection, *batch);
    state_->send(batch);
  }
  return handed;
}

}  // namespace chat::notifications
