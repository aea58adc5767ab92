#include "platform/chat/channels/membership.h"

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/channels/members.h"
#include "platform/chat/channels/membership.sql.h"

namespace chat::channels {
namespace {

void update_custom(storage::Transaction& tx, const Opened& opened, const MembershipChange& change, Timestamp now) {
  text::ArrayLiteral names, keys;
  for (const auto& name : change.unset) {
    if (name.starts_with("custom.")) keys.add(name.substr(7));
    else names.add(name);
  }
  auto rows = tx.query(sql::update_own_custom, tx.app(), opened.channel.id, opened.membership->id, change.custom, names.take(),
                       keys.take(), now);
  check_custom_size(rows[0].integer(0), "#/set/custom");
}

}  // namespace

Member update_membership(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const MembershipChange& change, Timestamp now) {
  opened.require(Action::update_own_membership);
  if (!opened.membership) throw forbidden("Only members keep something in a channel.");
  tx.run(sql::update_membership, tx.app(), opened.channel.id, opened.membership->id, change.muted, change.mute_expires_at,
         change.hidden, change.clear_history, change.pinned, change.archived, now);
  if (change.changes_custom()) update_custom(tx, opened, change, now);
  const Member member = get_member(tx, opened.channel, opened.acting_user);
  if (change.changes_custom()) tell(tx, bus, opened.channel, now, {{.type = kMemberUpdated, .data = member_data(member)}});
  json::Writer data;
  data.object().key("membership").raw(member_json(member, true)).end();
  tell_user(tx, bus, opened.channel, opened.acting_user, now, kMembershipUpdated, data.take());
  return member;
}

}  // namespace chat::channels
