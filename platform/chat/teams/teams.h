#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/storage/page.h"
#include "platform/storage/transaction.h"

/// Teams: groups of users inside an application that do not see each other, where the application's setting `teams` says so.
///
/// Who is in which team stands with the user, whose a channel is with the channel. The rule itself is in two functions of the
/// database (migration `teams`): `reaches_channel` and `reaches_user`. What they mean is told in ops/docs/teams.md.
namespace chat::teams {

struct Team {
  std::string team_id;                         // the customer's own id
  std::optional<std::string> name;
  std::string custom = "{}";                   // JSON object
  Timestamp created_at, updated_at;
};
std::string team_json(const Team& team);

inline constexpr std::size_t kMaxCustomBytes = 5 * 1024;   // minified

/// Errors:  already_exists; limit_reached (`max_teams`, of the application's plan)
Team create_team(storage::Transaction& tx, const std::string& team_id, const std::optional<std::string>& name,
                 const std::optional<std::string>& custom, std::int64_t max_teams, Timestamp now);
/// Errors:  not_found
Team get_team(storage::Transaction& tx, const std::string& team_id);

struct TeamChange {
  std::optional<std::string> name, custom;     // custom is merged key by key
  std::vector<std::string> unset;              // name | custom | custom.<key>
};
/// Errors:  not_found; invalid_field #/set/custom (too large together)
Team update_team(storage::Transaction& tx, const std::string& team_id, const TeamChange& change, Timestamp now);

/// Its figures stay in the ledger.
/// Errors:  not_found; conflict (users or channels belong to it)
void delete_team(storage::Transaction& tx, const std::string& team_id);

/// By team_id, 1..limit a page.
storage::Page<Team> list_teams(storage::Transaction& tx, int limit, const std::optional<std::string>& cursor,
                               const storage::Cursors& cursors);

}  // namespace chat::teams
