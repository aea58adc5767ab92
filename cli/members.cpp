#include <memory>

#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const std::vector<Column> kColumns = {
    {"USER_ID", "user_id"}, {"ROLE", "role"}, {"CUSTOM", "custom"}, {"SINCE", "created_at", Look::time}};
const Sheet kRow{.columns = kColumns, .name = "user_id"};
const Sheet kDetail{.columns = kColumns, .name = "user_id", .rows = "member", .upright = true};
const Sheet kResult{.columns = {{"USER_ID", "member.user_id"}, {"ROLE", "member.role"}, {"RESULT", "status", Look::state}},
                    .name = "member.user_id",
                    .rows = "results"};

struct Given {
  std::string cid, user, role;
};

std::string member_path(const Given& given) {
  return channel_path(given.cid, "/members/" + text::percent_encode(given.user));
}

void add(Session& session, const Given& given) {
  json::Writer body;
  body.object().key("members").array().object().field("user_id", given.user);
  if (!given.role.empty()) body.field("role", given.role);
  body.end().end().end();
  const auto answer = post(session.public_api(), channel_path(given.cid, "/members"), body.take());
  const auto status = status_of_one(answer, "user " + given.user);
  session.done(answer, kResult,
               "user " + given.user + (status == "added" ? " added to " : " is in already: ") + given.cid);
}

void set(Session& session, const Given& given) {
  json::Writer body;
  body.object().field("role", given.role).end();
  const auto answer = patch(session.public_api(), member_path(given), body.take());
  session.done(answer, kDetail, "user " + given.user + " is " + given.role + " of " + given.cid);
}

void remove(Session& session, const Given& given) {
  session.confirm("Remove user " + given.user + " from " + given.cid + " of " + session.app() + "?");
  del(session.public_api(), member_path(given));
  session.note("user " + given.user + " removed from " + given.cid);
}

}  // namespace

void add_members(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("member", "Who is in a channel, as what");
  noun.alias("members");
  noun.verb("list", "List a channel's members")
      .alias("ls")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .watchable()
      .example("member list messaging:general --app acme -o name")
      .run([given](Session& session) {
        session.print_list(list_all(session.public_api(), channel_path(given->cid, "/members"), "members"), kRow,
                           "no members");
      });
  noun.verb("add", "Put a user into a channel")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .argument("USER", given->user, "user_id", Fill::user)
      .option("--role", "ROLE", given->role, "member, moderator, admin, owner (default member)")
      .example("member add messaging:general mallory --app acme --role moderator")
      .run([given](Session& session) { add(session, *given); });
  noun.verb("set", "Change a member's role")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .argument("USER", given->user, "user_id", Fill::user)
      .required_option("--role", "ROLE", given->role, "member, moderator, admin, owner")
      .example("member set messaging:general bob --app acme --role moderator")
      .run([given](Session& session) { set(session, *given); });
  noun.verb("remove", "Take a user out of a channel; what it wrote stays")
      .alias("rm")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .argument("USER", given->user, "user_id", Fill::user)
      .example("member remove messaging:general bob --app acme --yes")
      .run([given](Session& session) { remove(session, *given); });
}

}  // namespace chat::cli
