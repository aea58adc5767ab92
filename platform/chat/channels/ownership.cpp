#include "platform/chat/channels/ownership.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/channels/members.h"
#include "platform/chat/channels/ownership.sql.h"
#include "platform/chat/channels/read_row.h"
#include "platform/chat/users/users.h"

namespace chat::channels {
namespace {

constexpr int kUsersAtOnce = 20;
constexpr int kChannelsAtOnce = 200;           // of one user, in one round of the job

std::vector<std::string> list_owners(storage::Transaction& tx, const Channel& channel) {
  std::vector<std::string> owners;
  auto rows = tx.query(sql::list_owners, tx.app(), channel.id);
  for (auto row : rows) owners.emplace_back(row.text(0));
  return owners;
}

/// The draft of the change.
Draft set_role(storage::Transaction& tx, const Channel& channel, const std::string& user_id, Role role, Timestamp now) {
  tx.run(sql::set_role, tx.app(), channel.id, user_id, word(role), now);
  return {.type = kMemberUpdated, .data = member_data(get_member(tx, channel, user_id))};
}

/// False: none is left.
bool pass_on_one(storage::Transaction& tx, bus::Bus& bus, UserId owner, const std::string& user_id, const std::string& preferred,
                 Timestamp now) {
  auto locked = tx.find(sql::lock_owned_channel, tx.app(), owner);
  if (!locked) return false;
  const auto channel = read_channel(tx.query(sql::owned_channel, tx.app(), (*locked)[0].uuid(0))[0]);
  if (get_member(tx, channel, user_id).role != word(Role::owner)) return true;   // another node was first
  tell(tx, bus, channel, now, {set_role(tx, channel, user_id, Role::member, now)});
  pass_on(tx, bus, channel, preferred, now);
  return true;
}

}  // namespace

Member transfer_ownership(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const std::string& user_id, Timestamp now) {
  opened.require(Action::transfer_ownership);
  const auto& channel = opened.channel;
  const auto heir = get_member(tx, channel, user_id);
  if (users::find_candidates(tx, {user_id}, opened.acting_user, channel.team, channel.cross_team).empty()) throw not_found("member");
  const auto owners = list_owners(tx, channel);
  std::vector<Draft> drafts;
  for (const auto& owner : owners)
    if (owner != user_id) drafts.push_back(set_role(tx, channel, owner, Role::admin, now));
  if (heir.role != word(Role::owner)) drafts.push_back(set_role(tx, channel, user_id, Role::owner, now));
  tell(tx, bus, channel, now, std::move(drafts));
  return get_member(tx, channel, user_id);
}

void pass_on(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, const std::string& preferred, Timestamp now) {
  if (!list_owners(tx, channel).empty()) return;
  auto heir = tx.find(sql::find_successor, tx.app(), channel.id, preferred);
  if (!heir) return;
  tell(tx, bus, channel, now, {set_role(tx, channel, std::string((*heir)[0].text(0)), Role::owner, now)});
}

void pass_on_of_deleted(storage::Connection& connection, bus::Bus& bus, Timestamp now) {
  struct Handover {
    AppId app;
    UserId owner;
    std::string user_id, preferred;
  };
  std::vector<Handover> pending;
  connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) {
    pending.clear();
    auto rows = tx.query(sql::pending_handovers, kUsersAtOnce);
    for (auto row : rows)
      pending.push_back({AppId{row.uuid(0)}, UserId{row.uuid(1)}, std::string(row.text(2)), row.optional_text(3).value_or("")});
  });
  for (const auto& one : pending) {
    bool more = true;
    for (int i = 0; more && i < kChannelsAtOnce; ++i)
      connection.transact(one.app, storage::Mode::write, [&](storage::Transaction& tx) {
        more = pass_on_one(tx, bus, one.owner, one.user_id, one.preferred, now);
        if (!more) tx.run(sql::finish_handover, tx.app(), one.owner);
      });
  }
}

}  // namespace chat::channels
