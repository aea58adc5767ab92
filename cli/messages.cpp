#include <memory>

#include "cli/files/files.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const Sheet kRow{.columns = {{"MESSAGE_ID", "id"},
                             {"USER", "user_id"},
                             {"CREATED", "created_at", Look::time},
                             {"TEXT", "text"}},
                 .name = "id",
                 .rows = "messages"};
const Sheet kFound{.columns = {{"CID", "message.cid"},
                               {"MESSAGE_ID", "message.id"},
                               {"USER", "message.user_id"},
                               {"CREATED", "message.created_at", Look::time},
                               {"TEXT", "message.text"}},
                   .name = "message.id"};
const Sheet kDetail{.columns = {{"MESSAGE_ID", "id"},
                                {"CID", "cid"},
                                {"USER", "user_id"},
                                {"TYPE", "type"},
                                {"CREATED", "created_at", Look::time},
                                {"UPDATED", "updated_at", Look::time},
                                {"DELETED", "deleted_at", Look::time},
                                {"TEXT", "text"}},
                    .name = "id",
                    .rows = "message",
                    .upright = true};

struct Given {
  std::string cid, message, user, text, before, mode = "soft";
  std::int64_t count = 25;
};

std::string message_path(const Given& given) {
  return channel_path(given.cid, "/messages/" + text::percent_encode(given.message));
}

void list(Session& session, const Given& given) {
  std::vector<std::pair<std::string, std::string>> query{{"limit", std::to_string(given.count)}};
  if (!given.before.empty()) query.emplace_back("before", given.before);
  session.print_list(get(session.public_api(), channel_path(given.cid, "/messages"), query), kRow, "no messages");
}

void send(Session& session, const Given& given) {
  json::Writer body;
  body.object().field("user_id", given.user);
  body.field("text", given.text == "-" ? read_input(session.world(), "-") : given.text).end();
  const auto answer = post(session.public_api(), channel_path(given.cid, "/messages"), body.take());
  const auto document = json::Document::parse(answer);
  const auto id = text_at(document.root(), "message.id");
  if (!id.empty()) return session.done(answer, kDetail, "message " + id + " sent");
  if (session.format() != Format::table) session.print(answer, kDetail);
  session.note("accepted, but not sent yet: it waits for approval, or was a command");
}

constexpr std::size_t kSearchPage = 50;

void search(Session& session, const Given& given) {
  json::Writer query, filter;
  query.text(given.text);
  filter.object();
  if (!given.cid.empty()) filter.field("cid", given.cid);
  if (!given.user.empty()) filter.field("user_id", given.user);
  filter.end();
  const auto rows = query_all(session.public_api(), "/v1/search/messages", "results",
                              {{"query", query.take()}, {"filter", filter.take()}},
                              static_cast<std::size_t>(given.count), kSearchPage);
  session.print_list(rows, kFound, "nothing found");
}

void edit(Session& session, const Given& given) {
  json::Writer body;
  body.object().key("set").object();
  body.field("text", given.text == "-" ? read_input(session.world(), "-") : given.text).end().end();
  const auto answer = patch(session.public_api(), message_path(given), body.take());
  session.done(answer, kDetail, "message " + given.message + " edited");
}

void remove(Session& session, const Given& given) {
  session.confirm(std::string(given.mode == "hard" ? "Erase" : "Delete") + " message " + given.message +
                  " of " + given.cid + "?");
  call(session.public_api(),
       {.method = "DELETE", .path = message_path(given), .query = {{"mode", given.mode}}});
  session.note("message " + given.message + (given.mode == "hard" ? " erased" : " deleted"));
}

}  // namespace

void add_messages(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("message", "The messages of a channel");
  noun.alias("messages");
  noun.verb("list", "List a channel's newest messages, the newest last")
      .alias("ls")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .number("--limit", given->count, 1, 100, "At most so many (default 25)")
      .option("--before", "MESSAGE_ID", given->before, "Those before this one")
      .watchable()
      .example("message list messaging:general --app acme --limit 10")
      .run([given](Session& session) { list(session, *given); });
  noun.verb("show", "Show one message")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .argument("MESSAGE_ID", given->message, "As message list shows it")
      .example("message show messaging:general msg_01m7yzmjq2e60tak362xesvjfr --app acme")
      .run([given](Session& session) { session.print(get(session.public_api(), message_path(*given)), kDetail); });
  noun.verb("send", "Send a message in a user's name")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .argument("TEXT", given->text, "What it says; - reads it from stdin")
      .required_option("--user", "USER", given->user, "Whose message it is", Fill::user)
      .example("message send messaging:general \"Maintenance at noon\" --user alice --app acme")
      .run([given](Session& session) { send(session, *given); });
  noun.verb("edit", "Replace a message's text; what it said before is kept")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .argument("MESSAGE_ID", given->message, "As message list shows it")
      .argument("TEXT", given->text, "What it says now; - reads it from stdin")
      .example("message edit messaging:general msg_01m7yzmjq2e60tak362xesvjfr \"Maintenance at one\" --app acme")
      .run([given](Session& session) { edit(session, *given); });
  noun.verb("search", "Find messages by what they say, the best first")
      .argument("TEXT", given->text, "All words must occur; \"a phrase\", or, -without")
      .option("--channel", "CID", given->cid, "Only in this one", Fill::channel)
      .option("--user", "USER", given->user, "Only by this one", Fill::user)
      .number("--limit", given->count, 1, 10'000, "At most so many (default 25)")
      .example("message search maintenance --app acme --channel messaging:general")
      .run([given](Session& session) { search(session, *given); });
  noun.verb("delete", "Delete a message")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .argument("MESSAGE_ID", given->message, "As message list shows it")
      .word("--mode", given->mode, {"soft", "hard"}, "Hide the content, or erase it and its author")
      .example("message delete messaging:general msg_01m7yzmjq2e60tak362xesvjfr --app acme --yes")
      .run([given](Session& session) { remove(session, *given); });
}

}  // namespace chat::cli
