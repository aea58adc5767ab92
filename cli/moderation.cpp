#include "cli/moderation.h"

#include <memory>

#include "cli/moderation_rules.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const Sheet kItems{.columns = {{"ITEM_ID", "item_id"},
                               {"STATUS", "status", Look::state},
                               {"PRIORITY", "priority", Look::number},
                               {"FLAGS", "flags", Look::number},
                               {"FINDINGS", "findings", Look::number},
                               {"CID", "cid"},
                               {"USER", "user_id"},
                               {"ASSIGNED", "assigned_to"},
                               {"SINCE", "created_at", Look::time},
                               {"SAYS", "evidence.text"}},
                   .name = "item_id"};
const Sheet kItem{.columns = {{"ITEM_ID", "item.item_id"},
                              {"STATUS", "item.status", Look::state},
                              {"OUTCOME", "item.outcome"},
                              {"SEVERITY", "item.severity", Look::number},
                              {"FLAGS", "flags"},
                              {"CID", "item.cid"},
                              {"MESSAGE_ID", "item.message_id"},
                              {"USER", "item.user_id"},
                              {"ASSIGNED", "item.assigned_to"},
                              {"SINCE", "item.created_at", Look::time},
                              {"SAYS", "item.evidence.text"},
                              {"DECISIONS", "decisions"}},
                  .name = "item.item_id",
                  .upright = true};
const Sheet kLog{.columns = {{"DECISION_ID", "decision_id"},
                             {"AT", "created_at", Look::time},
                             {"ACTION", "action"},
                             {"BY", "by"},
                             {"MODERATOR", "moderator_id"},
                             {"CID", "cid"},
                             {"USER", "user_id"},
                             {"POINTS", "points", Look::number},
                             {"UNDONE", "undone_at", Look::time},
                             {"REASON", "reason"}},
                 .name = "decision_id"};
const Sheet kAppeals{.columns = {{"APPEAL_ID", "appeal_id"},
                                 {"STATUS", "status", Look::state},
                                 {"USER", "user_id"},
                                 {"DECISION_ID", "decision_id"},
                                 {"AT", "created_at", Look::time},
                                 {"TEXT", "text"},
                                 {"ANSWER", "answer"}},
                     .name = "appeal_id"};
const Sheet kAppeal{.columns = kAppeals.columns, .name = "appeal_id", .rows = "appeal", .upright = true};
const Sheet kDecision{.columns = kLog.columns, .name = "decision_id", .rows = "decision", .upright = true};
const Sheet kStats{.columns = {{"DAY", "day"},
                               {"VALUE", "value"},
                               {"COUNT", "count", Look::number},
                               {"MEDIAN_SECONDS", "median_seconds", Look::number}},
                   .name = "day"};
const std::vector<std::string> kActions{"approve",    "reject",  "delete", "restore", "ban",
                                        "shadow_ban", "timeout", "warn",   "escalate"};

struct Given {
  std::string status, cid, user, as, item, decision, appeal, reason, rule, action, verdict, by = "decision", from, to, assign;
  std::vector<std::string> items;
  std::chrono::milliseconds length{0};
  std::int64_t limit = 25, points = -1;
  bool hard = false, delete_message = false, whole = false;
};

std::string encoded(const std::string& id) { return text::percent_encode(id); }

std::vector<std::pair<std::string, std::string>> asked(const Given& given, json::Writer filter) {
  filter.end();
  std::vector<std::pair<std::string, std::string>> body{{"filter", filter.take()}};
  if (!given.as.empty()) body.emplace_back("user_id", as_json(given.as));
  return body;
}

json::Writer filter_of(const Given& given) {
  json::Writer filter;
  filter.object();
  if (!given.status.empty()) filter.field("status", given.status);
  if (!given.user.empty()) filter.field("user_id", given.user);
  if (!given.cid.empty()) filter.field("cid", given.cid);
  return filter;
}

void list(Session& session, const Given& given) {
  const auto rows = query_all(session.public_api(), "/v1/moderation/items/query", "items", asked(given, filter_of(given)),
                              static_cast<std::size_t>(given.limit));
  session.print_list(rows, kItems, "nothing waits for a decision");
}

void show(Session& session, const Given& given) {
  std::vector<std::pair<std::string, std::string>> query;
  if (!given.as.empty()) query.emplace_back("user_id", given.as);
  session.print(get(session.public_api(), "/v1/moderation/items/" + encoded(given.item), query), kItem);
}

void decide(Session& session, const Given& given) {
  session.confirm("Decide " + given.action + " of " + given.item + "?");
  Verdict verdict{.action = given.action, .reason = given.reason, .rule = given.rule, .as = given.as, .assign_to = given.assign};
  if (given.length.count() > 0) verdict.expires_at = session.world().clock.now() + given.length;
  if (given.points >= 0) verdict.points = given.points;
  verdict.hard = given.hard;
  verdict.delete_message = given.delete_message;
  verdict.whole = given.whole;
  const auto decision = decide_one(session, given.item, verdict);
  session.done(decision, Sheet{.columns = kLog.columns, .name = "decision_id", .upright = true}, given.action + " decided of " + given.item);
}

std::string with_user(const Given& given, const char* name, const std::string& value) {
  json::Writer body;
  body.object();
  if (!value.empty()) body.field(name, value);
  if (!given.as.empty()) body.field("user_id", given.as);
  body.end();
  return body.take();
}

void undo(Session& session, const Given& given) {
  session.confirm("Take decision " + given.decision + " back?");
  const auto answer = post(session.public_api(), "/v1/moderation/decisions/" + encoded(given.decision) + "/undo", with_user(given, "reason", given.reason));
  session.done(answer, kDecision, "decision " + given.decision + " taken back");
}

void list_appeals(Session& session, const Given& given) {
  const auto rows = query_all(session.public_api(), "/v1/moderation/appeals/query", "appeals", asked(given, filter_of(given)),
                              static_cast<std::size_t>(given.limit));
  session.print_list(rows, kAppeals, "no appeals");
}

void answer(Session& session, const Given& given) {
  json::Writer body;
  body.object().field("decision", given.verdict);
  if (!given.reason.empty()) body.field("answer", given.reason);
  if (!given.as.empty()) body.field("user_id", given.as);
  body.end();
  const auto said = post(session.public_api(), "/v1/moderation/appeals/" + encoded(given.appeal) + "/decide", body.take());
  session.done(said, kAppeal, "appeal " + given.appeal + (given.verdict == "accept" ? " accepted, the decision taken back" : " refused"));
}

void log(Session& session, const Given& given) {
  auto filter = filter_of(given);
  if (!given.action.empty()) filter.field("action", given.action);
  const auto rows = query_all(session.public_api(), "/v1/moderation/log/query", "decisions", asked(given, std::move(filter)),
                              static_cast<std::size_t>(given.limit));
  session.print_list(rows, kLog, "nothing was decided");
}

void stats(Session& session, const Given& given) {
  std::vector<std::pair<std::string, std::string>> query{{"by", given.by}};
  if (!given.from.empty()) query.emplace_back("from", given.from);
  if (!given.to.empty()) query.emplace_back("to", given.to);
  session.print_list(list_all(session.public_api(), "/v1/moderation/stats", "stats", query), kStats, "nothing to count");
}

void add_lists(Noun& noun, const std::shared_ptr<Given>& given) {
  const std::string kAs = "With this moderator's rights";
  noun.verb("list", "List what was flagged, the most urgent first")
      .alias("ls")
      .option("--status", "STATUS", given->status, "pending, escalated, approved or rejected")
      .option("--channel", "CID", given->cid, "Only in this one", Fill::channel)
      .option("--user", "USER", given->user, "Only what is this user's", Fill::user)
      .option("--as", "USER", given->as, kAs, Fill::user)
      .number("--limit", given->limit, 1, 10'000, "At most so many (default 25)")
      .watchable()
      .example("moderation list --app acme --status pending")
      .run([given](Session& session) { list(session, *given); });
  noun.verb("show", "Show what was flagged: evidence, flags, decisions")
      .argument("ITEM", given->item, "As moderation list shows it")
      .option("--as", "USER", given->as, kAs, Fill::user)
      .example("moderation show mdi_01m7yzmjq2e60tak362xesvjfr --app acme -o yaml")
      .run([given](Session& session) { show(session, *given); });
  noun.verb("appeals", "List appeals, the newest first")
      .option("--status", "STATUS", given->status, "pending, accepted or refused")
      .option("--user", "USER", given->user, "Only of this user", Fill::user)
      .option("--as", "USER", given->as, kAs, Fill::user)
      .number("--limit", given->limit, 1, 10'000, "At most so many (default 25)")
      .example("moderation appeals --app acme --status pending")
      .run([given](Session& session) { list_appeals(session, *given); });
  noun.verb("log", "List decisions and what took them back, the newest first")
      .option("--action", "ACTION", given->action, "Only these: delete, ban, undo, …")
      .option("--channel", "CID", given->cid, "Only in this one", Fill::channel)
      .option("--user", "USER", given->user, "Only what concerns this user", Fill::user)
      .option("--as", "USER", given->as, kAs, Fill::user)
      .number("--limit", given->limit, 1, 10'000, "At most so many (default 25)")
      .example("moderation log --app acme --user mallory")
      .run([given](Session& session) { log(session, *given); });
  noun.verb("stats", "Count flags and decisions by day")
      .word("--by", given->by, {"source", "reason", "decision"}, "What is counted")
      .option("--from", "DAY", given->from, "First day: 2026-11-01 (default 30 days ago)")
      .option("--to", "DAY", given->to, "Last day (default today)")
      .example("moderation stats --app acme --by reason")
      .run([given](Session& session) { stats(session, *given); });
}

}  // namespace

std::string as_json(const std::string& value) {
  json::Writer out;
  out.text(value);
  return out.take();
}

std::string decide_one(Session& session, const std::string& item, const Verdict& verdict) {
  json::Writer body;
  body.object().key("item_ids").array().text(item).end().field("action", verdict.action);
  if (!verdict.reason.empty()) body.field("reason", verdict.reason);
  if (!verdict.rule.empty()) body.field("rule", verdict.rule);
  if (!verdict.as.empty()) body.field("user_id", verdict.as);
  if (!verdict.assign_to.empty()) body.field("assign_to", verdict.assign_to);
  body.optional_time("expires_at", verdict.expires_at);
  if (verdict.points) body.field("points", *verdict.points);
  if (verdict.hard) body.key("hard").boolean(true);
  if (verdict.delete_message) body.key("delete_message").boolean(true);
  if (verdict.whole) body.field("scope", "application");
  body.end();
  const auto answer = post(session.public_api(), "/v1/moderation/decisions", body.take());
  status_of_one(answer, "item " + item);
  const auto document = json::Document::parse(answer);
  const auto results = document.root().find("results")->items();
  return results.front().find("decision")->raw();
}

void add_moderation(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("moderation", "What was flagged, and what is decided about it");
  add_lists(noun, given);
  noun.verb("decide", "Decide about what was flagged")
      .word_argument("ACTION", given->action, kActions, "What is done")
      .argument("ITEM", given->item, "As moderation list shows it")
      .option("--reason", "TEXT", given->reason, "Why; whom it concerns sees it")
      .option("--rule", "TEXT", given->rule, "Which of your rules it breaks")
      .duration("--for", given->length, "How long a ban or timeout lasts")
      .flag("--hard", given->hard, "With delete: for good")
      .flag("--delete-message", given->delete_message, "With ban, shadow_ban, timeout, warn: the message goes, too")
      .flag("--everywhere", given->whole, "With ban, shadow_ban, timeout: from the application")
      .number("--points", given->points, 0, 1'000, "Against the user (default: by the settings)")
      .option("--assign-to", "USER", given->assign, "With escalate: whose it is now", Fill::user)
      .option("--as", "USER", given->as, "With this moderator's rights", Fill::user)
      .example("moderation decide delete mdi_01m7yzmjq2e60tak362xesvjfr --app acme --reason Advertising --yes")
      .example("moderation decide timeout mdi_01m7yzmjq2e60tak362xesvjfr --app acme --for 1d --delete-message --yes")
      .run([given](Session& session) { decide(session, *given); });
  noun.verb("undo", "Take a decision back, once")
      .argument("DECISION", given->decision, "As moderation log shows it")
      .option("--reason", "TEXT", given->reason, "Why")
      .option("--as", "USER", given->as, "With this moderator's rights", Fill::user)
      .example("moderation undo mdd_01m7yzmjq2e60tak362xesvjfr --app acme --reason \"It was a quotation\" --yes")
      .run([given](Session& session) { undo(session, *given); });
  noun.verb("answer", "Accept an appeal, or refuse it")
      .argument("APPEAL", given->appeal, "As moderation appeals shows it")
      .word_argument("VERDICT", given->verdict, {"accept", "refuse"}, "Accepted, the decision is taken back")
      .option("--text", "TEXT", given->reason, "What the user is told")
      .option("--as", "USER", given->as, "With this moderator's rights", Fill::user)
      .example("moderation answer apl_01m7yzmjq2e60tak362xesvjfr accept --app acme --text \"You are right\"")
      .run([given](Session& session) { answer(session, *given); });
  noun.verb("review", "Go through what waits, one by one")
      .detail("Shows the evidence and reads a key and Enter: a approve, d delete, b ban, e escalate, s skip, q quit. Needs a terminal.")
      .option("--channel", "CID", given->cid, "Only in this one", Fill::channel)
      .option("--as", "USER", given->as, "With this moderator's rights", Fill::user)
      .number("--limit", given->limit, 1, 10'000, "At most so many (default 25)")
      .example("moderation review --app acme")
      .run([given](Session& session) {
        review(session, {.cid = given->cid, .as = given->as, .limit = static_cast<std::size_t>(given->limit)});
      });
  add_moderation_rules(noun);
}

}  // namespace chat::cli
