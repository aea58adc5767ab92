#include "platform/webhooks/courier.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <unordered_map>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/base/thread.h"
#include "platform/webhooks/attempt.h"
#include "platform/webhooks/courier.sql.h"
#include "platform/webhooks/deliveries.h"
#include "platform/webhooks/endpoints.h"
#include "platform/webhooks/flow.h"

namespace chat::webhooks {
namespace {

using Steady = std::chrono::steady_clock;
using storage::Mode;
using storage::Transaction;

constexpr int kFannedEach = 500, kFanned = 2'000;
constexpr std::chrono::seconds kAfterFailure{1}, kPatience{2};

struct Claimed {
  AppId app;
  EndpointId endpoint;
  Kept kept;
  std::int64_t attempts = 0;
  std::string trigger;
};

/// One call and its end.
struct Call {
  AppId app;
  EndpointId endpoint;
  EventId event;
  std::string trigger;
  Timestamp event_at, started_at;
  Tried tried;
  outbound::Answer answer;
};

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

Claimed read_claimed(const storage::Row& row) {
  Claimed claimed;
  claimed.app = AppId{row.uuid(0)};
  claimed.endpoint = EndpointId{row.uuid(1)};
  auto& event = claimed.kept.event;
  event.id = EventId{row.uuid(2)};
  event.app = claimed.app;
  event.type = row.text(3);
  if (const auto channel = row.optional_uuid(4)) event.channel = ChannelId{*channel};
  event.seq = row.optional_integer(5).value_or(0);
  if (const auto message = row.optional_uuid(6)) claimed.kept.message = MessageId{*message};
  event.user_id = row.optional_text(7).value_or("");
  event.data = row.optional_text(8).value_or("");
  event.created_at = row.time(9);
  claimed.attempts = row.integer(10);
  claimed.trigger = row.text(11);
  return claimed;
}

/// A test's body is a whole frame, made up: all of it but its id and time is taken over.
void take_example(bus::Event& event) {
  const auto document = json::Document::parse(event.data);
  const auto& frame = document.root();
  if (const auto cid = frame.find("cid")) event.cid = cid->text();
  if (const auto seq = frame.find("seq")) event.seq = seq->integer();
  if (const auto epoch = frame.find("epoch")) event.epoch = epoch->text();
  const auto data = frame.find("data");
  event.data = data ? data->raw() : "{}";
}

outbound::Call call_of(const Wire& wire, const bus::Event& event, Timestamp now) {
  outbound::Call call;
  call.url = wire.url;
  call.body = bus::render(event, true);
  call.tenant = event.app.wire();
  call.timeout = wire.timeout;
  call.max_body_bytes = kMaxKeptBody;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  std::string signatures;
  for (const auto& key : wire.keys)
    signatures += (signatures.empty() ? "" : " ") + webhook::sign(key, event.id.wire(), seconds, call.body);
  call.headers = wire.headers;
  call.headers.emplace_back("content-type", "application/json");
  call.headers.emplace_back("webhook-id", event.id.wire());
  call.headers.emplace_back("webhook-timestamp", std::to_string(seconds));
  call.headers.emplace_back("webhook-signature", signatures);
  return call;
}

std::string headers_json(const outbound::Headers& headers) {
  json::Writer out;
  out.object();
  std::map<std::string, std::string> once;     // a name twice: its values joined
  for (const auto& [name, value] : headers) {
    auto& held = once[clean_text(name)];
    held += (held.empty() ? "" : ", ") + clean_text(value);
  }
  for (const auto& [name, value] : once) out.field(name, value);
  return out.end().take();
}

/// The arrays of end_claims.
struct Ends {
  text::ArrayLiteral apps, endpoints, events, states, agains, tries, outcomes, statuses, durations, started, headers, bodies, cuts;

  void add(const Call& call, const Judged& judged) {
    apps.add(call.app.text());
    endpoints.add(call.endpoint.text());
    events.add(call.event.text());
    states.add(judged.state);
    if (judged.again) agains.add(format_time(*judged.again));
    else agains.add_null();
    tries.add(judged.is_try ? "t" : "f");
    outcomes.add(judged.outcome);
    if (call.answer.status != 0) statuses.add(std::to_string(call.answer.status));
    else statuses.add_null();
    durations.add(std::to_string(call.answer.duration.count()));
    started.add(format_time(call.started_at));
    headers.add(headers_json(call.answer.headers));
    bodies.add(clean_text(call.answer.body));
    cuts.add(call.answer.is_cut ? "t" : "f");
  }
  using Lists = std::array<std::string, 13>;
  Lists take() {
    return {apps.take(),     endpoints.take(), events.take(),  states.take(),  agains.take(), tries.take(), outcomes.take(),
            statuses.take(), durations.take(), started.take(), headers.take(), bodies.take(), cuts.take()};
  }
};

void end_claims(Transaction& tx, const Uuid& worker, Timestamp now, const Ends::Lists& l) {
  tx.query(sql::end_claims, worker, now, l[0], l[1], l[2], l[3], l[4], l[5], l[6], l[7], l[8], l[9], l[10], l[11], l[12]);
}

struct Tally {
  AppId app;
  int succeeded = 0, failed = 0;
  bool gone = false;
};

}  // namespace

struct Courier::State : std::enable_shared_from_this<Courier::State> {
  explicit State(Delivering given) : to(std::move(given)), connection(to.database), worker(new_uuid7(to.clock.now())) {}

  Delivering to;
  storage::Connection connection;
  const Uuid worker;
  Uuid after_app, after_endpoint;              // where the last claim ended
  Uuid fanned_app;                             // where the last walk over the outbox ended
  Flows flows;
  std::unordered_map<std::string, Call> in_flight;   // by event and endpoint
  std::minstd_rand random{std::random_device{}()};
  Steady::time_point renewed_at = Steady::now();

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Call> answered;                  // guarded by mutex
  bool stopping = false;                       // guarded by mutex
  std::thread thread;

  void run();
  bool turn(bool claims);
  bool write_down();
  std::map<Uuid, Tally> count(const std::vector<Call>& calls, const std::vector<Judged>& ends);
  void note(const std::map<Uuid, Tally>& tallies);
  int fan_out();
  std::vector<Claimed> claim();
  void renew();
  void send(AppId app, std::vector<Claimed> claimed);
  void send(const Wire& wire, const Claimed& claimed);
  void end_at_once(const Claimed& claimed, const std::string& outcome);
  void take_answer(Call call);
};

void Courier::State::run() {
  name_this_thread("webhooks");
  auto until = Steady::time_point::max();
  while (true) {
    bool worked = false;
    bool failed = false;
    const bool ends = until != Steady::time_point::max();
    try {
      worked = turn(!ends);
    } catch (const Error& error) {
      log::warn("webhooks.turn_failed", {{"detail", error.log_detail().empty() ? error.what() : error.log_detail()}});
      failed = true;
    }
    std::unique_lock lock(mutex);
    if (stopping && !ends) until = Steady::now() + kPatience;
    if (ends && ((in_flight.empty() && answered.empty()) || Steady::now() > until)) return;
    if (failed) changed.wait_for(lock, kAfterFailure, [&] { return stopping && !ends; });
    else if (!worked) changed.wait_for(lock, kIdle, [&] { return !answered.empty() || (stopping && !ends); });
  }
}

bool Courier::State::turn(bool claims) {
  bool worked = write_down();
  renew();
  if (!claims) return worked;
  const int fanned = fan_out();
  std::map<AppId, std::vector<Claimed>> by_app;
  for (auto& one : claim()) by_app[one.app].push_back(std::move(one));
  worked = worked || fanned > 0 || !by_app.empty();
  for (auto& [app, claimed] : by_app) send(app, std::move(claimed));
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
  const int room = std::min(kMaxInFlight - static_cast<int>(in_flight.size()), kMaxClaimed);
  if (room <= 0) return claimed;
  const auto now = to.clock.now();
  text::ArrayLiteral busy, rooms;
  flows.each_room(now, [&](const Uuid& endpoint, std::int64_t more) {
    busy.add(endpoint.text());
    rooms.add(std::to_string(more));
  });
  const auto busy_list = busy.take(), room_list = rooms.take();
  connection.transact(AppId{}, Mode::write, [&](Transaction& tx) {
    claimed.clear();
    auto rows = tx.query(sql::claim, worker, now, now + kLease, after_app, after_endpoint, busy_list, room_list, kFirst, room);
    for (auto row : rows) claimed.push_back(read_claimed(row));
  });
  if (!claimed.empty()) {
    after_app = claimed.back().app.uuid;
    after_endpoint = claimed.back().endpoint.uuid;
  }
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
  for (std::size_t i = 0; i < claimed.size(); ++i) {
    claimed[i].kept = std::move(kept[i]);
    if (claimed[i].trigger == "test") take_example(claimed[i].kept.event);
    const auto wire = wires.find(claimed[i].endpoint.uuid);
    if (claimed[i].kept.is_gone) end_at_once(claimed[i], "event_gone");
    else if (wire != wires.end()) send(wire->second, claimed[i]);
    // else paused, disabled or deleted since it was claimed: the lease ends, and the next claim sees it
  }
}

void Courier::State::send(const Wire& wire, const Claimed& claimed) {
  const auto now = to.clock.now();
  const auto& event = claimed.kept.event;
  Call call{claimed.app, claimed.endpoint, event.id, claimed.trigger, event.created_at, now,
            {claimed.attempts, wire.schedule, claimed.trigger == "test"}, {}};
  if (claimed.attempts == 0 && claimed.trigger == "event")
    measures().delay.observe(std::chrono::duration<double>(now - event.created_at).count());
  flows.began(claimed.endpoint.uuid, {wire.max_in_flight, wire.max_per_second}, now);
  in_flight.insert_or_assign(event.id.text() + claimed.endpoint.text(), call);
  to.client.send(call_of(wire, event, now), [me = shared_from_this(), call = std::move(call)](outbound::Answer answer) mutable {
    call.answer = std::move(answer);
    me->take_answer(std::move(call));
  });
}

void Courier::State::end_at_once(const Claimed& claimed, const std::string& outcome) {
  const Call call{claimed.app, claimed.endpoint, claimed.kept.event.id, claimed.trigger, claimed.kept.event.created_at, to.clock.now(), {}, {}};
  Ends e;
  e.add(call, {"skipped", std::nullopt, true, outcome, Health::same});
  const auto lists = e.take();
  connection.transact(AppId{}, Mode::write, [&](Transaction& tx) { end_claims(tx, worker, to.clock.now(), lists); });
}

/// On the client's thread.
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
  const auto now = to.clock.now();
  Ends e;
  std::vector<Judged> ends;
  for (const auto& call : calls) {
    ends.push_back(judge(call.tried, call.answer, now, std::uniform_real_distribution<double>(0, 1)(random)));
    e.add(call, ends.back());
  }
  const auto lists = e.take();
  try {
    connection.transact(AppId{}, Mode::write, [&](Transaction& tx) { end_claims(tx, worker, now, lists); });
  } catch (const Error&) {                     // written down when the database is back, or called again after their leases
    for (auto& call : calls) take_answer(std::move(call));
    throw;
  }
  note(count(calls, ends));
  return true;
}

std::map<Uuid, Tally> Courier::State::count(const std::vector<Call>& calls, const std::vector<Judged>& ends) {
  std::map<Uuid, Tally> tallies;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const auto& call = calls[i];
    const auto health = ends[i].health;
    in_flight.erase(call.event.text() + call.endpoint.text());
    flows.ended(call.endpoint.uuid, health == Health::good, health != Health::same);
    if (!ends[i].outcome.empty()) Measures::attempts(ends[i].outcome).add();
    measures().seconds.observe(std::chrono::duration<double>(call.answer.duration).count());
    auto& tally = tallies[call.endpoint.uuid];
    tally.app = call.app;
    tally.succeeded += health == Health::good ? 1 : 0;
    tally.failed += health == Health::bad && call.trigger == "event" ? 1 : 0;
    tally.gone = tally.gone || health == Health::gone;
  }
  return tallies;
}

void Courier::State::note(const std::map<Uuid, Tally>& tallies) {
  struct Told {
    AppId app;
    EndpointId endpoint;
    std::string state, reason;
    std::int64_t warned = 0;
    std::optional<Timestamp> failing_since;
  };
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
  for (const auto& one : told) {
    const bool ended = one.state == "disabled";
    json::Writer data;
    data.object().field("endpoint_id", one.endpoint.wire());
    if (ended) data.field("reason", one.reason);
    else data.field("percent", one.warned);
    data.optional_time("failing_since", one.failing_since).end();
    const std::string text = data.take();
    log::warn(ended ? "webhook.endpoint_disabled" : "webhook.endpoint_failing", {{"app_id", one.app.wire()}, {"endpoint", one.endpoint.wire()}});
    connection.transact(one.app, Mode::write, [&](Transaction& tx) {
      enqueue(tx, to.bus, ended ? "webhook.endpoint_disabled" : "webhook.endpoint_failing", text, now);
    });
  }
}

void Courier::State::renew() {
  if (in_flight.empty() || Steady::now() - renewed_at < kRenewed) return;
  renewed_at = Steady::now();
  text::ArrayLiteral apps, endpoints, events;
  for (const auto& [key, call] : in_flight) {
    apps.add(call.app.text());
    endpoints.add(call.endpoint.text());
    events.add(call.event.text());
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

void Courier::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_one();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace chat::webhooks
