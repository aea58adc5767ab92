#include "platform/chat/blocklists/shelf.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/base/thread.h"
#include "platform/chat/blocklists/blocklists.sql.h"

namespace chat::blocklists {
namespace {

constexpr int kMaxWaiting = 2;                 // workers of the database that wait for the compiler
constexpr std::chrono::milliseconds kCrowdedPatience{1'000};   // of further ones: small lists are ready by then
constexpr std::size_t kAskedAtOnce = 2'000;

struct ShelfMetrics {
  metrics::Counter& compiled = metrics::counter("chat_block_lists_compiled_total", "How often the lists of an application came into force.");
  metrics::Histogram& seconds = metrics::histogram("chat_block_lists_compile_seconds", "Time of bringing the lists of an application into force.");
  metrics::Histogram& finished = metrics::histogram("chat_block_lists_finish_seconds", "Time of compiling what was left for later of an application's lists.");
  metrics::Gauge& bytes = metrics::gauge("chat_block_lists_bytes", "Memory of compiled block lists.");
};
ShelfMetrics& shelf_metrics() {
  static ShelfMetrics metrics;
  return metrics;
}

Error not_yet() {
  return Error(Code::unavailable, "The block lists of this application are being made ready; try again.").with_retry_after(std::chrono::seconds(1));
}

bool has_lists(storage::Connection& connection, AppId app) {
  bool any = false;
  connection.transact(app, storage::Mode::read, [&](storage::Transaction& tx) { any = tx.find(sql::block_list_version, tx.app()).has_value(); });
  return any;
}

std::shared_ptr<const Rules> nothing() {
  static const auto rules = std::make_shared<const Rules>(Loaded{}, nullptr);
  return rules;
}

}  // namespace

Shelf::Shelf(Run run, const Clock& clock) : run_(std::move(run)), clock_(clock), thread_([this] { bring(); }), finisher_([this] { finish(); }) {}

Shelf::~Shelf() { stop(); }

void Shelf::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  queued_.notify_all();
  unfinished_.notify_all();
  settled_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (finisher_.joinable()) finisher_.join();
}

Shelf::Kept& Shelf::keep(AppId app) {
  auto [found, fresh] = kept_.try_emplace(app);
  if (fresh) found->second.used = order_.insert(order_.begin(), app);
  else order_.splice(order_.begin(), order_, found->second.used);
  return found->second;
}

std::shared_ptr<const Rules> Shelf::find(AppId app) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(app);
  if (found == kept_.end() || !found->second.rules) return nullptr;
  order_.splice(order_.begin(), order_, found->second.used);
  return found->second.rules;
}

std::shared_ptr<const Rules> Shelf::find_or_begin(AppId app) {
  if (auto rules = find(app)) return rules;
  const std::lock_guard lock(mutex_);
  begin(app);
  return nullptr;
}

void Shelf::begin(AppId app) {
  auto& kept = keep(app);
  if (kept.loading) {
    kept.again = true;
    return;
  }
  kept.loading = run_([this, app](storage::Connection& connection) { refresh(connection, app); });
  if (!kept.loading) log::warn("block_lists.not_loaded", {{"detail", "the pool is full"}});   // the next turn, or who asks next, tries again
}

/// On a worker of the database. Whoever comes here has set `loading`.
void Shelf::refresh(storage::Connection& connection, AppId app) {
  std::vector<std::shared_ptr<const LoadedList>> known;
  {
    const std::lock_guard lock(mutex_);
    const auto& kept = keep(app);
    if (kept.rules) known = kept.rules->loaded();
  }
  try {
    auto loaded = load_lists(connection, app, known);
    if (loaded.is_empty()) return settle(app, std::make_shared<const Rules>(std::move(loaded), nullptr));
    const std::lock_guard lock(mutex_);
    if (queue_.size() < kMaxQueued && !stopping_) {
      queue_.push_back({app, std::move(loaded)});
      return queued_.notify_one();
    }
  } catch (const Error& error) {
    log::warn("block_lists.not_loaded", {{"detail", error.what()}});
  }
  give_up(app);
}

std::shared_ptr<const Rules> Shelf::load(storage::Connection& connection, AppId app) {
  bool mine = false;
  {
    const std::lock_guard lock(mutex_);
    auto& kept = keep(app);
    if (kept.rules) return kept.rules;
    mine = !kept.loading;
    kept.loading = true;
  }
  if (mine) refresh(connection, app);
  else if (!has_lists(connection, app)) return keep_none(app);
  struct Waiting {
    std::atomic<int>& count;
    ~Waiting() { --count; }
  } waiting{waiting_};
  const bool crowded = ++waiting_ > kMaxWaiting;
  std::unique_lock lock(mutex_);
  settled_.wait_for(lock, crowded ? kCrowdedPatience : std::chrono::milliseconds(kPatience), [&] {
    const auto& kept = keep(app);
    return stopping_ || kept.rules || !kept.loading;
  });
  const auto& kept = keep(app);
  if (!kept.rules) throw not_yet();
  return kept.rules;
}

/// Of an application that another one is loading: it need not be waited for. What that one finds takes the place.
std::shared_ptr<const Rules> Shelf::keep_none(AppId app) {
  const std::lock_guard lock(mutex_);
  auto& kept = keep(app);
  if (!kept.rules) put(kept, nothing());
  return kept.rules;
}

void Shelf::bring() {
  name_this_thread("blocklists");
  for (;;) {
    Job job;
    std::shared_ptr<const Rules> before;
    {
      std::unique_lock lock(mutex_);
      queued_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
      before = keep(job.app).rules;
    }
    const auto began = std::chrono::steady_clock::now();
    try {
      auto rules = std::make_shared<const Rules>(std::move(job.loaded), before.get());
      shelf_metrics().compiled.add();
      shelf_metrics().seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
      note_mistakes(job.app, rules);
      settle(job.app, rules);
    } catch (const std::exception& error) {    // out of memory: what was in force stays so
      log::error("block_lists.not_compiled", {{"detail", error.what()}});
      give_up(job.app);
    }
  }
}

void Shelf::finish() {
  name_this_thread("blocklists2");
  for (;;) {
    AppId app;
    {
      std::unique_lock lock(mutex_);
      unfinished_.wait(lock, [this] { return stopping_ || !to_finish_.empty(); });
      if (stopping_) return;
      app = to_finish_.front();
      to_finish_.pop_front();
    }
    const auto began = std::chrono::steady_clock::now();
    try {
      if (finish(app)) shelf_metrics().finished.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
    } catch (const std::exception& error) {    // out of memory: they are in force as they are
      log::error("block_lists.not_compiled", {{"detail", error.what()}});
    }
  }
}

void Shelf::finish_later(AppId app) {
  if (std::ranges::find(to_finish_, app) == to_finish_.end()) to_finish_.push_back(app);
}

/// What changes meanwhile is compiled on top of what just was. Who changes all the time stands behind the others again.
bool Shelf::finish(AppId app) {
  constexpr int kRounds = 3;
  std::shared_ptr<const Rules> last;
  for (int round = 0; round < kRounds; ++round) {
    const auto rules = find(app);
    if (!rules || rules->is_compiled()) return round > 0;
    const auto whole = rules->compiled(last.get());
    if (replace(app, rules, whole)) return true;
    last = whole;
  }
  const std::lock_guard lock(mutex_);
  finish_later(app);
  return true;
}

/// False: others came into force meanwhile.
bool Shelf::replace(AppId app, const std::shared_ptr<const Rules>& rules, const std::shared_ptr<const Rules>& whole) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(app);
  if (found == kept_.end()) return true;       // forgotten
  if (found->second.rules != rules) return false;
  put(found->second, whole);
  make_room();
  return true;
}

void Shelf::put(Kept& kept, std::shared_ptr<const Rules> rules) {
  bytes_ += rules->bytes() - (kept.rules ? kept.rules->bytes() : 0);
  kept.rules = std::move(rules);
  shelf_metrics().bytes.set(static_cast<double>(bytes_));
}

void Shelf::settle(AppId app, const std::shared_ptr<const Rules>& rules) {
  {
    const std::lock_guard lock(mutex_);
    auto& kept = keep(app);
    put(kept, rules);
    kept.loading = false;
    if (std::exchange(kept.again, false)) begin(app);
    if (!rules->is_compiled()) finish_later(app);
    make_room();
  }
  unfinished_.notify_one();
  settled_.notify_all();
  if (on_addresses_ && rules->judges_addresses()) on_addresses_(app, rules);
}

void Shelf::give_up(AppId app) {
  {
    const std::lock_guard lock(mutex_);
    auto& kept = keep(app);
    kept.loading = kept.again = false;
  }
  settled_.notify_all();
}

void Shelf::make_room() {
  while (order_.size() > 1 && (order_.size() > kMaxApplications || bytes_ > kMaxBytes)) {
    const auto last = kept_.find(order_.back());
    if (last->second.loading) {                // it is under way: another one's turn
      order_.splice(order_.begin(), order_, last->second.used);
      return;
    }
    bytes_ -= last->second.rules ? last->second.rules->bytes() : 0;
    order_.pop_back();
    kept_.erase(last);
  }
  shelf_metrics().bytes.set(static_cast<double>(bytes_));
}

/// Says on each list whether it is in force as it stands.
void Shelf::note_mistakes(AppId app, const std::shared_ptr<const Rules>& rules) {
  const bool any = !rules->mistaken().empty() || std::ranges::any_of(rules->loaded(), [](const auto& one) { return one->list.mistake.has_value(); });
  if (!any) return;
  const bool taken = run_([app, rules](storage::Connection& connection) {
    try {
      for (const auto& list : rules->loaded()) {
        const auto mistaken = std::ranges::find(rules->mistaken(), list, &Rules::Mistaken::list);
        const auto mistake = mistaken == rules->mistaken().end() ? std::nullopt : std::optional<std::string>(mistaken->json);
        if (!mistake && !list->list.mistake) continue;
        connection.transact(list->shared ? AppId{} : app, storage::Mode::write, [&](storage::Transaction& tx) {
          tx.run(sql::keep_mistake, tx.app(), list->list.id, list->list.version, mistake);
        });
      }
    } catch (const Error& error) {
      log::warn("block_lists.mistake_not_kept", {{"detail", error.what()}});
    }
  });
  if (!taken) log::warn("block_lists.mistake_not_kept", {{"detail", "the pool is full"}});
}

void Shelf::changed(AppId app) {
  const std::lock_guard lock(mutex_);
  if (app != AppId{}) {
    if (kept_.contains(app)) begin(app);
    return;
  }
  std::vector<AppId> all;
  for (const auto& [one, kept] : kept_)
    if (kept.rules && kept.rules->uses_shared()) all.push_back(one);
  for (const auto& one : all) begin(one);
}

void Shelf::look_again(storage::Connection& connection) {
  struct Held {
    std::int64_t own, shared;
    bool uses_shared;
  };
  std::unordered_map<AppId, Held> held;
  text::ArrayLiteral apps;
  {
    const std::lock_guard lock(mutex_);
    std::vector<AppId> without;
    const auto ask = [&](AppId app, const Rules& rules) {
      held[app] = {rules.own_version(), rules.shared_version(), rules.uses_shared()};
      apps.add(app.text());
    };
    for (const auto& [app, kept] : kept_) {
      if (!kept.rules || kept.loading) continue;
      if (!kept.rules->is_empty() || kept.rules->uses_shared()) ask(app, *kept.rules);
      else if (asked_until_ < app) without.push_back(app);
    }
    // Those without lists take turns.
    const auto some = without.begin() + static_cast<std::ptrdiff_t>(std::min(without.size(), kAskedAtOnce));
    std::partial_sort(without.begin(), some, without.end());
    for (auto app = without.begin(); app != some; ++app) ask(*app, *kept_.at(*app).rules);
    asked_until_ = without.size() > kAskedAtOnce ? *(some - 1) : AppId{};
  }
  if (held.empty()) return;
  apps.add(AppId{}.text());
  std::int64_t shared = 0;
  std::unordered_map<AppId, std::int64_t> now;
  connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) {
    auto rows = tx.query(sql::block_list_versions_of, apps.take());
    for (auto row : rows) now[AppId{row.uuid(0)}] = row.integer(1);
  });
  if (const auto found = now.find(AppId{}); found != now.end()) shared = found->second;
  const std::lock_guard lock(mutex_);
  for (const auto& [app, known] : held) {
    const auto found = now.find(app);
    const auto own = found == now.end() ? 0 : found->second;
    if (own != known.own || (known.uses_shared && shared != known.shared)) begin(app);
  }
}

}  // namespace chat::blocklists
