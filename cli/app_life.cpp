#include <memory>

#include "cli/apps.h"
#include "cli/output/value.h"
#include "cli/session.h"

namespace chat::cli {
namespace {

struct Given {
  std::string app, name, plan, reason, out_file;
  std::vector<std::string> set, unset;
  Belonging belonging;
};

void clone(Session& session, const Given& given) {
  session.check_secret_kept(given.out_file);
  json::Writer body;
  body.object().field("name", given.name);
  if (!given.plan.empty()) body.field("plan", given.plan);
  write_belonging(body, given.belonging);
  body.end();
  const auto answer = post(session.api(), session.app_path(given.app, "/clone"), body.take());
  session.show_secret(answer, "secret.value", new_application_sheet(), given.out_file);
  session.note("application " + given.name + " is set up as " + given.app + "; its secret can't be shown again");
}

bool is_json(const std::string& text) {
  if (text == "true" || text == "false") return true;
  return !text.empty() && (text.front() == '[' || text.front() == '{');
}

/// "guests=true", "search_language=german", "upload_types=[\"image/*\"]": what reads as JSON is JSON, anything else a text.
void write_setting(json::Writer& out, const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw Failure(Exit::usage, assignment + " is not SETTING=VALUE").with_next("for example chatctl app set acme --set guests=true");
  const auto value = assignment.substr(equals + 1);
  out.key(assignment.substr(0, equals));
  if (is_json(value)) out.raw(json::Document::parse(value).root().raw());
  else out.text(value);
}

void change(Session& session, const Given& given) {
  if (given.set.empty() && given.unset.empty()) throw Failure(Exit::usage, "nothing to change: give --set or --unset");
  json::Writer body;
  body.object();
  if (!given.set.empty()) {
    body.key("set").object();
    for (const auto& assignment : given.set) write_setting(body, assignment);
    body.end();
  }
  if (!given.unset.empty()) {
    body.key("unset").array();
    for (const auto& name : given.unset) body.text(name);
    body.end();
  }
  body.end();
  const auto answer = member_of(patch(session.api(), session.app_path(given.app, "/settings"), body.take()), "application");
  session.done(answer, application_sheet(), "settings of " + name_of_application(answer) + " changed");
}

void act(Session& session, const Given& given, const char* verb, const std::string& body, const char* done) {
  const auto answer = member_of(post(session.api(), session.app_path(given.app, verb), body), "application");
  session.done(answer, application_sheet(), "application " + name_of_application(answer) + " " + done);
}

void suspend(Session& session, const Given& given) {
  session.confirm("Suspend " + given.app +
                  "? Its calls are refused and its connections closed until it is resumed.");
  json::Writer body;
  body.object().field("reason", given.reason).end();
  act(session, given, "/suspend", body.take(), "suspended");
}

/// Name and app_id of what is about to go: acts on the id that was looked at, so that a name given to another application
/// meanwhile can't be hit.
std::pair<std::string, std::string> look(Session& session, const std::string& app) {
  const auto application = fetch_application(session, app);
  const auto document = json::Document::parse(application);
  return {text_at(document.root(), "name"), text_at(document.root(), "app_id")};
}

void remove(Session& session, const Given& given) {
  const auto [name, app_id] = look(session, given.app);
  session.confirm_name("Delete application " + name + " (" + app_id + ") with all its users, channels and messages? "
                           "It can be restored until its waiting time is over.",
                       name);
  del(session.api(), session.app_path(app_id));
  session.note("application " + name + " deleted; chatctl app restore " + app_id + " takes that back");
}

void purge(Session& session, const Given& given) {
  const auto [name, app_id] = look(session, given.app);
  session.confirm_name("Purge application " + name + " (" + app_id + "), its usage and its bills? "
                           "This can't be undone.",
                       name);
  post(session.api(), session.app_path(app_id, "/purge"), "{}");
  session.note("application " + name + " is being purged; within minutes nothing of it is left");
}

void add_ends(Noun& noun, const std::shared_ptr<Given>& given) {
  noun.verb("delete", "Delete an application; for some days it can be restored")
      .argument("APP", given->app, "app_id or exact name", Fill::application)
      .detail(
          "Severe: asks for the application's name; in scripts give it with --confirm. --yes is not enough. Its keys stop "
          "working at once; its data is purged after applications.deletion_wait (7 days). Its usage stays, for the bills.")
      .example("app delete acme --confirm acme")
      .run([given](Session& session) { remove(session, *given); });
  noun.verb("restore", "Take the deletion of an application back")
      .argument("APP", given->app, "app_id or exact name")
      .example("app restore acme")
      .run([given](Session& session) { act(session, *given, "/restore", "{}", "restored"); });
  noun.verb("purge", "Erase all rows of a deleted application; an owner's business")
      .argument("APP", given->app, "app_id or exact name")
      .detail("Severe: asks for the application's name. No row of it is left in any table, its usage and bills neither. "
              "What operators did with it stays in their audit.")
      .example("app purge acme --confirm acme")
      .run([given](Session& session) { purge(session, *given); });
}

}  // namespace

void add_application_life(Noun& noun) {
  const auto given = std::make_shared<Given>();
  auto clone_verb = noun.verb("clone", "Create an application that is set up like another; prints its first secret");
  clone_verb.argument("APP", given->app, "The one to take settings, channel types and plan from", Fill::application)
      .argument("NAME", given->name, "What to call the new one")
      .option("--plan", "PLAN", given->plan, "Another plan", Fill::plan);
  add_belonging(clone_verb, given->belonging);
  clone_verb.option("--out-file", "FILE", given->out_file, "Write the secret there (0600) instead of printing it", Fill::file)
      .detail("No users, channels or keys are taken over.")
      .example("app clone acme acme-dev --environment development --out-file acme-dev.secret")
      .run([given](Session& session) { clone(session, *given); });
  noun.verb("set", "Change single settings, and leave the others")
      .argument("APP", given->app, "app_id or exact name", Fill::application)
      .many("--set", "S=VALUE", given->set, "Give a setting a value: guests=true")
      .many("--unset", "S", given->unset, "Give a setting its default")
      .example("app set acme --set guests=true --set search_language=german --unset teams")
      .run([given](Session& session) { change(session, *given); });
  noun.verb("suspend", "Refuse an application's calls until it is resumed")
      .argument("APP", given->app, "app_id or exact name", Fill::application)
      .required_option("--reason", "TEXT", given->reason, "Why; kept with the application")
      .example("app suspend acme --reason \"invoice 2026-044 is overdue\"")
      .run([given](Session& session) { suspend(session, *given); });
  noun.verb("resume", "Let a suspended application work again")
      .argument("APP", given->app, "app_id or exact name", Fill::application)
      .example("app resume acme")
      .run([given](Session& session) { act(session, *given, "/resume", "{}", "resumed"); });
  add_ends(noun, given);
}

}  // namespace chat::cli
