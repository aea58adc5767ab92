#include <memory>

#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"

namespace chat::cli {
namespace {

const std::string kPath = "/operator/v1/audit";
const Sheet kRow{.columns = {{"SEQ", "seq", Look::number},
                             {"AT", "at", Look::time},
                             {"OPERATOR", "operator"},
                             {"ACTION", "action"},
                             {"OBJECT", "object"},
                             {"ADDRESS", "address"}},
                 .name = "seq"};
const Sheet kVerified{.columns = {{"ROWS", "rows", Look::number}, {"HASH", "hash"}}, .name = "hash", .upright = true};

struct Given {
  std::string by, action, object, since, until, anchor;
  std::int64_t count = 100;
};

std::string application_object(Session& session, const std::string& app) {
  const auto answer = get(session.api(), session.app_path(app));
  const auto document = json::Document::parse(answer);
  return "application:" + text_at(document.root(), "application.app_id");
}

void list(Session& session, const Given& given) {
  std::vector<std::pair<std::string, std::string>> query;
  const auto object = !given.object.empty() || session.globals().app.empty() ? given.object : application_object(session, session.globals().app);
  for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::string>>{
           {"operator", given.by}, {"action", given.action}, {"object", object}, {"since", given.since}, {"until", given.until}})
    if (!value.empty()) query.emplace_back(name, value);
  const auto rows = list_all(session.api(), kPath, "audit", query, static_cast<std::size_t>(given.count));
  session.print(rows, kRow);
  if (rows == "[]") session.note("nothing; only changes are noted");
}

/// "812:9f86…" as a verification printed it before.
struct Anchor {
  std::string rows, hash;
};

Anchor parse_anchor(const std::string& text) {
  const auto colon = text.find(':');
  const auto rows = text.substr(0, colon);
  if (colon == std::string::npos || rows.empty() || rows.size() > 18 || rows.find_first_not_of("0123456789") != std::string::npos ||
      text.size() - colon - 1 != 64)
    throw Failure(Exit::usage, "--anchor " + text + " is not ROWS:HASH")
        .with_next("chatctl audit verify prints both; keep them elsewhere");
  return {rows, text.substr(colon + 1)};
}

/// One part of the chain. Errors: Failure failure: where it breaks.
std::string check_part(Session& session, const std::vector<std::pair<std::string, std::string>>& query) {
  auto answer = get(session.api(), kPath + "/verify", query);
  const auto document = json::Document::parse(answer);
  if (find_at(document.root(), "broken"))
    throw Failure(Exit::failure, "the chain breaks at row " + text_at(document.root(), "broken.seq") + ": " +
                                     text_at(document.root(), "broken.detail"));
  return answer;
}

void verify(Session& session, const Given& given) {
  if (!given.anchor.empty()) {
    const auto anchor = parse_anchor(given.anchor);
    check_part(session, {{"after", anchor.rows}, {"hash", anchor.hash}});
  }
  std::string after = "0", hash;
  for (bool complete = false; !complete;) {
    const auto answer = check_part(session, {{"after", after}});
    const auto document = json::Document::parse(answer);
    after = text_at(document.root(), "last_seq");
    hash = text_at(document.root(), "last_hash");
    complete = text_at(document.root(), "complete") == "true";
  }
  json::Writer out;
  out.object().field("rows", std::stoll(after)).field("hash", hash).end();
  session.print(out.take(), kVerified);
  session.note("the chain holds; keep " + after + ":" + hash + " elsewhere for --anchor");
}

}  // namespace

void add_audit(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("audit", "What operators changed: who, when, from where, before and after");
  noun.verb("list", "List changes, the newest first")
      .alias("ls")
      .option("--operator", "NAME", given->by, "Only what this one did")
      .option("--action", "ACTION", given->action, "Only this: application.suspend")
      .option("--object", "KIND:ID", given->object, "Only what was done to this; --app APP for an application")
      .option("--since", "TIME", given->since, "From this moment on: 2026-11-21T00:00:00Z")
      .option("--until", "TIME", given->until, "Before this moment")
      .number("--limit", given->count, 1, 1'000'000, "At most so many (default 100)")
      .detail("-o json shows all of each change, with what it was before and after.")
      .example("audit list --app acme --action application.suspend -o json")
      .run([given](Session& session) { list(session, *given); });
  noun.verb("verify", "Compute the chain of all changes again and report the first broken link")
      .option("--anchor", "ROWS:HASH", given->anchor, "What an earlier run printed: that nothing up to there was rewritten")
      .detail("Exits 1 when a row was changed, removed or slipped in.")
      .example("audit verify")
      .run([given](Session& session) { verify(session, *given); });
}

}  // namespace chat::cli
