#include <memory>

#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "cli/tasks.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const Sheet kRow{.columns = {{"USER_ID", "user_id"},
                             {"NAME", "name"},
                             {"ROLE", "role"},
                             {"TYPE", "type"},
                             {"CREATED", "created_at", Look::time},
                             {"LAST_ACTIVE", "last_active_at", Look::time}},
                 .name = "user_id"};
const Sheet kDetail{.columns = {{"USER_ID", "user_id"},
                                {"NAME", "name"},
                                {"USERNAME", "username"},
                                {"EMAIL", "email"},
                                {"ROLE", "role"},
                                {"TYPE", "type"},
                                {"TEAMS", "teams"},
                                {"CUSTOM", "custom"},
                                {"CREATED", "created_at", Look::time},
                                {"LAST_ACTIVE", "last_active_at", Look::time},
                                {"DEACTIVATED", "deactivated_at", Look::time},
                                {"DELETED", "deleted_at", Look::time}},
                    .name = "user_id",
                    .rows = "user",
                    .upright = true};
const Sheet kResult{.columns = {{"USER_ID", "user.user_id"}, {"RESULT", "status", Look::state}},
                    .name = "user.user_id",
                    .rows = "results"};

struct Given {
  std::string user, name, role, search, mode = "soft", messages, file;
  std::int64_t count = 0;
  bool hide = false, deactivated = false;
};

std::string user_path(const std::string& user, const std::string& rest = "") {
  return "/v1/users/" + text::percent_encode(user) + rest;
}

/// Those whose name, username or id begins with a word.
std::string search_users(Session& session, const Given& given) {
  if (!given.role.empty() || given.deactivated)
    throw Failure(Exit::usage, "--search finds by name alone; give no --role and no --deactivated");
  json::Writer word;
  word.text(given.search);
  return query_all(session.public_api(), "/v1/users/search", "users", {{"q", word.take()}},
                   static_cast<std::size_t>(given.count));
}

std::string query_users(Session& session, const Given& given) {
  json::Writer filter;
  filter.object();
  if (!given.role.empty()) filter.field("role", given.role);
  if (given.deactivated) filter.key("deactivated").boolean(true);
  filter.end();
  return query_all(session.public_api(), "/v1/users/query", "users", {{"filter", filter.take()}},
                   static_cast<std::size_t>(given.count));
}

void list(Session& session, const Given& given) {
  const auto rows = given.search.empty() ? query_users(session, given) : search_users(session, given);
  session.print_list(rows, kRow, "no such users");
}

void put_user(Session& session, const Given& given) {
  json::Writer body;
  body.object().key("users").array().object().field("user_id", given.user);
  if (!given.name.empty()) body.field("name", given.name);
  if (!given.role.empty()) body.field("role", given.role);
  body.end().end().end();
  const auto answer = post(session.public_api(), "/v1/users", body.take());
  const auto status = status_of_one(answer, "user " + given.user);
  session.done(answer, kResult, "user " + given.user + " " + status);
}

void remove(Session& session, const Given& given) {
  session.confirm_name("Delete user " + given.user + " of " + session.app() +
                           (given.mode == "hard" ? " and its profile for good?" : "?") +
                           " Its tokens end; the id stays taken.",
                       given.user);
  std::vector<std::pair<std::string, std::string>> query{{"mode", given.mode}};
  if (!given.messages.empty()) query.emplace_back("messages", given.messages);
  del(session.public_api(), user_path(given.user), query);
  session.note("user " + given.user + " deleted");
}

void export_user(Session& session, const Given& given) {
  Download download(given.file);
  const auto answer =
      json::Document::parse(post(session.public_api(), user_path(given.user, "/export"), "{}"));
  const auto task = text_at(answer.root(), "task.task_id");
  session.note("task " + task + " exports " + given.user);
  follow_task(session, task, "exporting");
  download.run(session, task);
}

void add_changes(Noun& noun, const std::shared_ptr<Given>& given) {
  noun.verb("deactivate", "Lock a user out without deleting anything")
      .argument("USER", given->user, "user_id", Fill::user)
      .flag("--hide-messages", given->hide, "Also show what it wrote without its content")
      .example("user deactivate alice --app acme --yes")
      .run([given](Session& session) {
        session.confirm("Deactivate user " + given->user + " of " + session.app() + "?");
        json::Writer body;
        body.object().key("hide_messages").boolean(given->hide).end();
        const auto answer = post(session.public_api(), user_path(given->user, "/deactivate"), body.take());
        session.done(answer, kDetail, "user " + given->user + " deactivated");
      });
  noun.verb("reactivate", "Let a deactivated user in again")
      .argument("USER", given->user, "user_id", Fill::user)
      .example("user reactivate alice --app acme")
      .run([given](Session& session) {
        const auto answer = post(session.public_api(), user_path(given->user, "/reactivate"), "{}");
        session.done(answer, kDetail, "user " + given->user + " reactivated");
      });
  noun.verb("delete", "Delete a user; the id stays taken")
      .argument("USER", given->user, "user_id", Fill::user)
      .word("--mode", given->mode, {"soft", "hard"}, "Keep the profile, or empty it")
      .word("--messages", given->messages, {"keep", "hide", "erase"}, "What becomes of what it wrote")
      .example("user delete alice --app acme --confirm alice")
      .run([given](Session& session) { remove(session, *given); });
  noun.verb("export", "Export all that is known of a user, as lines of JSON")
      .argument("USER", given->user, "user_id", Fill::user)
      .option("--out-file", "FILE", given->file, "Write it there (0600) instead of printing it", Fill::file)
      .example("user export alice --app acme --out-file alice.ndjson")
      .run([given](Session& session) { export_user(session, *given); });
}

}  // namespace

void add_users(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("user", "An application's users");
  noun.alias("users");
  noun.verb("list", "List users, the newest first")
      .alias("ls")
      .option("--role", "ROLE", given->role, "Only those with this role")
      .flag("--deactivated", given->deactivated, "Only those who are locked out")
      .option("--search", "TEXT", given->search, "Only those whose name, username or id begins so")
      .number("--limit", given->count, 1, 1'000'000, "At most so many (default: all)")
      .watchable()
      .example("user list --app acme --limit 20")
      .example("user list --app acme --search ali")
      .run([given](Session& session) { list(session, *given); });
  noun.verb("show", "Show one user")
      .argument("USER", given->user, "user_id", Fill::user)
      .example("user show alice --app acme")
      .run([given](Session& session) {
        session.print(get(session.public_api(), user_path(given->user)), kDetail);
      });
  noun.verb("set", "Create a user, or change the fields given")
      .argument("USER", given->user, "user_id", Fill::user)
      .option("--name", "NAME", given->name, "What others see")
      .option("--role", "ROLE", given->role, "Its role in the application")
      .example("user set carol --app acme --name \"Carol Reyes\"")
      .run([given](Session& session) { put_user(session, *given); });
  add_changes(noun, given);
}

}  // namespace chat::cli
