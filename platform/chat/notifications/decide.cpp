#include <algorithm>
#include <unordered_set>

#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/notifications/decide.sql.h"
#include "platform/chat/notifications/notifications.h"

namespace chat::notifications {
namespace {

constexpr std::string_view kInvite = "invite.created";
constexpr std::chrono::seconds kLease{30};
constexpr int kRowsAtOnce = 16;
constexpr std::chrono::hours kTooLate{1};      // what waited longer is no news any more
constexpr std::chrono::hours kLivesFor{24};

struct Metrics {
  metrics::Counter& behind = metrics::counter("chat_push_behind_total", "Runs of the push job that left something waiting.");
  metrics::Counter& late = metrics::counter("chat_push_late_total", "Batches that waited for more than an hour, of which nobody was notified.");
  metrics::Counter& connected = metrics::counter("chat_push_connected_total", "Users who were to be notified and were connected.");
  metrics::Counter& queued = metrics::counter("chat_push_queued_total", "Deliveries that were left for devices.");
};
Metrics& meters() {
  static Metrics metrics;
  return metrics;
}

struct Claimed {
  AppId app;
  Uuid id;
  std::string event;
  std::vector<Uuid> channels, messages;
  std::optional<UserId> actor;
  std::optional<std::string> detail;
  Timestamp created_at;
  std::size_t place = 1;                       // of the message, from 1
  UserId after;
};

struct Target {
  UserId id;
  std::string user_id;
  bool mentioned = false;
};
struct Page {
  std::vector<Target> targets;
  std::optional<UserId> last;
  bool more = false;
};

std::vector<Uuid> uuids(std::string_view literal) {
  std::vector<Uuid> out;
  for (const auto& one : text::parse_array_literal(literal)) out.push_back(*Uuid::parse(one));
  return out;
}

std::vector<Claimed> claim(storage::Connection& connection, const Notifying& notifying, const Uuid& worker) {
  std::vector<Claimed> claimed;
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    claimed.clear();
    const auto now = notifying.clock.now();
    auto rows = tx.query(sql::claim_push_queue, worker, now - notifying.delay, now + kLease, kRowsAtOnce);
    for (auto row : rows) {
      Claimed one{AppId{row.uuid(0)}, row.uuid(1), std::string(row.text(2)), uuids(row.text(3)), uuids(row.text(4)), {},
                  row.optional_text(6), row.time(7), static_cast<std::size_t>(row.integer(8)), UserId{row.uuid(9)}};
      if (const auto actor = row.optional_uuid(5)) one.actor = UserId{*actor};
      claimed.push_back(std::move(one));
    }
  });
  return claimed;
}

Page read_page(storage::Transaction& tx, const Claimed& one, Timestamp now) {
  const auto& channel = one.channels.at(one.place - 1);
  const auto& message = one.messages.at(one.place - 1);
  Page page;
  if (one.event == kInvite) {
    auto rows = tx.query(sql::decide_invite_push, tx.app(), channel, now, one.actor, one.detail);
    for (auto row : rows) page.targets.push_back({UserId{row.uuid(0)}, std::string(row.text(1)), false});
    return page;
  }
  if (one.event != "message.new") {
    auto rows = tx.query(sql::decide_own_push, tx.app(), channel, message, now, one.event, one.actor, one.detail);
    for (auto row : rows) page.targets.push_back({UserId{row.uuid(0)}, std::string(row.text(1)), false});
    return page;
  }
  auto rows = tx.query(sql::decide_push, tx.app(), channel, message, now, one.after, kMembersAtOnce);
  for (auto row : rows) {
    if (const auto user_id = row.optional_text(1)) {
      page.targets.push_back({UserId{row.uuid(0)}, *user_id, row.boolean(2)});
      continue;
    }
    if (const auto last = row.optional_uuid(0)) page.last = UserId{*last};
    page.more = row.boolean(2);
  }
  return page;
}

void drop_connected(const Notifying& notifying, AppId app, std::vector<Target>& targets) {
  if (targets.empty()) return;
  std::vector<std::string> asked;
  for (const auto& target : targets) asked.push_back(target.user_id);
  const auto answer = notifying.connected(app, asked);
  const std::unordered_set<std::string> connected(answer.begin(), answer.end());
  meters().connected.add(static_cast<double>(std::erase_if(targets, [&](const Target& target) { return connected.contains(target.user_id); })));
}

/// What a page comes to, with where its batch stands then. False: the batch is at its end, or another worker's.
bool keep_page(storage::Transaction& tx, Claimed& one, const Page& page, const Uuid& worker, Timestamp now, int& left) {
  text::ArrayLiteral users, events;
  for (const auto& target : page.targets) {
    users.add(target.id.text());
    events.add(target.mentioned ? "mention" : one.event);
  }
  if (!page.targets.empty() && one.event == kInvite)
    left = tx.run(sql::leave_invite_deliveries, tx.app(), users.take(), one.channels[one.place - 1], one.actor, now, now + kLivesFor);
  else if (!page.targets.empty())
    left = tx.run(sql::leave_deliveries, tx.app(), users.take(), events.take(), one.channels[one.place - 1], one.messages[one.place - 1],
                  one.actor, one.detail, now, now + kLivesFor);
  const bool same = page.more && page.last;
  one.place += same ? 0 : 1;
  one.after = same ? *page.last : UserId{};
  if (one.place > one.messages.size()) {
    if (tx.run(sql::end_push, tx.app(), one.id, worker) == 0) throw Error(Code::conflict, "Another worker has this batch.");
    return false;
  }
  if (tx.query(sql::move_on, tx.app(), one.id, worker, static_cast<int>(one.place), one.after).empty())
    throw Error(Code::conflict, "Another worker has this batch.");
  return true;
}

/// Works on one batch until its end or the deadline. Returns the deliveries that were left.
int work_on(storage::Connection& connection, const Notifying& notifying, Claimed& one, const Uuid& worker,
            std::chrono::steady_clock::time_point deadline) {
  int sum = 0;
  if (notifying.clock.now() - one.created_at > kTooLate) {
    meters().late.add();
    connection.transact(one.app, storage::Mode::write, [&](storage::Transaction& tx) { tx.run(sql::end_push, tx.app(), one.id, worker); });
    return 0;
  }
  for (bool goes_on = true; goes_on;) {
    if (std::chrono::steady_clock::now() > deadline) {
      meters().behind.add();
      connection.transact(one.app, storage::Mode::write, [&](storage::Transaction& tx) { tx.run(sql::give_back, tx.app(), one.id, worker); });
      return sum;
    }
    const auto now = notifying.clock.now();
    Page page;
    connection.transact(one.app, storage::Mode::read, [&](storage::Transaction& tx) { page = read_page(tx, one, now); });
    drop_connected(notifying, one.app, page.targets);
    const Claimed before = one;
    int left = 0;
    connection.transact(one.app, storage::Mode::write, [&](storage::Transaction& tx) {
      one = before;
      left = 0;
      goes_on = keep_page(tx, one, page, worker, now, left);
    });
    sum += left;
  }
  return sum;
}

}  // namespace

int decide_pushes(storage::Connection& connection, const Notifying& notifying) {
  const auto deadline = std::chrono::steady_clock::now() + notifying.budget;
  const Uuid worker = new_uuid7(notifying.clock.now());
  int left = 0;
  for (auto& one : claim(connection, notifying, worker)) {
    try {
      left += work_on(connection, notifying, one, worker, deadline);
    } catch (const Error& error) {
      if (error.code() == Code::unavailable) throw;            // the claims end by themselves
      log::warn("push.batch_failed", {{"app_id", one.app.wire()}, {"detail", error.what()}});
    }
  }
  meters().queued.add(left);
  return left;
}

}  // namespace chat::notifications
