#include "platform/chat/segments/filter.h"

#include "platform/chat/segments/segments.sql.h"
#include "platform/chat/users/users.h"
#include "platform/storage/listing.h"

namespace chat::segments {
namespace {

constexpr int kBaseParameters = 3;

const storage::Listing& listing_of_channels() {
  using enum storage::FieldType;
  static const storage::Listing list(
      sql::filtered_channels, "s.id",
      {{"created_at", "s.created_at", time, true},
       {"updated_at", "s.updated_at", time},
       {"last_message_at", "coalesce(s.last_message_at, s.created_at)", time},
       {"member_count", "s.member_count", integer},
       {"cid", "(s.type || ':' || s.channel_id)", text},
       {"type", "s.type", text},
       {"id", "s.channel_id", text},
       {"name", "s.name", text},
       {"team", "s.team", text},
       {"created_by", "s.created_by", text},
       {"frozen", "s.frozen", boolean},
       {.name = "members", .column = "", .type = text, .sortable = false,
        .any_of = "exists (select 1 from channel_members cm join users mu on mu.app_id = cm.app_id and mu.id = cm.user_id "
                  "where cm.app_id = s.app_id and cm.channel_id = s.id and mu.user_id = any (%))"}});
  return list;
}

/// Nothing is paged by what is read with it.
const storage::Cursors& no_cursors() {
  static const storage::Cursors cursors(std::string(32, '-'));
  return cursors;
}

}  // namespace

const storage::Statement& filtered(Of of) { return of == Of::users ? sql::filtered_users : sql::filtered_channels; }

Composed compose_filter(Of of, const std::string& filter, const std::string& pointer) {
  const auto document = json::Document::parse("{\"filter\":" + filter + "}");
  json::Fields fields(document.root(), pointer);
  auto request = (of == Of::users ? users::listing(true) : listing_of_channels()).read(fields, no_cursors(), "", kBaseParameters);
  fields.finish();
  return {std::move(request.where), std::move(request.values)};
}

void check_filter(Of of, const std::string& filter, const std::string& pointer) { compose_filter(of, filter, pointer); }

}  // namespace chat::segments
