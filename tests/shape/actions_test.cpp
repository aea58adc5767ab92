#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "platform/chat/channels/permissions.h"
#include "tests/shape/tree.h"
#include "tests/support/contract.h"

// What each operation asks of its caller (x-action of the contract) and what each role has: one catalogue of actions, and ops/docs/actions.md.
namespace chat::test {
namespace {

using nlohmann::json;

const std::string kPage = "ops/docs/actions.md";

std::vector<std::string> actions_of(const json& operation) {
  const json action = operation.value("x-action", json());
  if (action.is_array()) return action.get<std::vector<std::string>>();
  if (action.is_string() && action != "none") return {action.get<std::string>()};
  return {};
}

void judge(const std::string& id, const json& operation, std::vector<std::string>& mistakes) {
  const auto say = [&](const std::string& what) { mistakes.push_back(id + ": " + what); };
  const json action = operation.value("x-action", json());
  const auto actions = actions_of(operation);
  const bool for_users = operation.value("x-access", "") == "user_or_server";
  if (action != "none" && actions.empty()) say("lacks x-action");
  if (action.is_array() && actions.size() == 1) say("one action is no list");
  if (std::set<std::string>(actions.begin(), actions.end()).size() != actions.size()) say("an action stands twice");
  for (const auto& word : actions)
    if (!channels::parse_action(word)) say("no action " + word);
  if (!actions.empty() && !for_users) say("only users are asked for an action");
  const bool wants_words = for_users && action == "none";
  if (wants_words != (operation.value("x-may", "").size() >= 8)) say("x-may says who may where a user needs no action, and only there");
}

std::string cell(channels::Actions actions, const std::string& word) { return channels::allows(actions, *channels::parse_action(word)) ? " yes |" : " |"; }

std::string roles_table() {
  std::map<std::string, std::string> asked_by;
  for (const Operation& operation : Contract::get().operations())
    for (const auto& word : actions_of(*operation.node)) asked_by[word] += (asked_by[word].empty() ? "`" : ", `") + operation.id + "`";
  std::string out = "| action | member | moderator | admin | owner | anyone | asked by |\n| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const auto view : channels::words_of(channels::kAllActions)) {
    const std::string word(view);
    out += "| `" + word + "` |";
    for (const char* role : {"member", "moderator", "admin", "owner"}) out += cell(channels::actions_of(role, false, {}), word);
    out += cell(channels::actions_of("", true, {}), word) + " " + asked_by[word] + " |\n";
  }
  return out;
}

std::string words_table() {
  std::map<std::string, std::string> who;
  for (const Operation& operation : Contract::get().operations())
    if (operation.node->contains("x-may")) {
      auto& operations = who[(*operation.node)["x-may"]];
      operations += (operations.empty() ? "`" : ", `") + operation.id + "`";
    }
  std::string out = "| who may | operations |\n| --- | --- |\n";
  for (const auto& [may, operations] : who) out += "| " + may + " | " + operations + " |\n";
  return out;
}

std::string render() {
  return "# Who may do what\n\n"
         "Made from the contract (`x-action`, `x-may`) and the catalogue of actions, do not edit: `CHAT_WRITE_DOCS=1\n"
         "build/bin/chat_shape_tests \"[actions]\"` rewrites it. What your backend does with a server token for nobody is not asked; with `user_id` it may\n"
         "what that user may. A channel type gives its roles other actions with `grants` ([channels](channels.md#who-may-do-what)); what the caller has in a\n"
         "channel stands in each answer as `own_capabilities`.\n\n"
         "## Actions and the roles that have them\n\n"
         "`anyone` is whoever is not a member of an open channel. Of several actions that an operation can ask for, it asks for those of what is done:\n"
         "`chat:message:update_own` for one's own message, `chat:message:update_any` for another's; `chat:message:send_frozen` in a frozen channel only.\n"
         "No role has `chat:channel:create`: who makes a channel has no role there yet, so the type of the user decides.\n\n" +
         roles_table() +
         "\n## Operations that ask for no action\n\n"
         "Those that take a server token only (`x-access: server` in the contract) are not among them.\n\n" +
         words_table();
}

}  // namespace

TEST_CASE("actions: every operation says which it asks for, and every action is asked for by one", "[shape][actions]") {
  std::vector<std::string> mistakes;
  std::set<std::string> asked;
  for (const Operation& operation : Contract::get().operations()) {
    judge(operation.id, *operation.node, mistakes);
    for (const auto& word : actions_of(*operation.node)) asked.insert(word);
  }
  for (const auto view : channels::words_of(channels::kAllActions))
    if (!asked.count(std::string(view))) mistakes.push_back(std::string(view) + ": no operation of the contract asks for it");
  CHECK(asked.size() >= 30);
  CHECK(listed(mistakes) == "");
}

TEST_CASE("actions: the judge catches what it must", "[shape][actions]") {
  const auto said = [](const json& operation) {
    std::vector<std::string> mistakes;
    judge("x", operation, mistakes);
    return mistakes.size();
  };
  CHECK(said({{"x-access", "user_or_server"}, {"x-action", "chat:channel:read"}}) == 0);
  CHECK(said({{"x-access", "user_or_server"}, {"x-action", "none"}, {"x-may", "A user itself."}}) == 0);
  CHECK(said({{"x-access", "server"}, {"x-action", "none"}}) == 0);
  CHECK(said({{"x-access", "server"}}) == 1);
  CHECK(said({{"x-access", "user_or_server"}, {"x-action", "none"}}) == 1);
  CHECK(said({{"x-access", "user_or_server"}, {"x-action", "chat:channel:paint"}}) == 1);
  CHECK(said({{"x-access", "user_or_server"}, {"x-action", {"chat:channel:read", "chat:channel:read"}}}) == 1);
  CHECK(said({{"x-access", "server"}, {"x-action", "chat:channel:read"}}) == 1);
  CHECK(said({{"x-access", "server"}, {"x-action", "none"}, {"x-may", "A user itself."}}) == 1);
}

TEST_CASE("actions: ops/docs/actions.md shows what the contract and the roles say", "[shape][actions]") {
  const std::string page = render();
  if (std::getenv("CHAT_WRITE_DOCS") != nullptr) std::ofstream(std::string(CHAT_SOURCE_DIR "/") + kPage, std::ios::binary) << page;
  INFO("CHAT_WRITE_DOCS=1 build/bin/chat_shape_tests \"[actions]\" brings the page up to date.");
  REQUIRE(exists(kPage));
  CHECK(read_file(kPage) == page);
}

}  // namespace chat::test
