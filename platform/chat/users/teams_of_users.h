#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "platform/base/json.h"
#include "platform/chat/users/users.h"

/// The teams that users are put into. Private to the folder.
namespace chat::users {

/// "teams" and "teams_role", when there are any.
void write_teams(json::Writer& out, const std::string& teams);

/// Brings user_teams in line with users.teams. `user_ids`: an array literal.
void keep_teams(storage::Transaction& tx, const std::string& user_ids);

/// What one request changes about the teams of users. Made before they are written; `keep` afterwards.
class TeamMoves {
 public:
  TeamMoves(storage::Transaction& tx, const std::vector<UserInput>& inputs);
  /// When a team is named that there is not. `pointer`: of the user in the request.
  [[nodiscard]] std::optional<Error> refusal_of(const UserInput& input, const std::string& pointer) const;
  /// Writes user_teams, and has every node look again at who hears the channels that a moved user is a member of, and its
  /// sockets connect anew.
  void keep(storage::Transaction& tx, bus::Bus& bus, const std::string& user_ids);

 private:
  std::map<std::string, std::string> before_;   // teams of those users for whom teams are given
  std::set<std::string> existing_;              // of the teams given
};

}  // namespace chat::users
