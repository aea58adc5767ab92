#include "platform/chat/channels/channels.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels.sql.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/channels/overrides.h"
#include "platform/chat/channels/read_row.h"
#include "platform/chat/users/users.h"

namespace chat::channels {

using storage::FieldType;

Channel read_channel(const storage::Row& row, int at) {
  Channel channel;
  channel.id = ChannelId{row.uuid(at)};
  channel.type = row.text(at + 1);
  channel.channel_id = row.text(at + 2);
  channel.name = row.optional_text(at + 3);
  channel.image = row.optional_text(at + 4);
  channel.description = row.optional_text(at + 5);
  channel.custom = row.text(at + 6);
  channel.frozen = row.boolean(at + 7);
  channel.distinct = row.boolean(at + 8);
  channel.created_by = row.optional_text(at + 9);
  channel.created_at = row.time(at + 10);
  channel.updated_at = row.time(at + 11);
  channel.epoch = row.text(at + 12);
  channel.last_seq = row.integer(at + 13);
  channel.last_message_seq = row.integer(at + 14);
  if (auto id = row.optional_uuid(at + 15)) channel.last_message_id = MessageId{*id};
  channel.last_message_at = row.optional_time(at + 16);
  channel.member_count = row.integer(at + 17);
  channel.slow_mode = row.integer(at + 18);
  channel.cooldown = row.integer(at + 19);
  channel.truncated_at = row.optional_time(at + 20);
  if (auto id = row.optional_uuid(at + 21)) channel.truncated_up_to = channel.cleared_up_to = MessageId{*id};
  channel.team = row.optional_text(at + 22);
  channel.cross_team = row.boolean(at + 23);
  channel.overrides = row.text(at + 24);
  return channel;
}

std::optional<Member> read_member(const storage::Row& row, int at) {
  if (row.is_null(at)) return std::nullopt;
  Member member;
  member.id = UserId{row.uuid(at)};
  member.user_id = row.text(at + 1);
  member.role = row.text(at + 2);
  member.created_at = row.time(at + 3);
  member.updated_at = row.time(at + 4);
  member.read_seq = row.optional_integer(at + 5);
  member.read_at = row.optional_time(at + 6);
  member.unread = row.integer(at + 7);
  member.custom = row.text(at + 8);
  member.muted = row.boolean(at + 9);
  if (member.muted) member.mute_expires_at = row.optional_time(at + 10);
  member.hidden = row.boolean(at + 11);
  member.pinned_at = row.optional_time(at + 12);
  member.archived_at = row.optional_time(at + 13);
  if (auto id = row.optional_uuid(at + 14)) member.cleared_up_to = MessageId{*id};
  return member;
}

std::string channel_json(const Channel& channel) {
  json::Writer out;
  out.object()
      .field("id", channel.channel_id)
      .field("type", channel.type)
      .field("cid", channel.cid())
      .optional_field("name", channel.name)
      .optional_field("image", channel.image)
      .optional_field("description", channel.description)
      .key("custom").raw(channel.custom)
      .key("settings").raw(channel.overrides)
      .key("frozen").boolean(channel.frozen)
      .field("slow_mode", channel.slow_mode)
      .field("cooldown", channel.cooldown)
      .key("distinct").boolean(channel.distinct)
      .optional_field("team", channel.team);
  if (channel.cross_team) out.key("cross_team").boolean(true);
  out.optional_field("created_by", channel.created_by)
      .field("member_count", channel.member_count)
      .field("epoch", channel.epoch)
      .field("last_seq", channel.last_seq)
      .field("last_message_seq", channel.last_message_seq)
      .optional_time("last_message_at", channel.last_message_at)
      .optional_time("truncated_at", channel.truncated_at)
      .key("created_at").time(channel.created_at)
      .key("updated_at").time(channel.updated_at)
      .end();
  return out.take();
}

std::string member_json(const Member& member, bool own) {
  json::Writer out;
  out.object()
      .field("user_id", member.user_id)
      .field("role", member.role)
      .key("custom").raw(member.custom)
      .key("created_at").time(member.created_at)
      .key("updated_at").time(member.updated_at);
  if (member.read_seq) out.field("read_seq", *member.read_seq);
  out.optional_time("read_at", member.read_at);
  if (own) {
    out.field("unread", member.unread)
        .key("muted").boolean(member.muted)
        .optional_time("mute_expires_at", member.mute_expires_at)
        .key("hidden").boolean(member.hidden)
        .optional_time("pinned_at", member.pinned_at)
        .optional_time("archived_at", member.archived_at);
  }
  out.end();
  return out.take();
}

bool is_channel_id(std::string_view text) {
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  if (text.size() > 128) return false;
  if (text.starts_with('!')) text.remove_prefix(1);
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

void Opened::require(Action action) const {
  if (may(action)) return;
  throw forbidden("This needs " + std::string(word(action)) + ", which " +
                  (membership ? "the role " + membership->role + " does not have here." : "only members have here."));
}

namespace {

storage::Rows ask_for(storage::Transaction& tx, text::ArrayLiteral types, text::ArrayLiteral ids, const std::string& acting_user) {
  return tx.query(sql::open_channels, tx.app(), types.take(), ids.take(), acting_user);
}

/// Errors:  those of open_channel: what keeps the acting user out
Opened read_opened(const storage::Row& row, const std::string& acting_user) {
  Opened opened;
  opened.channel = read_channel(row);
  opened.settings = parse_type_settings(std::string(row.text(kChannelColumns)));
  apply_overrides(opened.settings, opened.channel.overrides);
  opened.acting_user = opened.channel.reader = acting_user;
  if (auto id = row.optional_uuid(kChannelColumns + 1)) opened.acting_id = UserId{*id};
  opened.membership = read_member(row, kChannelColumns + 3);
  if (opened.membership) opened.channel.cleared_up_to = std::max(opened.channel.truncated_up_to, opened.membership->cleared_up_to);
  if (acting_user.empty()) {
    opened.actions = kAllActions;
    return opened;
  }
  if (opened.acting_id && row.boolean(kChannelColumns + 2)) throw Error(Code::user_deactivated, "This user is deactivated.");
  if (opened.acting_id && !row.boolean(row.column("reached"))) throw not_found("channel");
  const auto role = opened.membership ? opened.membership->role : "";
  const auto team_role = row.optional_text(row.column("team_role")).value_or("");
  opened.actions = opened.acting_id ? actions_of(role, opened.settings.open, opened.settings.grants, team_role) : 0;
  if (opened.acting_id && row.text(row.column("user_type")) == "anonymous") opened.actions &= kAnonymousActions;
  if (row.boolean(row.column("blocked"))) opened.actions &= kBlockedActions;
  if (!opened.may(Action::read_channel)) throw not_found("channel");
  const int ban = kChannelColumns + 3 + kMemberColumns;
  if (!row.is_null(ban) && !row.boolean(ban)) throw forbidden("This user is banned from this channel.");
  opened.channel.sees_shadowed = opened.may(Action::see_shadowed);
  return opened;
}

}  // namespace

Opened open_channel(storage::Transaction& tx, const tenants::Caller& caller, const std::string& type,
                    const std::string& channel_id, const std::string& acting_user) {
  INVARIANT(!acting_user.empty() || caller.is_server(), "only a server acts for nobody");
  return open_channel_as(tx, type, channel_id, acting_user);
}

Opened open_channel_as(storage::Transaction& tx, const std::string& type, const std::string& channel_id,
                       const std::string& acting_user) {
  auto opened = try_open(tx, type, channel_id, acting_user);
  if (!opened) throw not_found("channel");
  return std::move(*opened);
}

std::optional<Opened> try_open(storage::Transaction& tx, const std::string& type, const std::string& channel_id,
                               const std::string& acting_user) {
  text::ArrayLiteral types, ids;
  types.add(type);
  ids.add(channel_id);
  auto rows = ask_for(tx, std::move(types), std::move(ids), acting_user);
  if (rows.empty()) return std::nullopt;
  return read_opened(rows[0], acting_user);
}

std::vector<Opened> open_channels(storage::Transaction& tx, const tenants::Caller& caller, const std::vector<std::string>& cids,
                                  const std::string& acting_user) {
  INVARIANT(!acting_user.empty() || caller.is_server(), "only a server acts for nobody");
  text::ArrayLiteral types, ids;
  for (const auto& cid : cids) {
    const auto colon = cid.find(':');
    types.add(cid.substr(0, colon));
    ids.add(cid.substr(colon + 1));
  }
  std::vector<Opened> open;
  for (auto row : ask_for(tx, std::move(types), std::move(ids), acting_user)) {
    try {
      open.push_back(read_opened(row, acting_user));
    } catch (const Error& closed) {
      if (closed.code() != Code::not_found && closed.code() != Code::forbidden) throw;
    }
  }
  return open;
}

Opened lock_channel(storage::Transaction& tx, const tenants::Caller& caller, const std::string& type,
                    const std::string& channel_id, const std::string& acting_user) {
  if (!tx.find(sql::lock_head, tx.app(), type, channel_id)) throw not_found("channel");
  return open_channel(tx, caller, type, channel_id, acting_user);
}

Channel lock_head(storage::Transaction& tx, const std::string& type, const std::string& channel_id) {
  auto locked = tx.find(sql::lock_head, tx.app(), type, channel_id);
  if (!locked) throw not_found("channel");
  return read_channel(tx.query(sql::get_channel, tx.app(), (*locked)[0].uuid(0))[0]);
}

namespace {

void check_team_change(storage::Transaction& tx, const Opened& opened, const ChannelChange& change) {
  const bool leaves = std::find(change.unset.begin(), change.unset.end(), "team") != change.unset.end();
  if (!change.team && !change.cross_team && !leaves) return;
  if (!opened.acting_user.empty()) throw forbidden("Only a server acting for nobody changes a channel's team.");
  if (change.team && !tx.find(sql::hold_team, tx.app(), *change.team))
    throw Error(Code::not_found, "No such team: " + *change.team + ".", {{"#/set/team", "No such team."}});
}

}  // namespace

Channel update_channel(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const ChannelChange& change, Timestamp now) {
  const bool about = change.name || change.image || change.description || change.custom || change.overrides || !change.unset.empty();
  if (about || (!change.frozen && !change.paces())) opened.require(Action::update_channel);
  if (change.frozen) opened.require(Action::freeze_channel);
  if (change.paces()) opened.require(Action::set_slow_mode);
  check_team_change(tx, opened, change);
  if (change.overrides && !opened.acting_user.empty()) check_overrides(get_channel_type(tx, opened.channel.type).settings, *change.overrides);
  text::ArrayLiteral members, keys, settings;
  for (const auto& name : change.unset) {
    if (name.starts_with("custom.")) keys.add(name.substr(7));
    else if (name.starts_with("settings.")) settings.add(name.substr(9));
    else members.add(name);
  }
  auto rows = tx.query(sql::update_channel, tx.app(), opened.channel.id, change.name, change.image, change.description,
                       change.custom, change.frozen, members.take(), keys.take(), now, change.slow_mode, change.cooldown,
                       change.team, change.cross_team,
                       change.overrides, settings.take());
  if (rows[0].integer(0) > static_cast<std::int64_t>(users::kMaxCustomBytes) + 1024)
    throw invalid_field("#/set/custom", "The channel's custom data would exceed 5 KiB.");
  auto channel = read_channel(tx.query(sql::get_channel, tx.app(), opened.channel.id)[0]);
  channel.last_seq += 1;                       // the number that this event takes
  json::Writer data;
  data.object().key("channel").raw(channel_json(channel)).end();
  tell(tx, bus, channel, now, {{.type = kChannelUpdated, .data = data.take()}});
  if (channel.team != opened.channel.team || channel.cross_team != opened.channel.cross_team)
    tx.after_commit([&bus, app = tx.app(), cid = channel.cid()] { bus.control({std::string(kChannelMoved), app, cid, true}); });
  return channel;
}

void delete_channel(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, Timestamp now) {
  opened.require(Action::delete_channel);
  json::Writer data;
  data.object().key("channel").raw(channel_json(opened.channel)).end();
  tell(tx, bus, opened.channel, now, {{.type = kChannelDeleted, .data = data.take()}});
  tx.run(sql::delete_channel, tx.app(), opened.channel.id, now);
}

// Pinned channels before all others; among themselves, and the others, the latest first.
constexpr std::string_view kPinnedFirst =
    "(case when m.pinned_at is null then 0 else 1000000000000000000 end + "
    "(extract(epoch from coalesce(m.pinned_at, s.last_message_at, s.created_at)) * 1000000)::bigint)";

const storage::Listing& listing() {
  static const storage::Listing list(
      sql::query_channels, "s.id",
      {{"last_message_at", "coalesce(s.last_message_at, s.created_at)", FieldType::time, true},
       {"pinned_first", kPinnedFirst, FieldType::integer, true},
       {"pinned_at", "coalesce(m.pinned_at, '-infinity')", FieldType::time, true},
       {"archived_at", "coalesce(m.archived_at, '-infinity')", FieldType::time, true},
       {"unread", "coalesce(m.unread, 0)", FieldType::integer, true},
       {"pinned", "(m.pinned_at is not null)", FieldType::boolean},
       {"archived", "(m.archived_at is not null)", FieldType::boolean},
       {"muted", "coalesce(m.muted, false)", FieldType::boolean},
       {"hidden", "coalesce(m.hidden, false)", FieldType::boolean},
       {"created_at", "s.created_at", FieldType::time, true},
       {"updated_at", "s.updated_at", FieldType::time, true},
       {"member_count", "s.member_count", FieldType::integer, true},
       {"cid", "(s.type || ':' || s.channel_id)", FieldType::text},
       {"type", "s.type", FieldType::text},
       {"id", "s.channel_id", FieldType::text},
       {"name", "s.name", FieldType::text},
       {"team", "s.team", FieldType::text},
       {"created_by", "s.created_by", FieldType::text},
       {"frozen", "s.frozen", FieldType::boolean},
       {.name = "members", .column = "", .type = FieldType::text, .sortable = false,
        .any_of = "exists (select 1 from channel_members cm join users mu on mu.app_id = cm.app_id and mu.id = cm.user_id "
                  "where cm.app_id = s.app_id and cm.channel_id = s.id and mu.user_id = any (%))"}});
  return list;
}

storage::Page<Listed> query_channels(storage::Transaction& tx, const std::string& acting_user, bool is_server, bool with_hidden,
                                     const storage::ListRequest& request, const storage::Cursors& cursors) {
  const bool restricted = !acting_user.empty();
  return listing().page<Listed>(
      tx, storage::Params::of(tx.app(), acting_user, restricted, with_hidden), request, cursors, [&](const storage::Row& row) {
        Listed listed{read_channel(row), kAllActions, read_member(row, kChannelColumns + 1)};
        const auto settings = parse_type_settings(std::string(row.text(kChannelColumns)));
        if (restricted || !is_server)
          listed.actions = actions_of(listed.membership ? listed.membership->role : "", settings.open, settings.grants,
                                      row.optional_text(row.column("team_role")).value_or(""));
        return listed;
      });
}

}  // namespace chat::channels
