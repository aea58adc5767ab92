#include "platform/chat/teams/teams.h"

#include <limits>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/teams/teams.sql.h"

namespace chat::teams {
namespace {

Team read(const storage::Row& row) {
  return {std::string(row.text(0)), row.optional_text(1), std::string(row.text(2)), row.time(3), row.time(4)};
}

void check_room(storage::Transaction& tx, std::int64_t max_teams) {
  if (max_teams == std::numeric_limits<std::int64_t>::max()) return;
  tx.query(sql::lock_teams, tx.app());
  if (tx.query(sql::count_teams, tx.app(), max_teams)[0].integer(0) >= max_teams)
    throw Error(Code::limit_reached, "The plan allows " + std::to_string(max_teams) + " teams.", {{"limit:teams", "Too many teams."}});
}

}  // namespace

std::string team_json(const Team& team) {
  json::Writer out;
  out.object()
      .field("team_id", team.team_id)
      .optional_field("name", team.name)
      .key("custom").raw(team.custom)
      .key("created_at").time(team.created_at)
      .key("updated_at").time(team.updated_at)
      .end();
  return out.take();
}

Team create_team(storage::Transaction& tx, const std::string& team_id, const std::optional<std::string>& name,
                 const std::optional<std::string>& custom, std::int64_t max_teams, Timestamp now) {
  check_room(tx, max_teams);
  auto rows = tx.find(sql::insert_team, tx.app(), team_id, name, custom, now);
  if (!rows) throw Error(Code::already_exists, "A team with this id exists.");
  return read((*rows)[0]);
}

Team get_team(storage::Transaction& tx, const std::string& team_id) {
  auto rows = tx.find(sql::get_team, tx.app(), team_id);
  if (!rows) throw not_found("team");
  return read((*rows)[0]);
}

Team update_team(storage::Transaction& tx, const std::string& team_id, const TeamChange& change, Timestamp now) {
  text::ArrayLiteral members, keys;
  for (const auto& name : change.unset) {
    if (name.starts_with("custom.")) keys.add(name.substr(7));
    else members.add(name);
  }
  auto rows = tx.find(sql::update_team, tx.app(), team_id, change.name, change.custom, members.take(), keys.take(), now);
  if (!rows) throw not_found("team");
  Team team = read((*rows)[0]);
  if (team.custom.size() > kMaxCustomBytes + 1024) throw invalid_field("#/set/custom", "The team's custom data would exceed 5 KiB.");
  return team;
}

void delete_team(storage::Transaction& tx, const std::string& team_id) {
  if (!tx.find(sql::lock_team, tx.app(), team_id)) throw not_found("team");
  if (!tx.query(sql::team_in_use, tx.app(), team_id).empty())
    throw Error(Code::conflict, "Users or channels belong to this team; take them out first.");
  tx.run(sql::forget_in_deleted_channels, tx.app(), team_id);
  tx.run(sql::delete_team, tx.app(), team_id);
}

storage::Page<Team> list_teams(storage::Transaction& tx, int limit, const std::optional<std::string>& cursor,
                               const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|teams";
  const std::string after = cursor ? cursors.open(scope, *cursor, "query:next").at(0) : "";
  auto rows = tx.query(sql::list_teams, tx.app(), after, limit + 1);
  storage::Page<Team> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {page.items.back().team_id});
  return page;
}

}  // namespace chat::teams
