#include <memory>

#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const Sheet kExplanation{.columns = {{"ALLOWED", "allowed"},
                                     {"RULE", "rule"},
                                     {"DETAIL", "detail"},
                                     {"USER_ID", "user_id"},
                                     {"CID", "cid"},
                                     {"ACTION", "action"},
                                     {"ROLE", "role"},
                                     {"TEAM_ROLE", "team_role"}},
                         .name = "allowed",
                         .rows = "explanation",
                         .upright = true};

struct Given {
  std::string user, cid, action;
};

void explain(Session& session, const Given& given) {
  const auto path = channel_path(given.cid, "/explain?user_id=" + text::percent_encode(given.user) + "&action=" + text::percent_encode(given.action));
  session.print(get(session.api(), session.app_path(session.app(), path.substr(std::string("/v1").size()))), kExplanation);
}

}  // namespace

void add_permissions(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("permission", "Who may do what, and why");
  noun.verb("explain", "Say whether a user may do something in a channel, and which rule decides")
      .required_option("--user", "ID", given->user, "Whom it is about", Fill::user)
      .required_option("--channel", "CID", given->cid, "TYPE:ID", Fill::channel)
      .required_option("--action", "ACTION", given->action, "As own_capabilities names it: chat:message:send")
      .example("permission explain --app acme --user bob --channel messaging:general --action chat:message:send")
      .run([given](Session& session) { explain(session, *given); });
}

}  // namespace chat::cli
