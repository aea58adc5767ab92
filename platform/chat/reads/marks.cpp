#include <unordered_map>
#include <unordered_set>

#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/reads/reads.h"
#include "platform/chat/reads/reads.sql.h"
#include "platform/chat/reads/reads_events.h"
#include "platform/chat/users/users.h"

namespace chat::reads {
namespace {

enum class Kind { read, delivered };

/// One channel of a batch whose mark may be moved.
struct Target {
  std::size_t place = 0;
  channels::Channel channel;                   // its names only
  UserId user;
  channels::TypeSettings settings;
  std::int64_t number = 0;
};

channels::Channel named(const storage::Row& row, int id, std::string type, std::string channel_id) {
  channels::Channel channel;
  channel.id = ChannelId{row.uuid(id)};
  channel.type = std::move(type);
  channel.channel_id = std::move(channel_id);
  return channel;
}

bool may_mark(std::string_view role, const channels::TypeSettings& settings) {
  return channels::allows(channels::actions_of(role, settings.open, settings.grants), channels::Action::mark_read);
}

std::vector<Target> find_targets(storage::Transaction& tx, const std::string& user_id, const std::vector<Place>& places,
                                 std::vector<MarkResult>& results) {
  text::ArrayLiteral types, ids, messages;
  for (const auto& place : places) {
    types.add(place.type);
    ids.add(place.channel_id);
    if (place.message) messages.add(place.message->text());
    else messages.add_null();
  }
  results.assign(places.size(), {});
  for (auto& result : results) result.error = not_found("channel");
  std::vector<Target> targets;
  auto rows = tx.query(sql::find_own_channels, tx.app(), user_id, types.take(), ids.take(), messages.take());
  for (auto row : rows) {
    const auto at = static_cast<std::size_t>(row.integer(0));
    auto settings = channels::parse_type_settings(std::string(row.text(4)));
    results[at].error.reset();
    if (!may_mark(row.text(3), settings)) results[at].error = forbidden("This role may not move its mark here.");
    else if (row.is_null(5)) results[at].error = not_found("message");
    else
      targets.push_back({at, named(row, 1, places[at].type, places[at].channel_id), UserId{row.uuid(2)}, std::move(settings),
                         row.integer(5)});
  }
  return targets;
}

struct Arrays {
  std::string channels, numbers;
};
Arrays arrays_of(const std::vector<Target>& targets) {
  text::ArrayLiteral channels, numbers;
  for (const auto& target : targets) {
    channels.add(target.channel.id.text());
    numbers.add(std::to_string(target.number));
  }
  return {channels.take(), numbers.take()};
}

/// Moves the marks; says which channels' did.
std::unordered_set<Uuid> move(storage::Transaction& tx, Kind kind, UserId user, const Arrays& arrays, Timestamp now) {
  static auto& reads = metrics::counter("chat_marks_moved_total", "Marks that moved forward.", {{"kind", "read"}});
  static auto& deliveries = metrics::counter("chat_marks_moved_total", "Marks that moved forward.", {{"kind", "delivered"}});
  tx.query(sql::lock_own_memberships, tx.app(), user, arrays.channels);
  auto rows = kind == Kind::read ? tx.query(sql::move_watermarks, tx.app(), user, arrays.channels, arrays.numbers, now)
                                 : tx.query(sql::move_delivered, tx.app(), user, arrays.channels, arrays.numbers, now);
  std::unordered_set<Uuid> moved;
  for (auto row : rows) moved.insert(row.uuid(0));
  (kind == Kind::read ? reads : deliveries).add(static_cast<double>(moved.size()));
  return moved;
}

void fill(const storage::Row& row, MarkResult& result) {
  if (auto number = row.optional_integer(1)) result.mark = Mark{*number, row.time(2), row.integer(3), row.integer(4)};
  if (auto number = row.optional_integer(5)) result.delivered = Delivered{*number, row.time(6)};
}

void tell(storage::Transaction& tx, bus::Bus& bus, Kind kind, const std::string& user_id, const Target& target,
          const MarkResult& result, Timestamp now) {
  if (kind == Kind::read && target.settings.read_events)
    channels::tell_unnumbered(tx, bus, target.channel, now, kMessageRead, mark_json(user_id, *result.mark));
  if (kind == Kind::delivered && target.settings.delivery_events)
    channels::tell_unnumbered(tx, bus, target.channel, now, kMessageDelivered, delivered_json(user_id, *result.delivered));
}

void move_all(storage::Transaction& tx, bus::Bus& bus, Kind kind, const std::string& user_id, const std::vector<Target>& targets,
              std::vector<MarkResult>& results, Timestamp now) {
  if (targets.empty()) return;
  const UserId user = targets.front().user;
  const auto arrays = arrays_of(targets);
  const auto moved = move(tx, kind, user, arrays, now);
  std::unordered_map<Uuid, MarkResult> marks;
  auto rows = tx.query(sql::get_marks, tx.app(), user, arrays.channels);
  for (auto row : rows) fill(row, marks[row.uuid(0)]);
  std::vector<std::string> cids;
  for (const auto& target : targets) {
    auto& result = results[target.place];
    result = marks[target.channel.id.uuid];
    result.moved = moved.contains(target.channel.id.uuid);
    if (!result.moved) continue;
    tell(tx, bus, kind, user_id, target, result, now);
    cids.push_back(target.channel.cid());
  }
  if (kind == Kind::read) tell_unread_moved(tx, bus, user_id, cids);
}

std::vector<MarkResult> mark(storage::Transaction& tx, bus::Bus& bus, Kind kind, const std::string& user_id,
                             const std::vector<Place>& places, Timestamp now) {
  users::get_user(tx, user_id);
  std::vector<MarkResult> results;
  const auto targets = find_targets(tx, user_id, places, results);
  move_all(tx, bus, kind, user_id, targets, results, now);
  return results;
}

}  // namespace

std::vector<MarkResult> mark_channels_read(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id,
                                           const std::vector<Place>& places, Timestamp now) {
  return mark(tx, bus, Kind::read, user_id, places, now);
}

std::vector<MarkResult> mark_delivered(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id,
                                       const std::vector<Place>& places, Timestamp now) {
  return mark(tx, bus, Kind::delivered, user_id, places, now);
}

MarkedAll mark_all_read(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, Timestamp now) {
  users::get_user(tx, user_id);
  auto rows = tx.query(sql::find_unread_channels, tx.app(), user_id, kMaxMarkedAtOnce + 1);
  std::vector<Target> targets;
  for (auto row : rows) {
    auto settings = channels::parse_type_settings(std::string(row.text(5)));
    if (static_cast<int>(targets.size()) == kMaxMarkedAtOnce || !may_mark(row.text(4), settings)) continue;
    targets.push_back({targets.size(), named(row, 0, std::string(row.text(1)), std::string(row.text(2))), UserId{row.uuid(3)},
                       std::move(settings), row.integer(6)});
  }
  std::vector<MarkResult> results(targets.size());
  move_all(tx, bus, Kind::read, user_id, targets, results, now);
  return {static_cast<int>(targets.size()), rows.size() > kMaxMarkedAtOnce};
}

}  // namespace chat::reads
