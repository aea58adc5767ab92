#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "platform/chat/blocklists/rules.h"
#include "platform/storage/pool.h"

/// The lists of the applications that are active on this node, compiled. For `server`.
namespace chat::blocklists {

/// Shape:   at most kMaxApplications and kMaxBytes; who was asked for least lately goes. Applications without lists cost some bytes.
///          One thread brings rules into force, quickly; another compiles what was left for later (Rules::compiled), one application after the
///          other, so that nobody's large lists keep anybody's change waiting.
/// Event:   chat_block_lists_compiled_total, chat_block_lists_compile_seconds, chat_block_lists_bytes
/// Thread:  any
class Shelf {
 public:
  static constexpr std::size_t kMaxApplications = 20'000;
  static constexpr std::size_t kMaxBytes = std::size_t{256} * 1024 * 1024;
  static constexpr std::chrono::seconds kTurn{1};
  static constexpr std::size_t kMaxQueued = 1'000;
  using Run = std::function<bool(storage::Pool::Task)>;

  Shelf(Run run, const Clock& clock);
  ~Shelf();
  /// Told of rules that judge addresses, each time they come into force: who is connected was judged by earlier ones. Before the first load.
  using Told = std::function<void(AppId, const std::shared_ptr<const Rules>&)>;
  void on_addresses(Told told) { on_addresses_ = std::move(told); }
  void stop();                                 // ends the threads; what waits is not compiled any more

  /// Null: they must be loaded.
  [[nodiscard]] std::shared_ptr<const Rules> find(AppId app);
  /// Loads and waits until they are compiled.
  /// Errors:  unavailable (it takes longer than kPatience, or than a second where two wait already: come again)
  static constexpr std::chrono::seconds kPatience{5};
  std::shared_ptr<const Rules> load(storage::Connection& connection, AppId app);
  /// Null at most for a moment: they are loaded meanwhile.
  [[nodiscard]] std::shared_ptr<const Rules> find_or_begin(AppId app);

  /// A change was told. The nil application's concerns all that use lists of the operator.
  void changed(AppId app);
  /// Asks whether what is held is what the database holds: a word may have been lost. Once a turn.
  void look_again(storage::Connection& connection);

 private:
  struct Kept {
    std::shared_ptr<const Rules> rules;        // null: never compiled
    bool loading = false, again = false;
    std::list<AppId>::iterator used;
  };
  struct Job {
    AppId app;
    Loaded loaded;
  };
  Kept& keep(AppId app);
  void begin(AppId app);                       // locked
  void refresh(storage::Connection& connection, AppId app);
  void bring();                                // the first thread
  void finish();                               // the second
  bool finish(AppId app);
  void finish_later(AppId app);                // locked
  void settle(AppId app, const std::shared_ptr<const Rules>& rules);
  bool replace(AppId app, const std::shared_ptr<const Rules>& rules, const std::shared_ptr<const Rules>& whole);
  void put(Kept& kept, std::shared_ptr<const Rules> rules);   // locked
  void give_up(AppId app);
  std::shared_ptr<const Rules> keep_none(AppId app);
  void note_mistakes(AppId app, const std::shared_ptr<const Rules>& rules);
  void make_room();                            // locked

  const Run run_;
  Told on_addresses_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable queued_, unfinished_, settled_;
  std::unordered_map<AppId, Kept> kept_;
  std::list<AppId> order_;                     // the last asked for first
  std::deque<Job> queue_;
  std::deque<AppId> to_finish_;                // each once
  std::size_t bytes_ = 0;
  AppId asked_until_{};                        // where the look around those without lists stands
  bool stopping_ = false;
  std::atomic<int> waiting_{0};
  std::thread thread_, finisher_;              // last: they use all of the above
};

}  // namespace chat::blocklists
