#include "platform/chat/reads/unread_announcer.h"

#include <algorithm>

#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/reads/reads.h"
#include "platform/chat/reads/reads_events.h"
#include "platform/chat/reads/unread.sql.h"
#include "platform/chat/threads/threads_events.h"
#include "platform/chat/users/users_events.h"

namespace chat::reads {
namespace {

constexpr std::size_t kSlice = 100;            // users in one query
constexpr std::size_t kMaxRemembered = 50'000;

struct Totals {
  Summing sums;
  std::int64_t unread_threads = 0;
  std::vector<Unread::Thread> threads;
  std::vector<Unread::Item> channels;
};
using TotalsByUser = std::map<std::string, Totals>;

std::string data_of(const Totals& totals, bool more) {
  const Sum& sum = totals.sums.total;
  json::Writer out;
  out.object().field("total", sum.unread).field("mentions", sum.mentions).field("unread_channels", sum.channels);
  write_parts(out, totals.sums.types(), totals.sums.teams());
  out.field("unread_threads", totals.unread_threads).key("threads").array();
  for (const auto& thread : totals.threads) out.raw(thread_unread_json(thread));
  out.end().key("channels").array();
  for (const auto& item : totals.channels) out.raw(channel_unread_json(item));
  out.end().key("more").boolean(more).end();
  return out.take();
}

template <class Changes>
void add(Changes& to, const Changes& from) {
  to.more |= from.more;
  for (const auto& cid : from.cids) {
    if (to.cids.size() < kMaxChannels) to.cids.insert(cid);
    else to.more |= !to.cids.contains(cid);
  }
}

template <class Slice>
TotalsByUser load(storage::Transaction& tx, const Slice& slice) {
  text::ArrayLiteral users, pair_users, types, ids;
  for (const auto& [user, changes] : slice) {
    users.add(user);
    for (const auto& cid : changes.cids) {
      pair_users.add(user);
      types.add(cid.substr(0, cid.find(':')));
      ids.add(cid.substr(cid.find(':') + 1));
    }
  }
  TotalsByUser totals;
  const auto user_ids = users.take(), of_pairs = pair_users.take(), of_types = types.take(), of_ids = ids.take();
  auto sums = tx.query(sql::sum_unread_of_users, tx.app(), user_ids);
  for (auto row : sums)
    totals[std::string(row.text(0))].sums.add(row.optional_text(5).value_or(""), row.optional_text(4),
                                              {row.integer(1), row.integer(2), row.integer(3)});
  auto add_to = [&](std::string_view user_id, const auto& put) {
    if (auto found = totals.find(std::string(user_id)); found != totals.end()) put(found->second);
  };
  auto counts = tx.query(sql::count_unread_threads, tx.app(), user_ids, kMaxUnreadThreads);
  for (auto row : counts) add_to(row.text(0), [&](Totals& user) { user.unread_threads = row.integer(1); });
  auto threads = tx.query(sql::unread_threads_in_channels, tx.app(), of_pairs, of_types, of_ids, kMaxThreadReplies, kMaxUnreadThreads);
  for (auto row : threads)
    add_to(row.text(0), [&](Totals& user) {
      if (user.threads.size() < kMaxUnreadThreads)
        user.threads.push_back({std::string(row.text(2)), MessageId{row.uuid(1)}, row.integer(3), row.integer(4)});
    });
  auto rows = tx.query(sql::unread_in_channels, tx.app(), of_pairs, of_types, of_ids);
  for (auto row : rows)
    add_to(row.text(0), [&](Totals& user) {
      user.channels.push_back({std::string(row.text(1)), row.integer(2), row.integer(3), row.optional_integer(4), row.integer(5)});
    });
  return totals;
}

}  // namespace

void tell_unread_moved(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, const std::vector<std::string>& cids) {
  if (cids.empty()) return;
  std::string detail = user_id;
  for (std::size_t i = 0; i < std::min(cids.size(), kMaxChannels); ++i) detail += " " + cids[i];
  if (cids.size() > kMaxChannels) detail += " *";
  tx.after_commit([&bus, app = tx.app(), detail = std::move(detail)] { bus.control({std::string(kUnreadMoved), app, detail}); });
}

void tell_channel_unread_moved(storage::Transaction& tx, bus::Bus& bus, AppId app, const std::string& cid) {
  tx.after_commit([&bus, app, cid] { bus.control({std::string(kChannelUnreadMoved), app, cid}); });
}

void UnreadAnnouncer::channel_changed(AppId app, const std::string& cid, const std::vector<std::string>& left) {
  const std::lock_guard lock(mutex_);
  auto& application = applications_[app];
  application.channels.insert(cid);
  for (const auto& user : left) add(application.users[user], Changes{{cid}, false});
}

void UnreadAnnouncer::on_control(const bus::Bus::Control& control) {
  if (control.word == kChannelUnreadMoved) return channel_changed(control.app, control.detail, {});
  if (control.word != kUnreadMoved && control.word != threads::kThreadsMoved) return;
  const auto words = text::split(control.detail, ' ');
  Changes changes;
  for (std::size_t i = 1; i < words.size(); ++i)
    if (words[i] == "*") changes.more = true;
    else changes.cids.insert(words[i]);
  user_changed(control.app, words.front(), changes);
}

// Of a block the direct channel of both comes or goes; which one it is, only the database knows.
void UnreadAnnouncer::on_events(bus::Bus::Events events) {
  for (const auto& event : events) {
    if (event->seq != 0 || event->user_id.empty()) continue;
    if (event->type == channels::kMembershipUpdated) user_changed(event->app, event->user_id, {{event->cid}, false});
    if (event->type != users::kUserBlocked && event->type != users::kUserUnblocked) continue;
    user_changed(event->app, event->user_id, {{}, true});
    const auto document = json::Document::parse(event->data);
    const auto block = document.root().find("block");
    if (const auto target = (block ? *block : document.root()).find("target_id"))
      user_changed(event->app, std::string(target->text()), {{}, true});
  }
}

void UnreadAnnouncer::came(AppId app, const std::string& user_id) {
  const std::lock_guard lock(mutex_);
  applications_[app].came.insert(user_id);
}

void UnreadAnnouncer::user_changed(AppId app, const std::string& user_id, const Changes& changes) {
  const std::lock_guard lock(mutex_);
  add(applications_[app].users[user_id], changes);
}

void UnreadAnnouncer::turn(storage::Connection& connection) {
  ask();
  const auto end = std::chrono::steady_clock::now() + kBudget;
  while (std::chrono::steady_clock::now() < end) {
    const auto applications = waiting_applications();
    if (applications.empty()) return;
    for (const AppId app : applications) {
      if (std::chrono::steady_clock::now() >= end) return;
      auto slice = take(app);
      last_served_ = app;
      try {
        announce(connection, app, slice);
      } catch (...) {
        give_back(app, std::move(slice));      // the job logs it, and comes again
        throw;
      }
    }
  }
}

/// Finds out which of those concerned are connected here; the answers fill the queues.
void UnreadAnnouncer::ask() {
  std::map<AppId, Application> changed;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [app, application] : applications_) {
      changed[app].channels.swap(application.channels);
      changed[app].users.swap(application.users);
      for (const auto& user : application.came) told_.erase(app.text() + user);
      application.came.clear();
    }
    std::erase_if(applications_, [](const auto& one) { return one.second.waiting.empty(); });
  }
  for (const auto& [app, application] : changed) {
    for (const auto& cid : application.channels)
      sockets_.ask_members(app, cid, [this, app = app, cid](const std::vector<std::string>& users) { enqueue(app, users, {{cid}, false}); });
    for (const auto& [user, changes] : application.users)
      sockets_.ask_connected(app, {user}, [this, app = app, changes = changes](const std::vector<std::string>& users) { enqueue(app, users, changes); });
  }
}

void UnreadAnnouncer::enqueue(AppId app, const std::vector<std::string>& users, const Changes& changes) {
  if (users.empty()) return;
  const std::lock_guard lock(mutex_);
  auto& application = applications_[app];
  for (const auto& user : users) {
    const auto [place, is_new] = application.waiting.try_emplace(user);
    if (is_new) application.queue.push_back(user);
    add(place->second, changes);
  }
}

/// Round the applications, so that a busy one doesn't keep the others waiting.
std::vector<AppId> UnreadAnnouncer::waiting_applications() {
  const std::lock_guard lock(mutex_);
  std::vector<AppId> apps;
  std::size_t waiting = 0;
  for (const auto& [app, application] : applications_) {
    if (!application.queue.empty()) apps.push_back(app);
    waiting += application.queue.size();
  }
  const auto next = std::find_if(apps.begin(), apps.end(), [&](AppId app) { return last_served_ < app; });
  std::rotate(apps.begin(), next, apps.end());
  static auto& gauge = metrics::gauge("chat_unread_waiting_users", "Connected users who are to be told that their unread changed.");
  gauge.set(static_cast<double>(waiting));
  return apps;
}

UnreadAnnouncer::Slice UnreadAnnouncer::take(AppId app) {
  const std::lock_guard lock(mutex_);
  auto& application = applications_[app];
  Slice slice;
  while (!application.queue.empty() && slice.size() < kSlice) {
    auto waiting = application.waiting.extract(application.queue.front());
    application.queue.pop_front();
    slice.emplace_back(waiting.key(), std::move(waiting.mapped()));
  }
  return slice;
}

void UnreadAnnouncer::give_back(AppId app, Slice slice) {
  for (const auto& [user, changes] : slice) enqueue(app, {user}, changes);
}

void UnreadAnnouncer::announce(storage::Connection& connection, AppId app, const Slice& slice) {
  TotalsByUser totals;
  connection.transact(app, storage::Mode::read, [&](storage::Transaction& tx) { totals = load(tx, slice); });
  static auto& told = metrics::counter("chat_unread_announcements_total", "notification.unread_changed events told.");
  for (const auto& [user, changes] : slice) {
    const auto found = totals.find(user);
    if (found == totals.end()) continue;       // deleted meanwhile
    bus::Event event;
    event.data = data_of(found->second, changes.more);
    if (!is_news(app, user, event.data)) continue;
    event.created_at = clock_.now();
    event.id = EventId::make(event.created_at);
    event.app = app;
    event.type = kUnreadChanged;
    event.reach = bus::Reach::devices;
    event.user_id = user;
    sockets_.tell(std::move(event));
    told.add();
  }
}

bool UnreadAnnouncer::is_news(AppId app, const std::string& user_id, const std::string& data) {
  if (told_.size() >= kMaxRemembered) told_.clear();       // at worst somebody hears the same twice
  const auto hash = std::hash<std::string>()(data);
  auto [place, is_new] = told_.try_emplace(app.text() + user_id, hash);
  return is_new || std::exchange(place->second, hash) != hash;
}

}  // namespace chat::reads
