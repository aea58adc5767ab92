#include "platform/webhooks/courier.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <span>
#include <thread>
#include <tuple>
#include <unordered_map>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/base/thread.h"
#include "platform/webhooks/call.h"
#include "platform/webhooks/courier.sql.h"
#include "platform/webhooks/flow.h"

namespace chat::webhooks {
namespace {

using Steady = std::chrono::steady_clock;
using storage::Mode;
using storage::Transaction;

constexpr int kFannedEach = 500, kFanned = 2'000, kVisits = 500;
constexpr std::size_t kWrittenEvents = 1'000, kWrittenBytes = 4 * 1024 * 1024;   // in one statement
constexpr std::chrono::seconds kAfterFailure{1}, kPatience{2};

struct Measures {
  metrics::Histogram& delay = metrics::histogram("chat_webhook_delay_seconds", "From an event to the first attempt to deliver it.", {},
                                                 {0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60});
  metrics::Histogram& seconds = metrics::histogram("chat_webhook_seconds", "Time of one attempt to deliver a webhook.");
  metrics::Gauge& in_flight = metrics::gauge("chat_webhook_in_flight", "Webhook calls under way.");
  metrics::Counter& fanned = metrics::counter("chat_webhook_events_total", "Events taken from the outbox.");
  static metrics::Counter& attempts(const std::string& outcome) {
    return metrics::counter("chat_webhook_attempts_total", "Attempts to deliver webhooks, by how they ended.", {{"outcome", outcome}});
  }
};
Measures& measures() {
  static Measures all;
  return all;
}

void end_claims(Transaction& tx, const Uuid& worker, Timestamp now, const Ends::Lists& l) {
  tx.query(sql::end_claims, worker, now, l[0], l[1], l[2], l[3], l[4], l[5], l[6], l[7], l[8], l[9], l[10], l[11], l[12]);
}

/// How many of the calls are written down together: their answers are as long as strangers made them.
std::size_t count_together(std::span<const Call> calls) {
  std::size_t events = 0, bytes = 0, together = 0;
  for (; together < calls.size() && events < kWrittenEvents && bytes < kWrittenBytes; ++together) {
    const auto& call = calls[together];
    events += call.items.size();
    bytes += call.answer.body.size();
    for (const auto& [name, value] : call.answer.headers) bytes += name.size() + value.size();
  }
  return together;
}

std::string detail_of(const Error& error) { return error.log_detail().empty() ? error.what() : error.log_detail(); }

/// Tests and replays that fail say nothing of the endpoint's health.
bool is_of_events(const Call& call) {
  return std::ranges::any_of(call.items, [](const Item& item) { return item.trigger == "event"; });
}

struct Tally {
  AppId app;
  int succeeded = 0, failed = 0;
  bool gone = false;
};

/// What a customer is yet to hear of an endpoint.
struct Told {
  AppId app;
  EndpointId endpoint;
  std::string state, reason;
  std::int64_t warned = 0;
  std::optional<Timestamp> failing_since;
};

}  // namespace

struct Courier::State : std::enable_shared_from_this<Courier::State> {
  explicit State(Delivering given) : to(std::move(given)), connection(to.database), worker(new_uuid7(to.clock.now())) {}

  Delivering to;
  storage::Connection connection;
  const Uuid worker;
  Uuid after_app, after_endpoint;              // where the last claim stopped; nil: at the end
  bool found = false;                          // in this walk over the endpoints
  Uuid fanned_app;                             // where the last walk over the outbox ended
  Flows flows;
  std::unordered_map<std::string, Call> in_flight;   // by its key
  std::minstd_rand random{std::random_device{}()};
  Steady::time_point renewed_at = Steady::now();
  std::vector<Told> untold;

  std::atomic<bool> woken{false};
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Call> answered;                  // guarded by mutex
  bool stopping = false;                       // guarded by mutex
  std::thread thread;

  void run();
  bool turn(bool claims);
  bool write_down();
  std::vector<Judged> write_down(std::span<const Call> calls, Timestamp now);
  std::map<Uuid, Tally> count(std::span<const Call> calls, const std::vector<Judged>& ends);
  void note(const std::map<Uuid, Tally>& tallies);
  void tell();
  int fan_out();
  std::vector<Claimed> claim();
  void renew();
  void send(AppId app, std::vector<Claimed> claimed);
  void send(const Wire& wire, const std::vector<Claimed>& claimed);
  void end_at_once(const std::vector<Claimed>& gone);
  void take_answer(Call call);
};

void Courier::State::run() {
  name_this_thread("webhooks");
  auto until = Steady::time_point::max();
  while (true) {
    bool worked = false;
    bool failed = false;
    const bool ends = until != Steady::time_point::max();
    woken = false;
    try {
      worked = turn(!ends);
    } catch (const Error& error) {
      log::warn("webhooks.turn_failed", {{"detail", detail_of(error)}});
      failed = true;
    }
    std::unique_lock lock(mutex);
    if (stopping && !ends) until = Steady::now() + kPatience;
    if (ends && ((in_flight.empty() && answered.empty()) || Steady::now() > until)) return;
    const auto is_asked = [&] { return !answered.empty() || (stopping && !ends); };
    if (failed) changed.wait_for(lock, kAfterFailure, [&] { return stopping && !ends; });
    else if (!worked && !changed.wait_for(lock, kRest, is_asked)) changed.wait_for(lock, ends ? kRest : kIdle, [&] { return woken || is_asked(); });
  }
}

/// Whether there may be more to do at once.
bool Courier::State::turn(bool claims) {
  tell();
  bool worked = write_down();
  renew();
  if (!claims) return worked;
  const int fanned = fan_out();
  std::map<AppId, std::vector<Claimed>> by_app;
  for (auto& one : claim()) by_app[one.app].push_back(std::move(one));
  found = found || !by_app.empty();
  const bool is_over = after_app.is_nil();
  for (auto& [app, claimed] : by_app) {
    try {
      send(app, std::move(claimed));
    } catch (const Error& error) {             // of this application alone: its events come again after their lease
      log::warn("webhooks.send_failed", {{"app_id", app.wire()}, {"detail", detail_of(error)}});
    }
  }
  worked = worked || fanned > 0 || (flows.room() > 0 && (!is_over || found));
  if (is_over) found = false;
  measures().in_flight.set(static_cast<double>(in_flight.size()));
  return worked;
}

int Courier::State::fan_out() {
  std::int64_t fanned = 0;
  Uuid last;
  connection.transact(AppId{}, Mode::write, [&](Transaction& tx) {
    const auto rows = tx.query(sql::fan_out, kFannedEach, kFanned, fanned_app);
    fanned = rows[0].integer(0);
    last = rows[0].uuid(1);
  });
  fanned_app = last;
  measures().fanned.add(static_cast<double>(fanned));
  return static_cast<int>(fanned);
}

std::vector<Claimed> Courier::State::claim() {
  std::vector<Claimed> claimed;
  const auto room = std::min<std::int64_t>(flows.room(), kMaxClaimed);
  if (room == 0) return claimed;
  const auto now = to.clock.now();
  json::Writer rooms;
  rooms.object();
  flows.each_room(now, [&](const Uuid& id, std::int64_t more) { rooms.field(id.text(), more); });
  const auto room_list = rooms.end().take();
  std::optional<std::pair<Uuid, Uuid>> stopped;
  connection.transact(AppId{}, Mode::write, [&](Transaction& tx) {
    claimed.clear();
    stopped.reset();
    auto rows = tx.query(sql::claim, worker, now, now + kLease, after_app, after_endpoint, room_list, Flows::kFirst, flows.room_of_new(), room, kVisits);
    for (auto row : rows) {
      if (row.optional_uuid(2)) claimed.push_back(read_claimed(row));
      else stopped = {row.uuid(0), row.uuid(1)};
    }
  });
  std::tie(after_app, after_endpoint) = stopped.value_or(std::pair<Uuid, Uuid>{});
  return claimed;
}

/// One read for all that was claimed of an application; nothing is open when the calls begin.
void Courier::State::send(AppId app, std::vector<Claimed> claimed) {
  std::vector<EndpointId> endpoints;
  for (const auto& one : claimed)
    if (std::ranges::find(endpoints, one.endpoint) == endpoints.end()) endpoints.push_back(one.endpoint);
  std::vector<Kept> kept;
  std::unordered_map<Uuid, Wire> wires;
  connection.transact(app, Mode::read, [&](Transaction& tx) {
    wires.clear();
    kept.clear();
    for (const auto& one : claimed) kept.push_back(one.kept);
    for (auto& [id, wire] : load_wires(tx, to.sealer, endpoints, to.clock.now())) wires[id.uuid] = std::move(wire);
    to.load(tx, kept);
  });
  std::map<Uuid, std::vector<Claimed>> by_endpoint;
  std::vector<Claimed> gone;
  for (std::size_t i = 0; i < claimed.size(); ++i) {
    claimed[i].kept = std::move(kept[i]);
    if (claimed[i].trigger == "test") take_example(claimed[i].kept.event);
    if (claimed[i].kept.is_gone) gone.push_back(std::move(claimed[i]));
    else by_endpoint[claimed[i].endpoint.uuid].push_back(std::move(claimed[i]));
  }
  if (!gone.empty()) end_at_once(gone);
  for (const auto& [endpoint, of_it] : by_endpoint)
    if (const auto wire = wires.find(endpoint); wire != wires.end()) send(wire->second, of_it);
  // else paused, disabled or deleted since it was claimed: the lease ends, and the next claim sees it
}

void Courier::State::send(const Wire& wire, const std::vector<Claimed>& claimed) {
  const auto now = to.clock.now();
  for (auto& [call, body] : pack(wire, claimed, now)) {
    for (const auto& item : call.items)
      if (item.attempts == 0 && item.trigger == "event") measures().delay.observe(std::chrono::duration<double>(now - item.event_at).count());
    call.bytes = static_cast<std::int64_t>(body.size());
    flows.began(call.app, call.endpoint.uuid, {wire.max_in_flight, wire.max_per_second}, now, call.bytes);
    in_flight.insert_or_assign(call.key(), call);
    if (!wire.is_readable) {
      call.fault = kKeyUnreadable;
      take_answer(std::move(call));
      continue;
    }
    auto request = request_of(wire, call, std::move(body));
    to.client.send(std::move(request), [me = shared_from_this(), call = std::move(call)](outbound::Answer answer) mutable {
      call.answer = std::move(answer);
      me->take_answer(std::move(call));
    });
  }
}

/// What they told of is no longer stored.
void Courier::State::end_at_once(const std::vector<Claimed>& gone) {
  const auto now = to.clock.now();
  Ends e;
  for (const auto& one : gone) {
    const auto& event = one.kept.event;
    const Call call{one.app, one.endpoint, event.id, {{event.id, one.trigger, event.created_at, one.attempts}}, {}, now, {}, {}, 0};
    e.add(call, call.items[0], {"skipped", std::nullopt, true, "event_gone", Health::same});
  }
  const auto lists = e.take();
  connection.transact(AppId{}, Mode::write, [&](Transaction& tx) { end_claims(tx, worker, now, lists); });
}

/// On the client's thread, but for calls that nobody made.
void Courier::State::take_answer(Call call) {
  const std::lock_guard lock(mutex);
  answered.push_back(std::move(call));
  if (answered.size() == 1) changed.notify_one();
}

bool Courier::State::write_down() {
  std::vector<Call> calls;
  {
    const std::lock_guard lock(mutex);
    calls.swap(answered);
  }
  if (calls.empty()) return false;
  std::size_t done = 0;
  try {
    while (done < calls.size()) {
      const auto rest = std::span<const Call>(calls).subspan(done);
      const auto together = rest.first(count_together(rest));
      const auto ends = write_down(together, to.clock.now());
      done += together.size();
      note(count(together, ends));
    }
  } catch (const Error&) {                     // written down when the database is back, or called again after their leases
    for (; done < calls.size(); ++done) take_answer(std::move(calls[done]));
    throw;
  }
  return true;
}

/// Returns: how each call ended. Those of its events are alike but for when it comes again.
std::vector<Judged> Courier::State::write_down(std::span<const Call> calls, Timestamp now) {
  Ends e;
  std::vector<Judged> ends;
  for (const auto& call : calls) {
    const double luck = std::uniform_real_distribution<double>(0, 1)(random);   // one: what came together comes back together
    for (const auto& item : call.items) {
      auto judged = judge({item.attempts, call.schedule, item.trigger == "test", call.fault}, call.answer, now, luck);
      e.add(call, item, judged);
      if (&item == &call.items.back()) ends.push_back(std::move(judged));
    }
  }
  const auto lists = e.take();
  connection.transact(AppId{}, Mode::write, [&](Transaction& tx) { end_claims(tx, worker, now, lists); });
  return ends;
}

std::map<Uuid, Tally> Courier::State::count(std::span<const Call> calls, const std::vector<Judged>& ends) {
  std::map<Uuid, Tally> tallies;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto& call = calls[i];
    const auto health = ends[i].health;
    in_flight.erase(call.key());
    flows.ended(call.app, call.endpoint.uuid, health == Health::good, health != Health::same, call.bytes);
    if (!ends[i].outcome.empty()) Measures::attempts(ends[i].outcome).add();
    measures().seconds.observe(std::chrono::duration<double>(call.answer.duration).count());
    auto& tally = tallies[call.endpoint.uuid];
    tally.app = call.app;
    tally.succeeded += health == Health::good ? 1 : 0;
    tally.failed += health == Health::bad && is_of_events(call) ? 1 : 0;
    tally.gone = tally.gone || health == Health::gone;
  }
  return tallies;
}

void Courier::State::note(const std::map<Uuid, Tally>& tallies) {
  text::ArrayLiteral apps, endpoints, succeeded, failed, gone;
  for (const auto& [endpoint, tally] : tallies) {
    apps.add(tally.app.text());
    endpoints.add(endpoint.text());
    succeeded.add(std::to_string(tally.succeeded));
    failed.add(std::to_string(tally.failed));
    gone.add(tally.gone ? "t" : "f");
  }
  const auto app_list = apps.take(), endpoint_list = endpoints.take(), succeeded_list = succeeded.take(), failed_list = failed.take(),
             gone_list = gone.take();
  const auto now = to.clock.now();
  std::vector<Told> told;
  connection.transact(AppId{}, Mode::write, [&](Transaction& tx) {
    told.clear();
    auto rows = tx.query(sql::note_endpoints, now, app_list, endpoint_list, succeeded_list, failed_list, gone_list);
    for (auto row : rows)
      told.push_back({AppId{row.uuid(0)}, EndpointId{row.uuid(1)}, std::string(row.text(2)), row.optional_text(3).value_or(""), row.integer(4),
                      row.optional_time(5)});
  });
  untold.insert(untold.end(), told.begin(), told.end());
  tell();
}

/// Errors:  unavailable; then they are told with the next turn
void Courier::State::tell() {
  for (; !untold.empty(); untold.pop_back()) {
    const auto& one = untold.back();
    const bool ended = one.state == "disabled";
    const char* type = ended ? "webhook.endpoint_disabled" : "webhook.endpoint_failing";
    json::Writer data;
    data.object().field("endpoint_id", one.endpoint.wire());
    if (ended) data.field("reason", one.reason);
    else data.field("percent", one.warned);
    data.optional_time("failing_since", one.failing_since).end();
    const std::string text = data.take();
    log::warn(type, {{"app_id", one.app.wire()}, {"endpoint", one.endpoint.wire()}});
    try {
      connection.transact(one.app, Mode::write, [&](Transaction& tx) { enqueue(tx, to.bus, type, text, to.clock.now()); });
    } catch (const Error& error) {
      if (error.code() == Code::unavailable) throw;
      log::error("webhooks.endpoint_untold", {{"app_id", one.app.wire()}, {"detail", detail_of(error)}});
    }
  }
}

void Courier::State::renew() {
  if (in_flight.empty() || Steady::now() - renewed_at < kRenewed) return;
  renewed_at = Steady::now();
  text::ArrayLiteral apps, endpoints, events;
  for (const auto& [key, call] : in_flight) {
    for (const auto& item : call.items) {
      apps.add(call.app.text());
      endpoints.add(call.endpoint.text());
      events.add(item.event.text());
    }
  }
  const auto app_list = apps.take(), endpoint_list = endpoints.take(), event_list = events.take();
  connection.transact(AppId{}, Mode::write, [&](Transaction& tx) {
    tx.query(sql::renew, worker, to.clock.now() + kLease, app_list, endpoint_list, event_list);
  });
}

Courier::Courier(Delivering delivering) : state_(std::make_shared<State>(std::move(delivering))) {}
Courier::~Courier() { stop(); }

void Courier::start() {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

void Courier::wake() {
  if (state_->woken.exchange(true)) return;
  const std::lock_guard lock(state_->mutex);
  state_->changed.notify_one();
}

void Courier::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_one();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace chat::webhooks
