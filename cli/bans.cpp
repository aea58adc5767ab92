#include <memory>

#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const Sheet kRow{.columns = {{"USER_ID", "user_id"},
                             {"SHADOW", "shadow"},
                             {"REASON", "reason"},
                             {"BY", "banned_by"},
                             {"SINCE", "created_at", Look::time},
                             {"UNTIL", "expires_at", Look::time}},
                 .name = "user_id"};
const Sheet kDetail{.columns = kRow.columns, .name = "user_id", .rows = "ban", .upright = true};

struct Given {
  std::string user, cid, reason;
  bool shadow = false;
  std::chrono::milliseconds length{0};
};

/// Of the application, or of one channel.
std::string bans_path(const Given& given) {
  return given.cid.empty() ? "/v1/bans" : channel_path(given.cid, "/bans");
}

std::string ban_path(const Given& given) { return bans_path(given) + "/" + text::percent_encode(given.user); }

std::string place_of(Session& session, const Given& given) {
  return given.cid.empty() ? "application " + session.app() : given.cid;
}

void add(Session& session, const Given& given) {
  session.confirm("Ban user " + given.user + " from " + place_of(session, given) + "?");
  json::Writer body;
  body.object().key("shadow").boolean(given.shadow);
  if (!given.reason.empty()) body.field("reason", given.reason);
  if (given.length.count() > 0)
    body.key("expires_at").time(session.world().clock.now() + given.length);
  body.end();
  const auto answer = put(session.public_api(), ban_path(given), body.take());
  session.done(answer, kDetail, "user " + given.user + " banned from " + place_of(session, given));
}

void lift(Session& session, const Given& given) {
  del(session.public_api(), ban_path(given));
  session.note("ban of " + given.user + " from " + place_of(session, given) + " lifted");
}

}  // namespace

void add_bans(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("ban", "Who is kept out of an application or a channel");
  noun.alias("bans");
  const std::string kWhere = "Of this channel instead of the whole application";
  noun.verb("list", "List the bans that hold now, shadow bans included")
      .alias("ls")
      .option("--channel", "CID", given->cid, kWhere, Fill::channel)
      .example("ban list --app acme")
      .run([given](Session& session) {
        session.print_list(list_all(session.public_api(), bans_path(*given), "bans"), kRow, "nobody is banned");
      });
  noun.verb("add", "Ban a user, or change its ban")
      .argument("USER", given->user, "user_id", Fill::user)
      .option("--channel", "CID", given->cid, kWhere, Fill::channel)
      .flag("--shadow", given->shadow, "Let it write on without anybody hearing it")
      .option("--reason", "TEXT", given->reason, "Why")
      .duration("--for", given->length, "How long (default: until it is lifted)")
      .example("ban add bob --app acme --reason Advertising --for 7d --yes")
      .example("ban add bob --app acme --channel messaging:general --shadow --yes")
      .run([given](Session& session) { add(session, *given); });
  noun.verb("lift", "Let a banned user in again")
      .argument("USER", given->user, "user_id", Fill::user)
      .option("--channel", "CID", given->cid, kWhere, Fill::channel)
      .example("ban lift bob --app acme")
      .run([given](Session& session) { lift(session, *given); });
}

}  // namespace chat::cli
