#include "platform/chat/users/teams_of_users.h"

#include "platform/base/text.h"
#include "platform/chat/users/teams_of_users.sql.h"
#include "platform/chat/users/users_events.h"

namespace chat::users {
namespace {

constexpr int kMaxNamed = 1'000;               // channels in one control word; beyond, all of the application's

std::string array_of(const std::set<std::string>& texts) {
  text::ArrayLiteral array;
  for (const auto& text : texts) array.add(text);
  return array.take();
}

template <class Visit>
void each_team(const std::string& teams, const Visit& visit) {
  const auto document = json::Document::parse(teams);
  for (const auto& [team, role] : document.root().members()) visit(std::string(team), role);
}

}  // namespace

void write_teams(json::Writer& out, const std::string& teams) {
  if (teams == "{}") return;
  std::map<std::string, std::string> role_in;    // by name
  each_team(teams, [&](const std::string& team, const json::Value& role) {
    role_in[team] = role.kind() == json::Kind::text ? std::string(role.text()) : "";
  });
  out.key("teams").array();
  for (const auto& [team, role] : role_in) out.text(team);
  out.end().key("teams_role").object();
  for (const auto& [team, role] : role_in)
    if (!role.empty()) out.field(team, role);
  out.end();
}

void keep_teams(storage::Transaction& tx, const std::string& user_ids) {
  tx.run(sql::leave_teams, tx.app(), user_ids);
  tx.run(sql::enter_teams, tx.app(), user_ids);
}

TeamMoves::TeamMoves(storage::Transaction& tx, const std::vector<UserInput>& inputs) {
  std::set<std::string> users, teams;
  for (const auto& input : inputs) {
    if (!input.teams) continue;
    users.insert(input.user_id);
    before_[input.user_id] = "{}";
    each_team(*input.teams, [&](const std::string& team, const json::Value&) { teams.insert(team); });
  }
  if (users.empty()) return;
  if (!teams.empty()) {
    auto rows = tx.query(sql::lock_teams, tx.app(), array_of(teams));
    for (auto row : rows) existing_.insert(std::string(row.text(0)));
  }
  auto rows = tx.query(sql::lock_users, tx.app(), array_of(users));
  for (auto row : rows) before_[std::string(row.text(0))] = row.text(1);
}

std::optional<Error> TeamMoves::refusal_of(const UserInput& input, const std::string& pointer) const {
  std::optional<Error> refusal;
  if (!input.teams) return refusal;
  each_team(*input.teams, [&](const std::string& team, const json::Value&) {
    if (!refusal && !existing_.contains(team))
      refusal = Error(Code::not_found, "No such team: " + team + "; make it with POST /v1/teams.", {{pointer + "teams", "No such team: " + team + "."}});
  });
  return refusal;
}

void TeamMoves::keep(storage::Transaction& tx, bus::Bus& bus, const std::string& user_ids) {
  if (before_.empty()) return;
  keep_teams(tx, user_ids);
  for (const auto& [user_id, teams] : before_) {
    if (!tx.find(sql::is_moved, tx.app(), user_id, teams)) continue;
    auto rows = tx.query(sql::find_moved_channels, tx.app(), user_id, teams, kMaxNamed + 1);
    std::string detail = user_id;
    for (auto row : rows) detail += " " + std::string(row.text(0));
    if (rows.size() > kMaxNamed) detail = user_id + " *";
    tx.after_commit([&bus, app = tx.app(), detail = std::move(detail)] { bus.control({std::string(kTeamsMoved), app, detail, true}); });
  }
}

}  // namespace chat::users
