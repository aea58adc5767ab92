#include "platform/chat/channels/direct.h"

#include <map>

#include "platform/base/crypto.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/channels/direct.sql.h"
#include "platform/chat/channels/members.h"
#include "platform/chat/channels/read_row.h"

namespace chat::channels {
namespace {

struct Columns {
  text::ArrayLiteral ids, channel_ids, epochs, others;
};

/// Who is the other one of each, by the channel's id.
std::map<std::string, DirectUser> add_all(const DirectOpening& opening, Timestamp now, Columns& columns) {
  std::map<std::string, DirectUser> others;
  for (const auto& user : opening.to) {
    const auto channel_id = distinct_id({opening.from.user_id, user.user_id}, opening.team);
    columns.ids.add(ChannelId::make(now).text());
    columns.channel_ids.add(channel_id);
    others[channel_id] = user;
  }
  return others;
}

}  // namespace

void hold_pairs(storage::Transaction& tx, UserId from, const std::string& others) { tx.query(sql::hold_pairs, tx.app(), from, others); }

void make_direct_channels(storage::Transaction& tx, bus::Bus& bus, const DirectOpening& opening, const Caps& caps, Timestamp now) {
  if (opening.to.empty()) return;
  const auto settings = get_channel_type(tx, opening.type).settings;
  Columns columns;
  const auto others = add_all(opening, now, columns);
  const auto made = tx.query(sql::insert_direct_channels, tx.app(), columns.ids.take(), opening.type, columns.channel_ids.take(), opening.from.id, now,
                             settings.slow_mode, settings.cooldown, opening.team);
  if (made.empty()) return;
  text::ArrayLiteral channels, members, everybody;
  everybody.add(opening.from.id.text());
  for (auto row : made) {
    channels.add(row.uuid(0).text());
    columns.epochs.add(crypto::hex(crypto::random_bytes(4)));
    members.add(others.at(std::string(row.text(1))).id.text());
    everybody.add(others.at(std::string(row.text(1))).id.text());
  }
  const auto ids = channels.take(), users = everybody.take();
  hold_memberships(tx, users, caps);
  tx.run(sql::insert_direct_members, tx.app(), ids, columns.epochs.take(), members.take(), opening.from.id, now);
  check_memberships(tx, users, caps);
  std::vector<Created> created;
  const auto rows = tx.query(sql::get_direct_channels, tx.app(), ids);
  for (auto row : rows) created.push_back({true, read_channel(row)});
  std::vector<FirstEvent> events;
  for (auto& one : created) {
    json::Writer data;
    data.object().key("channel").raw(channel_json(one.channel)).end();
    const auto& other = others.at(one.channel.channel_id).user_id;
    events.push_back({&one.channel, {.type = kChannelCreated, .data = data.take(), .message = {}, .joined = {opening.from.user_id, other}, .left = {}}});
  }
  tell_first(tx, bus, now, std::move(events));
}

}  // namespace chat::channels
