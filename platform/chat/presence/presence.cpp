#include "platform/chat/presence/presence.h"

#include <algorithm>
#include <unordered_map>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/presence/presence.sql.h"
#include "platform/chat/presence/statuses.h"
#include "platform/chat/presence/words.h"

namespace chat::presence {
namespace {

/// One page of what is sorted by user id.
template <class Item, class IdOf>
std::pair<std::vector<Item>, std::optional<std::string>> page_of(const std::vector<Item>& all, int limit, const std::string& scope,
                                                                 const std::optional<std::string>& cursor,
                                                                 const storage::Cursors& cursors, IdOf id_of) {
  const std::string after = cursor ? cursors.open(scope, *cursor, "query:next").at(0) : "";
  auto at = std::ranges::upper_bound(all, after, {}, id_of);
  std::vector<Item> items;
  while (at != all.end() && items.size() < static_cast<std::size_t>(limit)) items.push_back(*at++);
  std::optional<std::string> next;
  if (at != all.end()) next = cursors.seal(scope, {std::string(id_of(items.back()))});
  return {std::move(items), next};
}

std::string list_of(const std::vector<std::string>& texts) {
  text::ArrayLiteral list;
  for (const auto& one : texts) list.add(one);
  return list.take();
}

std::vector<ephemeral::Key> keys_of(AppId app, const std::vector<std::string>& user_ids) {
  std::vector<ephemeral::Key> keys;
  keys.reserve(user_ids.size());
  for (const auto& user_id : user_ids) keys.push_back({app, kOnline, user_id});
  return keys;
}

struct Seen {
  bool visible = false;
  std::optional<Timestamp> last_active_at;
};
std::unordered_map<std::string, Seen> find_seen(storage::Transaction& tx, const std::string& viewer, const std::vector<std::string>& user_ids) {
  std::unordered_map<std::string, Seen> seen;
  auto rows = tx.query(sql::find_standings, tx.app(), viewer, list_of(user_ids));
  for (auto row : rows) seen[std::string(row.text(0))] = {row.boolean(1), row.optional_time(2)};
  return seen;
}

}  // namespace

std::string_view word(Status status) {
  switch (status) {
    case Status::offline: return "offline";
    case Status::away: return "away";
    case Status::online: return "online";
  }
  return "";
}

std::string standing_json(const Standing& standing) {
  json::Writer out;
  out.object().field("user_id", standing.user_id).field("status", word(standing.status))
      .key("online").boolean(standing.status != Status::offline).optional_time("last_active_at", standing.last_active_at).end();
  return out.take();
}

std::vector<Status> ask_statuses(ephemeral::Store& store, AppId app, const std::vector<std::string>& user_ids) {
  std::vector<Status> statuses;
  for (const auto& holders : store.holders(keys_of(app, user_ids))) statuses.push_back(status_of(holders));
  return statuses;
}

std::vector<std::string> connected_among(ephemeral::Store& store, AppId app, const std::vector<std::string>& user_ids) {
  const auto held = store.holders(keys_of(app, user_ids));
  std::vector<std::string> connected;
  for (std::size_t i = 0; i < user_ids.size(); ++i)
    if (is_connected(held[i])) connected.push_back(user_ids[i]);
  return connected;
}

std::vector<std::string> online_among(ephemeral::Store& store, AppId app, const std::vector<std::string>& user_ids) {
  const auto statuses = ask_statuses(store, app, user_ids);
  std::vector<std::string> online;
  for (std::size_t i = 0; i < user_ids.size(); ++i)
    if (statuses[i] == Status::online) online.push_back(user_ids[i]);
  return online;
}

std::vector<Standing> find_standings(storage::Transaction& tx, ephemeral::Store& store, const std::string& viewer,
                                     const std::vector<std::string>& user_ids) {
  const auto seen = find_seen(tx, viewer, user_ids);
  const auto statuses = ask_statuses(store, tx.app(), user_ids);
  std::vector<Standing> standings;
  for (std::size_t i = 0; i < user_ids.size(); ++i) {
    const auto found = seen.find(user_ids[i]);
    if (found == seen.end()) continue;
    Standing standing{user_ids[i], Status::offline, std::nullopt};
    if (found->second.visible) standing.status = statuses[i];
    if (found->second.visible && standing.status != Status::online) standing.last_active_at = found->second.last_active_at;
    standings.push_back(std::move(standing));
  }
  return standings;
}

realtime::Shown shown_to(storage::Transaction& tx, ephemeral::Store& store, const std::string& viewer, const std::vector<std::string>& user_ids) {
  realtime::Shown shown;
  json::Writer out;
  out.object().key("users").array();
  for (const auto& standing : find_standings(tx, store, viewer, user_ids)) {
    shown.users.emplace_back(standing.user_id, standing.status);
    out.raw(standing_json(standing));
  }
  shown.data = out.end().end().take();
  return shown;
}

Present list_online(storage::Transaction& tx, ephemeral::Store& store, const channels::Opened& opened, int limit,
                    const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  if (opened.settings.large) throw forbidden("In a large channel nobody is looked for one by one.");
  std::vector<std::string> members;
  auto rows = tx.query(sql::find_members_to_look_for, tx.app(), opened.channel.id, std::int64_t{kMaxMembers});
  for (auto row : rows) members.emplace_back(row.text(0));
  std::ranges::sort(members);
  auto here = find_standings(tx, store, opened.acting_user, members);
  std::erase_if(here, [](const Standing& one) { return one.status == Status::offline; });
  Present present;
  present.count = static_cast<std::int64_t>(here.size());
  present.complete = opened.channel.member_count <= kMaxMembers;
  const auto scope = tx.app().text() + "|online|" + opened.channel.cid() + "|" + opened.acting_user;
  std::tie(present.users, present.next) = page_of(here, limit, scope, cursor, cursors, [](const Standing& one) -> const std::string& { return one.user_id; });
  return present;
}

Watching list_watchers(storage::Transaction& tx, ephemeral::Store& store, const channels::Opened& opened, int limit,
                       const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const ephemeral::Key key{tx.app(), kWatchers, opened.channel.cid()};
  Watching watching;
  watching.count = static_cast<std::int64_t>(store.count(key));
  if (opened.settings.large) return watching;
  std::vector<std::string> users;
  for (const auto& holder : store.holders(key)) users.push_back(holder.member);
  const auto seen = find_seen(tx, opened.acting_user, users);
  std::erase_if(users, [&](const std::string& user_id) {
    const auto found = seen.find(user_id);
    return found == seen.end() || !found->second.visible;
  });
  const auto scope = tx.app().text() + "|watchers|" + opened.channel.cid() + "|" + opened.acting_user;
  std::tie(watching.users, watching.next) = page_of(users, limit, scope, cursor, cursors, [](const std::string& one) -> const std::string& { return one; });
  return watching;
}

}  // namespace chat::presence
