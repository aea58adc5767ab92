#include "platform/chat/presence/watchers.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/presence/presence_events.h"
#include "platform/chat/presence/tell.h"
#include "platform/chat/presence/watchers.sql.h"
#include "platform/chat/users/users_events.h"

namespace chat::presence {
namespace {

constexpr std::size_t kLapsedAtOnce = 1'000;

void count_told() {
  static auto& told = metrics::counter("chat_watching_events_total", "user.watching.start and stop, and watchers.updated, told.");
  told.add();
}

}  // namespace

void Watchers::watches(AppId app, const std::string& user_id, const std::string& cid, bool begins) {
  const std::lock_guard lock(mutex_);
  const Place place{app, cid};
  Watcher& watcher = places_[place].users[user_id];
  watcher.sockets += begins ? 1 : -1;
  if (begins && watcher.sockets == 1 && !watcher.hidden) held_.hold(app, cid, user_id, clock_.now());
  if (!begins && watcher.sockets == 0) held_.release(app, cid, user_id);
  changed_[place].insert(user_id);
}

void Watchers::on_events(bus::Bus::Events events) {
  for (const auto& event : events) {
    if (event->type != users::kUserUpdated) continue;
    const std::lock_guard lock(mutex_);
    if (!places_.empty()) updated_.emplace(event->app, event->user_id);
  }
}

void Watchers::turn(storage::Connection& connection) {
  take_lapsed();
  const Timestamp now = clock_.now();
  for (const auto& [app, changes] : take(now)) {
    Found found;
    try {
      found = look_up(connection, app, changes);
    } catch (const Error&) {
      give_back(app, changes);                 // the job logs it, and comes again
      throw;
    }
    tell(app, changes, found, now);
  }
}

void Watchers::take_lapsed() {
  const auto lapsed = store_.take_lapsed(kWatchers, kLapsedAtOnce);
  const std::lock_guard lock(mutex_);
  for (const auto& one : lapsed) changed_[{one.app, one.name}].insert(one.member);
  held_.renew(clock_.now());
  static auto& watched = metrics::gauge("chat_watched_channels", "Channels that users of this node have in front of them.");
  watched.set(static_cast<double>(places_.size()));
}

/// What is to be looked at now. A large channel where nobody came or went since is one whose number is to be told after a rest.
std::map<AppId, Watchers::Changes> Watchers::take(Timestamp now) {
  const std::lock_guard lock(mutex_);
  for (const auto& [app, user_id] : std::exchange(updated_, {})) {
    for (auto place = places_.lower_bound({app, {}}); place != places_.end() && place->first.app == app; ++place) {
      if (place->second.users.contains(user_id)) changed_[place->first].insert(user_id);
    }
  }
  std::map<AppId, Changes> taken;
  std::size_t channels = 0;
  for (auto change = changed_.begin(); change != changed_.end() && channels < kSlice;) {
    const auto here = change++;
    const auto place = places_.find(here->first);
    if (here->second.empty() && place != places_.end() && now < place->second.counted_at + kQuiet) continue;
    taken[here->first.app].emplace(here->first.cid, std::move(here->second));
    changed_.erase(here);
    ++channels;
  }
  return taken;
}

void Watchers::give_back(AppId app, const Changes& changes) {
  const std::lock_guard lock(mutex_);
  for (const auto& [cid, users] : changes) changed_[{app, cid}].insert(users.begin(), users.end());
}

Watchers::Found Watchers::look_up(storage::Connection& connection, AppId app, const Changes& changes) {
  text::ArrayLiteral types, ids;
  for (const auto& [cid, users] : changes) {
    types.add(cid.substr(0, cid.find(':')));
    ids.add(cid.substr(cid.find(':') + 1));
  }
  const auto type_list = types.take(), id_list = ids.take();
  Found found;
  connection.transact(app, storage::Mode::read, [&](storage::Transaction& tx) {
    found = {};
    auto channels = tx.query(sql::find_watched_channels, app, type_list, id_list);
    for (auto row : channels) found.channels[std::string(row.text(0))] = {ChannelId{row.uuid(1)}, row.boolean(2)};
    find_users(tx, changes, found);
  });
  return found;
}

/// Of those who look on in large channels only who is invisible.
void Watchers::find_users(storage::Transaction& tx, const Changes& changes, Found& found) {
  text::ArrayLiteral near, far;
  bool any_near = false, any_far = false;
  for (const auto& [cid, channel] : found.channels) {
    for (const auto& user : changes.at(cid)) (channel.large ? far : near).add(user);
    (channel.large ? any_far : any_near) |= !changes.at(cid).empty();
  }
  if (any_near) {
    auto users = tx.query(sql::find_watching_users, tx.app(), near.take());
    for (auto row : users) found.users[std::string(row.text(0))] = {row.boolean(1), text::parse_array_literal(row.text(2))};
  }
  if (any_far) {
    auto users = tx.query(sql::find_invisible_users, tx.app(), far.take());
    for (auto row : users) found.invisible.emplace(row.text(0));
  }
}

void Watchers::tell(AppId app, const Changes& changes, const Found& found, Timestamp now) {
  for (const auto& [cid, users] : changes) {
    const Place place{app, cid};
    const auto channel = found.channels.find(cid);
    if (channel == found.channels.end()) {     // deleted: nobody is left to be told
      for (const auto& user : users) settle(place, user, true, now);
      const std::lock_guard lock(mutex_);
      if (const auto watched = places_.find(place); watched != places_.end() && watched->second.users.empty()) places_.erase(watched);
    } else if (channel->second.large || users.size() > kMaxTold) {
      tell_number(place, channel->second, users, found, now);
    } else {
      tell_each(place, channel->second, users, found, now);
    }
  }
}

/// Makes the store and what was told agree with what is.
Watchers::Turned Watchers::settle(const Place& place, const std::string& user_id, bool invisible, Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto watched = places_.find(place);
  if (watched == places_.end()) return Turned::stops;            // another node's, which was killed
  const auto found = watched->second.users.find(user_id);
  if (found == watched->second.users.end()) return Turned::stops;
  Watcher& watcher = found->second;
  if (watcher.sockets > 0 && watcher.hidden != invisible) {
    if (invisible) held_.release(place.app, place.cid, user_id);
    else held_.hold(place.app, place.cid, user_id, now);
    watcher.hidden = invisible;
  }
  const bool shows = watcher.sockets > 0 && !invisible;
  const bool turned = std::exchange(watcher.told, shows) != shows;
  if (watcher.sockets == 0) watched->second.users.erase(found);
  if (watched->second.users.empty() && !watched->second.large) places_.erase(watched);
  return !turned ? Turned::nothing : shows ? Turned::starts : Turned::stops;
}

void Watchers::tell_each(const Place& place, const Channel& channel, const std::set<std::string>& users, const Found& found, Timestamp now) {
  std::vector<std::pair<std::string, Turned>> turned;
  for (const auto& user_id : users) {
    const auto user = found.users.find(user_id);
    const bool gone = user == found.users.end();
    const Turned what = settle(place, user_id, gone || user->second.invisible, now);
    if (what != Turned::nothing && !gone) turned.emplace_back(user_id, what);
  }
  if (turned.empty()) return;
  const ephemeral::Key key{place.app, kWatchers, place.cid};
  const auto holders = store_.holders(key);
  const auto count = static_cast<std::int64_t>(std::max(holders.size(), store_.count(key)));
  for (auto& [user_id, what] : turned) {
    const bool is_there = std::ranges::any_of(holders, [&](const auto& holder) { return holder.member == user_id; });
    if (what == Turned::stops && is_there) continue;             // through another node
    json::Writer data;
    data.object().field("user_id", user_id).field("watcher_count", count).end();
    auto except = found.users.at(user_id).apart;
    except.push_back(user_id);
    tell_channel(bus_, place.app, channel.id, place.cid, what == Turned::starts ? kWatchingStart : kWatchingStop, data.take(), std::move(except), now);
    count_told();
  }
}

/// A large channel after each time. The end of the rest is waited for without users.
bool Watchers::rests(const Place& place, const Channel& channel, Timestamp now) {
  const std::lock_guard lock(mutex_);
  const auto watched = places_.find(place);
  if (!channel.large || watched == places_.end() || now >= watched->second.counted_at + kQuiet) return false;
  watched->second.large = true;
  changed_[place];
  return true;
}

void Watchers::tell_number(const Place& place, const Channel& channel, const std::set<std::string>& users, const Found& found, Timestamp now) {
  for (const auto& user_id : users) {
    const auto user = found.users.find(user_id);
    settle(place, user_id, found.invisible.contains(user_id) || (user != found.users.end() && user->second.invisible), now);
  }
  if (rests(place, channel, now)) return;
  const auto count = static_cast<std::int64_t>(store_.count({place.app, kWatchers, place.cid}));
  {
    const std::lock_guard lock(mutex_);
    Watched& watched = places_[place];
    watched.large = channel.large;
    watched.counted_at = now;
    const bool is_news = std::exchange(watched.counted, count) != count;
    if (watched.users.empty()) places_.erase(place);
    if (!is_news) return;
  }
  json::Writer data;
  data.object().field("watcher_count", count).end();
  tell_channel(bus_, place.app, channel.id, place.cid, kWatchersUpdated, data.take(), {}, now);
  count_told();
}

}  // namespace chat::presence
