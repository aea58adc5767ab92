#include "platform/chat/channels/member_query.h"

#include "platform/chat/channels/member_query.sql.h"
#include "platform/chat/channels/read_row.h"

namespace chat::channels {

using storage::FieldType;

const storage::Listing& member_listing(bool sees_bans) {
  static const std::vector<storage::ListField> fields{{"joined_at", "m.created_at", FieldType::time, true},
                                                      {"user_id", "u.user_id", FieldType::text, true},
                                                      {"name", "coalesce(u.name, '')", FieldType::text, true},
                                                      {"role", "m.role", FieldType::text},
                                                      {"deactivated", "(u.deactivated_at is not null)", FieldType::boolean}};
  static const storage::Listing of_members(sql::query_members, "m.user_id", fields);
  static const storage::Listing of_moderators(sql::query_members, "m.user_id", [] {
    auto more = fields;
    more.push_back({"banned",
                    "exists (select from channel_bans b where b.app_id = m.app_id and b.user_id = m.user_id and b.channel_id = m.channel_id "
                    "and (b.expires_at is null or b.expires_at > now()))",
                    FieldType::boolean});
    return more;
  }());
  return sees_bans ? of_moderators : of_members;
}

storage::Page<Member> query_members(storage::Transaction& tx, const Opened& opened, const std::optional<std::string>& typed,
                                    const storage::ListRequest& request, const storage::Cursors& cursors) {
  return member_listing(opened.may(Action::ban_members))
      .page<Member>(tx, storage::Params::of(tx.app(), opened.channel.id, typed, opened.acting_user.empty()), request, cursors,
                    [](const storage::Row& row) { return *read_member(row, 0); });
}

}  // namespace chat::channels
