#include "platform/chat/presence/online.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/presence/presence.sql.h"
#include "platform/chat/presence/presence_events.h"
#include "platform/chat/presence/statuses.h"
#include "platform/chat/presence/words.h"
#include "platform/chat/users/users_events.h"

namespace chat::presence {
namespace {

constexpr std::string_view kChanged = "presence.changed";       // control word; detail: the user id
constexpr std::size_t kLapsedAtOnce = 1'000;

std::string_view word_of(int devices, int away) { return away == devices ? kHereAway : kHereOnline; }

std::string frame_of(AppId app, const Standing& standing, Timestamp now) {
  bus::Event event;
  event.created_at = now;
  event.id = EventId::make(now);
  event.app = app;
  event.type = kPresenceChanged;
  event.data = standing_json(standing);
  return bus::render(event);
}

struct Profile {
  bool invisible = false;
  std::optional<Timestamp> last_active_at;
};
using Profiles = std::map<std::string, Profile>;
using Apart = std::map<std::string, std::vector<std::string>>;   // user to the followers who must not see it

Profiles find_profiles(storage::Transaction& tx, const std::vector<std::string>& user_ids) {
  text::ArrayLiteral users;
  for (const auto& user_id : user_ids) users.add(user_id);
  Profiles profiles;
  auto rows = tx.query(sql::find_changed, tx.app(), users.take());
  for (auto row : rows) profiles[std::string(row.text(0))] = {row.boolean(1), row.optional_time(2)};
  return profiles;
}

/// kPairs of a user and a follower a statement: somebody may be followed by thousands.
template <class Slice>
Apart find_apart(storage::Transaction& tx, const Slice& slice) {
  constexpr std::size_t kPairs = 1'000;
  Apart apart;
  text::ArrayLiteral users, followers;
  std::size_t pairs = 0;
  const auto ask = [&] {
    auto rows = tx.query(sql::find_apart, tx.app(), users.take(), followers.take());
    for (auto row : rows) apart[std::string(row.text(0))].emplace_back(row.text(1));
    pairs = 0;
  };
  for (const auto& [user_id, all] : slice) {
    for (const auto& follower : all) {
      users.add(user_id);
      followers.add(follower);
      if (++pairs == kPairs) ask();
    }
  }
  if (pairs > 0) ask();
  return apart;
}

}  // namespace

void Online::came(AppId app, const std::string& user_id) {
  const std::lock_guard lock(mutex_);
  const Who who{app, user_id};
  Here& here = here_[who];
  ++here.devices;
  settle(who, here, word_of(here.devices, here.away));
}

void Online::went(AppId app, const std::string& user_id) {
  const std::lock_guard lock(mutex_);
  const Who who{app, user_id};
  Here& here = here_[who];
  if (--here.devices > 0) return settle(who, here, word_of(here.devices, here.away));
  settle(who, here, here.said == kHereAway ? kLeftAway : kLeftOnline);
  here.left_at = clock_.now();
  leaving_.push_back({here.left_at + kGrace, who});
}

void Online::away(AppId app, const std::string& user_id, bool is_away) {
  const std::lock_guard lock(mutex_);
  const Who who{app, user_id};
  Here& here = here_[who];
  here.away += is_away ? 1 : -1;
  if (here.devices > 0) settle(who, here, word_of(here.devices, here.away));
}

void Online::settle(const Who& who, Here& here, std::string_view word) {
  if (word == here.said) return;
  const Timestamp now = clock_.now();
  // The new word before the old one goes, so that nobody sees the user offline between.
  if (!word.empty()) held_.hold(who.first, who.second, std::string(word), now);
  if (!here.said.empty()) held_.release(who.first, who.second, std::string(here.said));
  here.said = word;
  said_.insert(who);
}

void Online::look_again(AppId app, const std::string& user_id) {
  const std::lock_guard lock(mutex_);
  if (changed_.size() < kMaxChanged) changed_.emplace(app, user_id);
}

void Online::on_control(const bus::Bus::Control& control) {
  if (control.word == kChanged) look_again(control.app, control.detail);
}

// Of a block both sides look different to each other now.
void Online::on_events(bus::Bus::Events events) {
  for (const auto& event : events) {
    const auto& type = event->type;
    const bool blocks = type == users::kUserBlocked || type == users::kUserUnblocked;
    if (!blocks && type != users::kUserUpdated && type != users::kUserDeleted) continue;
    look_again(event->app, event->user_id);
    if (!blocks) continue;
    const auto document = json::Document::parse(event->data);
    const auto block = document.root().find("block");
    const auto target = (block ? *block : document.root()).find("target_id");
    if (target) look_again(event->app, std::string(target->text()));
  }
}

void Online::turn(storage::Connection& connection) {
  take_leave(connection);
  take_lapsed();
  std::set<Who> said;
  {
    const std::lock_guard lock(mutex_);
    held_.renew(clock_.now());
    said.swap(said_);
    static auto& users = metrics::gauge("chat_users_online", "Users connected to this node, or gone for a few seconds.");
    users.set(static_cast<double>(here_.size()));
  }
  for (const auto& [app, user_id] : said) bus_.control({std::string(kChanged), app, user_id});
  std::map<AppId, Slice> waiting;
  {
    const std::lock_guard lock(mutex_);
    waiting.swap(waiting_);
  }
  for (auto& [app, all] : waiting) {
    while (!all.empty()) {
      Slice slice;
      while (!all.empty() && slice.size() < kSlice) slice.insert(all.extract(all.begin()));
      announce(connection, app, slice);
    }
  }
  ask();
}

/// Whose grace is over and who did not come back.
void Online::take_leave(storage::Connection& connection) {
  std::map<AppId, std::vector<std::pair<std::string, Timestamp>>> gone;
  {
    const std::lock_guard lock(mutex_);
    const Timestamp now = clock_.now();
    while (!leaving_.empty() && leaving_.front().at <= now) {
      const Leaver leaver = std::move(leaving_.front());
      leaving_.pop_front();
      const auto found = here_.find(leaver.who);
      if (found == here_.end() || found->second.devices > 0 || found->second.left_at + kGrace != leaver.at) continue;
      settle(leaver.who, found->second, {});
      here_.erase(found);
      gone[leaver.who.first].emplace_back(leaver.who.second, leaver.at - kGrace);
    }
  }
  for (const auto& [app, users] : gone) {
    text::ArrayLiteral ids, times;
    for (const auto& [user_id, at] : users) {
      ids.add(user_id);
      times.add(format_time(at));
    }
    const auto id_list = ids.take(), time_list = times.take();
    try {
      connection.transact(app, storage::Mode::write, [&](storage::Transaction& tx) { tx.run(sql::touch_seen, app, id_list, time_list); });
    } catch (const Error&) {
      static auto& lost = metrics::counter("chat_last_seen_lost_total", "Users whose last_active_at could not be written when they left.");
      lost.add(static_cast<double>(users.size()));
    }
  }
}

void Online::take_lapsed() {
  for (const auto& lapsed : store_.take_lapsed(kOnline, kLapsedAtOnce)) {
    const std::lock_guard lock(mutex_);
    said_.emplace(lapsed.app, lapsed.name);
  }
}

/// Finds out who here follows those who changed; the answers are announced in the next turn.
void Online::ask() {
  std::set<Who> changed;
  {
    const std::lock_guard lock(mutex_);
    changed.swap(changed_);
  }
  for (const auto& [app, user_id] : changed) {
    sockets_.ask_followers(app, user_id, [this, app = app, user_id = user_id](const std::vector<std::string>& followers) {
      const std::lock_guard lock(mutex_);
      waiting_[app][user_id].insert(followers.begin(), followers.end());
    });
  }
}

void Online::announce(storage::Connection& connection, AppId app, const Slice& slice) {
  std::vector<std::string> user_ids;
  for (const auto& [user_id, followers] : slice) user_ids.push_back(user_id);
  Profiles profiles;
  Apart apart;
  connection.transact(app, storage::Mode::read, [&](storage::Transaction& tx) {
    profiles = find_profiles(tx, user_ids);
    apart = find_apart(tx, slice);
  });
  const auto statuses = ask_statuses(store_, app, user_ids);
  static auto& told = metrics::counter("chat_presence_announcements_total", "Users whose presence was looked at again for their followers.");
  told.add(static_cast<double>(slice.size()));
  const Timestamp now = clock_.now();
  for (std::size_t i = 0; i < user_ids.size(); ++i) {
    const auto& user_id = user_ids[i];
    const auto profile = profiles.find(user_id);               // none: deleted meanwhile
    auto news = std::make_shared<realtime::PresenceNews>();
    news->app = app;
    news->user_id = user_id;
    if (profile != profiles.end()) news->status = statuses[i];
    Standing standing{user_id, news->status, std::nullopt};
    if (profile != profiles.end() && standing.status != Status::online) standing.last_active_at = profile->second.last_active_at;
    news->frame = frame_of(app, standing, now);
    news->offline_frame = frame_of(app, {user_id, Status::offline, std::nullopt}, now);
    news->hidden_from = std::move(apart[user_id]);
    if (profile != profiles.end() && profile->second.invisible) {
      const auto& followers = slice.at(user_id);
      news->hidden_from.assign(followers.begin(), followers.end());
      std::erase(news->hidden_from, user_id);
    }
    std::ranges::sort(news->hidden_from);
    sockets_.tell(std::move(news));
  }
}

}  // namespace chat::presence
