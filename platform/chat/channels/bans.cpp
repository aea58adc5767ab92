#include "platform/chat/channels/bans.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/chat/channels/bans.sql.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/channels/members.h"
#include "platform/chat/channels/read_row.h"
#include "platform/chat/users/users.h"
#include "tenants/applications.h"

namespace chat::channels {
namespace {

constexpr int kLiftedAtOnce = 500;

UserId find_user(storage::Transaction& tx, const std::string& user_id, const std::string& viewer = "") {
  const auto found = users::find_users(tx, {user_id}, viewer);
  if (found.empty()) throw not_found("user");
  return found.front().id;
}

std::string role_in(storage::Transaction& tx, ChannelId channel, const std::string& user_id) {
  auto rows = tx.find(sql::find_member, tx.app(), channel, user_id);
  return rows ? std::string((*rows)[0].text(0)) : "";
}

void tell_banned(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, const Ban& ban, Timestamp now) {
  json::Writer data;
  data.object().key("ban").raw(ban_json(ban)).end();
  tell(tx, bus, channel, now, {{.type = kMemberBanned, .data = data.take(), .left = {ban.user_id}}});
}

/// A member hears the channel again from here on.
void tell_unbanned(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, const std::string& user_id, Timestamp now) {
  json::Writer data;
  data.object().field("user_id", user_id).end();
  Draft draft{.type = kMemberUnbanned, .data = data.take()};
  if (!role_in(tx, channel.id, user_id).empty()) draft.joined.push_back(user_id);
  tell(tx, bus, channel, now, {std::move(draft)});
}

/// Errors:  not_found
void lift(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, const std::string& user_id,
          std::optional<Timestamp> expired_by, Timestamp now) {
  auto rows = tx.find(sql::delete_channel_ban, tx.app(), channel.id, user_id, expired_by);
  if (!rows) throw not_found("ban");
  tx.run(sql::flag_channel, tx.app(), channel.id);
  if (!(*rows)[0].boolean(0)) tell_unbanned(tx, bus, channel, user_id, now);
}

void lift(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, std::optional<Timestamp> expired_by, Timestamp now) {
  auto rows = tx.find(sql::delete_application_ban, tx.app(), user_id, expired_by);
  if (!rows) throw not_found("ban");
  tx.run(sql::flag_user, tx.app(), user_id, false);
  tenants::set_user_ban(tx, bus, tx.app(), user_id, std::nullopt, now);
}

void count_ban(storage::Transaction& tx, const char* from, bool shadow) {
  tx.after_commit([from, kind = shadow ? "shadow" : "open"] {
    metrics::counter("chat_bans_total", "Bans set, from a channel or the application.", {{"from", from}, {"kind", kind}}).add();
  });
}

}  // namespace

std::string ban_json(const Ban& ban) {
  json::Writer out;
  out.object()
      .field("user_id", ban.user_id)
      .key("shadow").boolean(ban.shadow)
      .optional_field("reason", ban.reason)
      .optional_field("banned_by", ban.banned_by)
      .key("created_at").time(ban.created_at)
      .optional_time("expires_at", ban.expires_at)
      .end();
  return out.take();
}

Ban ban_from_channel(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const std::string& user_id,
                     const BanInput& input, Timestamp now) {
  opened.require(Action::ban_members);
  if (user_id == opened.acting_user) throw forbidden("Nobody bans itself.");
  const auto user = find_user(tx, user_id, opened.acting_user);
  check_rank(opened, rank_of(role_in(tx, opened.channel.id, user_id)));
  auto before = tx.find(sql::get_channel_ban, tx.app(), opened.channel.id, user);
  const bool was_open = before && !(*before)[0].boolean(0);
  Ban ban{user_id, input.shadow, input.reason, std::nullopt, now, input.expires_at};
  if (opened.acting_id) ban.banned_by = opened.acting_user;
  tx.run(sql::put_channel_ban, tx.app(), opened.channel.id, user, ban.shadow, ban.reason, opened.acting_id, now, ban.expires_at);
  tx.run(sql::flag_channel, tx.app(), opened.channel.id);
  count_ban(tx, "channel", ban.shadow);
  if (!ban.shadow) tell_banned(tx, bus, opened.channel, ban, now);
  else if (was_open) tell_unbanned(tx, bus, opened.channel, user_id, now);
  return ban;
}

void lift_from_channel(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const std::string& user_id, Timestamp now) {
  opened.require(Action::ban_members);
  lift(tx, bus, opened.channel, user_id, std::nullopt, now);
}

Ban ban_from_application(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, const BanInput& input, Timestamp now) {
  const auto user = find_user(tx, user_id);
  tx.run(sql::put_application_ban, tx.app(), user, input.shadow, input.reason, now, input.expires_at);
  tx.run(sql::flag_user, tx.app(), user_id, true);
  count_ban(tx, "application", input.shadow);
  std::optional<Timestamp> until;
  if (!input.shadow) until = input.expires_at ? *input.expires_at : *parse_time("9999-12-31T00:00:00Z");
  tenants::set_user_ban(tx, bus, tx.app(), user_id, until, now);
  return {user_id, input.shadow, input.reason, std::nullopt, now, input.expires_at};
}

void lift_from_application(storage::Transaction& tx, bus::Bus& bus, const std::string& user_id, Timestamp now) {
  lift(tx, bus, user_id, std::nullopt, now);
}

storage::Page<Ban> list_bans(storage::Transaction& tx, const Channel* channel, int limit, const std::optional<std::string>& cursor,
                             const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|bans|" + (channel ? channel->id.text() : "");
  std::optional<std::string> after;
  if (cursor) after = cursors.open(scope, *cursor, "query:next").at(0);
  auto rows = channel ? tx.query(sql::list_channel_bans, tx.app(), channel->id, after, limit + 1)
                      : tx.query(sql::list_application_bans, tx.app(), after, limit + 1);
  storage::Page<Ban> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) {
    auto row = rows[i];
    page.items.push_back({std::string(row.text(1)), row.boolean(2), row.optional_text(3), row.optional_text(4), row.time(5),
                          row.optional_time(6)});
  }
  if (rows.size() > limit) page.next = cursors.seal(scope, {rows[limit - 1].uuid(0).text()});
  return page;
}

void lift_expired_bans(storage::Connection& connection, bus::Bus& bus, Timestamp now) {
  struct Expired {
    AppId app;
    std::string user_id;
    std::optional<std::string> type, channel_id;
  };
  std::vector<Expired> expired;
  connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) {
    expired.clear();
    auto rows = tx.query(sql::expired_bans, kLiftedAtOnce);
    for (auto row : rows) expired.push_back({AppId{row.uuid(0)}, std::string(row.text(1)), row.optional_text(2), row.optional_text(3)});
  });
  for (const auto& one : expired) {
    try {
      connection.transact(one.app, storage::Mode::write, [&](storage::Transaction& tx) {
        if (!one.type) return lift(tx, bus, one.user_id, now, now);
        auto locked = tx.find(sql::lock_banned_channel, tx.app(), *one.type, *one.channel_id);
        if (!locked) throw not_found("channel");
        const auto channel = read_channel(tx.query(sql::banned_channel, tx.app(), (*locked)[0].uuid(0))[0]);
        lift(tx, bus, channel, one.user_id, now, now);
      });
    } catch (const Error& error) {
      if (error.code() != Code::not_found) throw;           // lifted, renewed or deleted meanwhile
    }
  }
}

}  // namespace chat::channels
