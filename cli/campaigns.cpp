#include <charconv>
#include <memory>

#include "cli/files/files.h"
#include "cli/nouns.h"
#include "cli/output/progress.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

constexpr std::chrono::milliseconds kAskAgain{500};

const Sheet kRow{.columns = {{"CAMPAIGN_ID", "id"},
                             {"NAME", "name"},
                             {"STATUS", "status", Look::state},
                             {"SENDER", "sender_id"},
                             {"CREATED", "created_at", Look::time}},
                 .name = "id"};
const Sheet kDetail{.columns = {{"CAMPAIGN_ID", "id"},
                                {"NAME", "name"},
                                {"STATUS", "status", Look::state},
                                {"REASON", "reason"},
                                {"SENDER", "sender_id"},
                                {"STARTS", "starts_at", Look::time},
                                {"STARTED", "started_at", Look::time},
                                {"FINISHED", "finished_at", Look::time},
                                {"RECIPIENTS", "progress.recipients"},
                                {"WAITING", "progress.waiting"},
                                {"SENT", "progress.sent"},
                                {"DELIVERED", "progress.delivered"},
                                {"READ", "progress.read"},
                                {"SKIPPED", "progress.skipped"},
                                {"FAILED", "progress.failed"},
                                {"REASONS", "progress.reasons"},
                                {"VARIANTS", "progress.variants"}},
                    .name = "id",
                    .rows = "campaign",
                    .upright = true};
const Sheet kTrial{.columns = {{"RECIPIENTS", "recipients"},
                               {"EXACT", "exact"},
                               {"WOULD_BE_SENT", "would_be_sent"},
                               {"SKIPPED", "skipped"},
                               {"VARIANTS", "variants"},
                               {"SAMPLES", "samples"}},
                   .name = "would_be_sent",
                   .rows = "dry_run",
                   .upright = true};
const Sheet kRecipient{.columns = {{"USER", "user_id"},
                                   {"CID", "cid"},
                                   {"STATE", "state", Look::state},
                                   {"VARIANT", "variant"},
                                   {"REASON", "reason"},
                                   {"DELIVERED", "delivered"},
                                   {"READ", "read"},
                                   {"SENT", "sent_at", Look::time}},
                       .name = "user_id"};

struct Given {
  std::string campaign, name, sender, text, of = "users", at, local_time, time_zone, category, file, state, status;
  std::vector<std::string> to, segments;
  std::int64_t rate = 0;
  bool wait = false;
};

std::string campaign_path(const Given& given, const std::string& rest = "") {
  return "/v1/campaigns/" + text::percent_encode(given.campaign) + rest;
}

void add_list(json::Writer& body, const char* name, const std::vector<std::string>& values) {
  if (values.empty()) return;
  body.key(name).array();
  for (const auto& value : values) body.text(value);
  body.end();
}

void add_schedule(json::Writer& body, const Given& given) {
  if (given.at.empty() && given.local_time.empty()) return;
  body.key("schedule").object();
  if (!given.at.empty()) body.field("at", given.at);
  if (!given.local_time.empty()) body.field("local_time", given.local_time);
  if (!given.time_zone.empty()) body.field("time_zone", given.time_zone);
  body.end();
}

std::string body_of(Session& session, const Given& given) {
  if (!given.file.empty()) return read_input(session.world(), given.file);
  if (given.sender.empty() || given.text.empty()) throw Failure(Exit::usage, "a campaign needs --sender and --text, or -f");
  json::Writer body;
  body.object().field("name", given.name).field("sender_id", given.sender).field("of", given.of);
  body.key("variants").array().object().field("text", given.text).end().end();
  add_list(body, "recipients", given.to);
  add_list(body, "segments", given.segments);
  add_schedule(body, given);
  if (!given.category.empty()) body.field("category", given.category);
  if (given.rate > 0) body.field("rate", given.rate);
  body.end();
  return body.take();
}

std::uint64_t number_at(const json::Value& from, const std::string& path) {
  const auto digits = text_at(from, path);
  std::uint64_t out = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

/// Until it is sent to everybody, or does not go on by itself.
void follow(Session& session, const Given& given) {
  Progress progress(session, "sending", "recipients");
  for (;;) {
    const auto answer = get(session.public_api(), campaign_path(given));
    const auto document = json::Document::parse(answer);
    const auto status = text_at(document.root(), "campaign.status");
    if (status != "scheduled" && status != "sending") return session.print(answer, kDetail);
    const auto all = number_at(document.root(), "campaign.progress.recipients");
    progress.at(all - number_at(document.root(), "campaign.progress.waiting"), all);
    if (!session.world().wait(kAskAgain)) throw Failure(Exit::interrupted, "");
  }
}

void move(Session& session, const Given& given, const std::string& act, const std::string& done) {
  const auto answer = post(session.public_api(), campaign_path(given, "/" + act), "{}");
  if (given.wait) return follow(session, given);
  session.done(answer, kDetail, "campaign " + given.campaign + " " + done);
}

void remove(Session& session, const Given& given) {
  session.confirm("Delete campaign " + given.campaign + " of " + session.app() + "?");
  del(session.public_api(), campaign_path(given));
  session.note("campaign " + given.campaign + " deleted");
}

void recipients(Session& session, const Given& given) {
  std::vector<std::pair<std::string, std::string>> query;
  if (!given.state.empty()) query.emplace_back("state", given.state);
  session.print_list(list_all(session.public_api(), campaign_path(given, "/recipients"), "recipients", query), kRecipient, "no recipients");
}

void list(Session& session, const Given& given) {
  std::vector<std::pair<std::string, std::string>> query;
  if (!given.status.empty()) query.emplace_back("status", given.status);
  session.print_list(list_all(session.public_api(), "/v1/campaigns", "campaigns", query), kRow, "no campaigns");
}

const std::vector<std::string> kStatuses{"draft", "scheduled", "sending", "paused", "completed", "failed", "stopped"};
constexpr const char* kWhich = "As campaign list shows it";

void add_looking(Noun& noun, const std::shared_ptr<Given>& given) {
  noun.verb("list", "List campaigns, the newest first")
      .alias("ls")
      .word("--status", given->status, kStatuses, "Only these")
      .watchable()
      .example("campaign list --status sending --app acme")
      .run([given](Session& session) { list(session, *given); });
  noun.verb("show", "Show a campaign and how far it is")
      .argument("CAMPAIGN_ID", given->campaign, kWhich, Fill::campaign)
      .watchable()
      .example("campaign show cmp_01m7yzmjq2e60tak362xesvjfr --app acme")
      .run([given](Session& session) { session.print(get(session.public_api(), campaign_path(*given)), kDetail); });
  noun.verb("try", "Say what it would do if it were sent now; nothing is sent")
      .argument("CAMPAIGN_ID", given->campaign, kWhich, Fill::campaign)
      .example("campaign try cmp_01m7yzmjq2e60tak362xesvjfr --app acme")
      .run([given](Session& session) { session.print(post(session.public_api(), campaign_path(*given, "/dry_run"), "{}"), kTrial); });
  noun.verb("recipients", "List whom it writes to, and what became of each")
      .argument("CAMPAIGN_ID", given->campaign, kWhich, Fill::campaign)
      .word("--state", given->state, {"waiting", "sent", "skipped", "failed"}, "Only these")
      .example("campaign recipients cmp_01m7yzmjq2e60tak362xesvjfr --state failed --app acme")
      .run([given](Session& session) { recipients(session, *given); });
  noun.verb("wait", "Wait until a campaign is sent")
      .argument("CAMPAIGN_ID", given->campaign, kWhich, Fill::campaign)
      .example("campaign wait cmp_01m7yzmjq2e60tak362xesvjfr --app acme")
      .run([given](Session& session) { follow(session, *given); });
}

void add_acting(Noun& noun, const std::shared_ptr<Given>& given) {
  struct Act { const char *verb, *meaning, *done; };
  for (const auto& act : {Act{"start", "Start a campaign, now or at its time", "started"}, Act{"pause", "Pause a campaign", "paused"},
                          Act{"resume", "Go on with a paused campaign", "goes on"}, Act{"stop", "Stop a campaign for good", "stopped"},
                          Act{"resend", "Send again to those who failed", "is sent again"}}) {
    const std::string name = act.verb, done = act.done;
    auto verb = noun.verb(name, act.meaning).argument("CAMPAIGN_ID", given->campaign, kWhich, Fill::campaign);
    if (name != "pause" && name != "stop") verb.flag("--wait", given->wait, "Show how far it is until it is sent");
    verb.example("campaign " + name + " cmp_01m7yzmjq2e60tak362xesvjfr --app acme").run([given, name, done](Session& session) {
      move(session, *given, name, done);
    });
  }
  noun.verb("delete", "Delete a draft, or a campaign that is over")
      .argument("CAMPAIGN_ID", given->campaign, kWhich, Fill::campaign)
      .example("campaign delete cmp_01m7yzmjq2e60tak362xesvjfr --app acme --yes")
      .run([given](Session& session) { remove(session, *given); });
}

}  // namespace

void add_campaigns(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("campaign", "Messages to many users or channels, to each once");
  noun.alias("campaigns");
  add_looking(noun, given);
  noun.verb("create", "Make a draft; nothing is sent before it is started")
      .optional_argument("NAME", given->name, "What to call it")
      .option("--sender", "USER", given->sender, "In whose name", Fill::user)
      .option("--text", "TEXT", given->text, "What it says: \"Hi {{user.name|there}}\"")
      .many("--to", "ID", given->to, "A user_id, or a cid", Fill::user)
      .many("--segment", "SEGMENT_ID", given->segments, "As segment list shows it", Fill::segment)
      .word("--of", given->of, {"users", "channels"}, "What it is sent to (default users)")
      .option("--at", "TIME", given->at, "A time on the clock: 2026-12-01T09:00")
      .option("--local-time", "TIME", given->local_time, "A time on each user's own clock")
      .option("--time-zone", "ZONE", given->time_zone, "Europe/Berlin (default UTC)")
      .option("--category", "WORD", given->category, "What users can opt out of")
      .number("--rate", given->rate, 1, 10'000, "Messages a second at most")
      .option("-f,--file", "FILE", given->file, "All of it as JSON, as the API takes it; - is stdin", Fill::file)
      .example("campaign create \"Winter sale\" --sender alice --text \"Hi {{user.name|there}}\" --to bob --rate 50 --app acme")
      .run([given](Session& session) {
        session.done(post(session.public_api(), "/v1/campaigns", body_of(session, *given)), kDetail, "campaign created; campaign try shows what it would do");
      });
  add_acting(noun, given);
}

}  // namespace chat::cli
