#pragma once
#include <atomic>
#include <functional>
#include <memory>

#include "platform/chat/campaigns/campaigns.h"
#include "platform/chat/channels/channels.h"

/// Sends campaigns: takes recipients a page at a time and hands their messages to the way of every message.
namespace chat::campaigns {

/// How the job sends; handed in by server. Calls `done` once, on any thread: the message, why it was refused, or neither: it waits for approval.
struct Due {
  AppId app;
  std::string channel_type, channel_id, user_id, message, nonce_key, fingerprint;
};
using Done = std::function<void(const std::optional<MessageId>&, const std::optional<Error>&)>;
using SendNow = std::function<void(storage::Connection&, const Due&, Done)>;

/// What the plan leaves of recipients, reserved; `refusal`: why never all, a word; with none the rest is asked for again, after a while if the plan
/// slows. `hold`: under which all nodes know of them; its end is kept with theirs.
struct Allowance {
  std::int64_t recipients = 0;
  std::string_view refusal = {};
  bool is_slowed = false;
  std::optional<Uuid> hold = {};
};

/// Direct channels of a sender with some users that are not there yet.
struct Opening {
  struct Who {
    std::string user_id;
    UserId id;
  };
  std::string type;
  Who from;
  std::optional<std::string> team;
  std::vector<Who> to;
};

enum class Pace { full, gentle, none };        // gentle: others send on this node; none: their sends wait

struct Sending {
  bus::Bus& bus;
  const Clock& clock;
  SendNow send;
  std::function<bool(storage::Pool::Task)> run;
  std::function<Allowance(storage::Connection&, AppId, std::int64_t wanted)> take;
  std::function<void(AppId, std::int64_t taken, std::int64_t sent)> settle;    // follows each `take`
  std::function<channels::Caps(storage::Connection&, AppId)> caps;
  std::function<void(storage::Transaction&, UserId from, const std::string& others)> hold_pairs;   // against blocks made at this moment
  std::function<void(storage::Transaction&, const Opening&, const channels::Caps&)> make_channels;
  std::function<Pace()> pace;
  std::function<void(std::chrono::milliseconds)> turn_within;   // the job's next turn comes by then
};

/// Shape:   at most kMaxPages of kPageRows recipients are on their way on this node; each page is kept in one transaction. While others send,
///          one short step after the other, which plans some or sends one short page, and after each a rest of kRests times what it took:
///          whoever meets one waits for a moment's work.
/// A page's recipients are claimed for kLease: who dies holding them delays them by that much, and the nonce makes a second sending harmless.
/// Thread:  turn on a database worker; the rest wherever ends come
class Sender {
 public:
  static constexpr int kMaxPages = 2, kPageRows = 128, kShortRows = 4, kRests = 2;
  static constexpr std::chrono::seconds kLease{60};
  static constexpr std::chrono::milliseconds kTurn{200};

  explicit Sender(Sending sending) : sending_(std::move(sending)) {}
  /// Plans what begins, then sends while there is somebody due and room. Goes on when a page ends.
  void turn(storage::Connection& connection);

 private:
  struct Page;
  void plan(storage::Connection& connection);
  void step(storage::Connection& connection);
  bool plan_step(storage::Connection& connection);
  void rest_since(std::chrono::steady_clock::time_point begun);
  bool begin_page(storage::Connection& connection);
  bool fill_page(storage::Connection& connection, int rows);
  std::shared_ptr<Page> claim(storage::Connection& connection, int rows);
  void prepare(storage::Connection& connection, Page& page);
  void put_back(storage::Transaction& tx, const Page& page, const std::vector<Uuid>& beyond, std::optional<Timestamp> again_at);
  void judge_all(storage::Transaction& tx, Page& page, const channels::Caps& caps, std::string_view refusal);
  void make_channels(storage::Transaction& tx, Page& page, const Definition& definition, const channels::Caps& caps);
  void send(storage::Connection& connection, const std::shared_ptr<Page>& page);
  void one_ended(const std::shared_ptr<Page>& page);
  void go_on(storage::Connection& connection, const Page& ended);
  void keep(storage::Connection& connection, Page& page);

  const Sending sending_;
  std::atomic<int> pages_{0};
  std::atomic<bool> planned_last_{false};      // by a short step
};

}  // namespace chat::campaigns
