#include <memory>

#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"

namespace chat::cli {
namespace {

const Sheet kRow{.columns = {{"CID", "channel.cid"},
                             {"NAME", "channel.name"},
                             {"MEMBERS", "channel.member_count", Look::number},
                             {"MESSAGES", "channel.last_message_seq", Look::number},
                             {"FROZEN", "channel.frozen"},
                             {"LAST_MESSAGE", "channel.last_message_at", Look::time}},
                 .name = "channel.cid"};
const Sheet kDetail{.columns = {{"CID", "cid"},
                                {"NAME", "name"},
                                {"TEAM", "team"},
                                {"CREATED_BY", "created_by"},
                                {"MEMBERS", "member_count"},
                                {"MESSAGES", "last_message_seq"},
                                {"FROZEN", "frozen"},
                                {"SLOW_MODE", "slow_mode"},
                                {"CUSTOM", "custom"},
                                {"CREATED", "created_at", Look::time},
                                {"LAST_MESSAGE", "last_message_at", Look::time},
                                {"TRUNCATED", "truncated_at", Look::time}},
                    .name = "cid",
                    .rows = "channel",
                    .upright = true};
const Sheet kType{.columns = {{"TYPE", "type"}, {"CREATED", "created_at", Look::time}},
                  .name = "type",
                  .rows = "channel_types"};

struct Given {
  std::string cid, type, user, name;
  std::vector<std::string> members;
  std::int64_t count = 0, slow_mode = -1;
  bool hard = false;
};

void list(Session& session, const Given& given) {
  json::Writer filter;
  filter.object();
  if (!given.type.empty()) filter.field("type", given.type);
  if (!given.user.empty()) filter.key("members").object().key("$in").array().text(given.user).end().end();
  filter.end();
  const auto rows = query_all(session.public_api(), "/v1/channels/query", "channels", {{"filter", filter.take()}},
                              static_cast<std::size_t>(given.count));
  session.print_list(rows, kRow, "no such channels");
}

void create(Session& session, const Given& given) {
  json::Writer body;
  body.object().field("created_by", given.user);
  if (!given.name.empty()) body.field("name", given.name);
  if (!given.members.empty()) {
    body.key("members").array();
    for (const auto& member : given.members) body.text(member);
    body.end();
  }
  body.end();
  const auto answer = post(session.public_api(), channel_path(given.cid), body.take());
  session.done(answer, kDetail, "channel " + given.cid + " is there");
}

void set(Session& session, const Given& given) {
  if (given.name.empty() && given.slow_mode < 0)
    throw Failure(Exit::usage, "nothing to change: give --name or --slow-mode");
  json::Writer body;
  body.object().key("set").object();
  if (!given.name.empty()) body.field("name", given.name);
  if (given.slow_mode >= 0) body.field("slow_mode", given.slow_mode);
  body.end().end();
  const auto answer = patch(session.public_api(), channel_path(given.cid), body.take());
  session.done(answer, kDetail, "channel " + given.cid + " changed");
}

void freeze(Session& session, const Given& given, bool frozen) {
  const auto answer = patch(session.public_api(), channel_path(given.cid),
                            std::string(R"({"set":{"frozen":)") + (frozen ? "true}}" : "false}}"));
  session.done(answer, kDetail, "channel " + given.cid + (frozen ? " frozen" : " thawed"));
}

void truncate(Session& session, const Given& given) {
  session.confirm_name("Empty channel " + given.cid + " of " + session.app() + " for everybody" +
                           (given.hard ? ", its content erased?" : "?"),
                       given.cid);
  json::Writer body;
  body.object().key("hard").boolean(given.hard).end();
  const auto answer = post(session.public_api(), channel_path(given.cid, "/truncate"), body.take());
  session.done(answer, kDetail, "channel " + given.cid + " emptied");
}

void remove(Session& session, const Given& given) {
  session.confirm_name("Delete channel " + given.cid + " of " + session.app() + " with all messages in it?", given.cid);
  del(session.public_api(), channel_path(given.cid));
  session.note("channel " + given.cid + " deleted");
}

void add_changes(Noun& noun, const std::shared_ptr<Given>& given) {
  noun.verb("create", "Create a channel, or see that it is there")
      .argument("CID", given->cid, "TYPE:ID")
      .required_option("--by", "USER", given->user, "Who owns it", Fill::user)
      .many("--member", "USER", given->members, "Who is in it, too", Fill::user)
      .option("--name", "NAME", given->name, "What members see")
      .example("channel create messaging:lunch --app acme --by alice --member bob --name Lunch")
      .run([given](Session& session) { create(session, *given); });
  noun.verb("set", "Change the fields given")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .option("--name", "NAME", given->name, "What members see")
      .number("--slow-mode", given->slow_mode, 0, 21'600, "Seconds between two messages of a member; 0: none")
      .example("channel set messaging:general --app acme --name General --slow-mode 10")
      .run([given](Session& session) { set(session, *given); });
  noun.verb("freeze", "Take new messages from moderators and servers only")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .example("channel freeze messaging:general --app acme")
      .run([given](Session& session) { freeze(session, *given, true); });
  noun.verb("thaw", "Let members write into a frozen channel again")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .example("channel thaw messaging:general --app acme")
      .run([given](Session& session) { freeze(session, *given, false); });
  noun.verb("truncate", "Empty a channel for everybody")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .flag("--hard", given->hard, "Also erase the content everywhere")
      .example("channel truncate messaging:general --app acme --confirm messaging:general")
      .run([given](Session& session) { truncate(session, *given); });
  noun.verb("delete", "Delete a channel with everything in it")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .example("channel delete messaging:general --app acme --confirm messaging:general")
      .run([given](Session& session) { remove(session, *given); });
}

}  // namespace

void add_channels(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("channel", "An application's channels");
  noun.alias("channels");
  noun.verb("list", "List channels, the one written to last first")
      .alias("ls")
      .option("--type", "TYPE", given->type, "Only of this type", Fill::channel_type)
      .option("--member", "USER", given->user, "Only those that this user is in", Fill::user)
      .number("--limit", given->count, 1, 1'000'000, "At most so many (default: all)")
      .watchable()
      .example("channel list --app acme --type messaging")
      .run([given](Session& session) { list(session, *given); });
  noun.verb("show", "Show one channel")
      .argument("CID", given->cid, "TYPE:ID", Fill::channel)
      .watchable()
      .example("channel show messaging:general --app acme")
      .run([given](Session& session) {
        session.print(get(session.public_api(), channel_path(given->cid)), kDetail);
      });
  noun.verb("types", "List the channel types")
      .example("channel types --app acme")
      .run([](Session& session) { session.print(get(session.public_api(), "/v1/channel_types"), kType); });
  add_changes(noun, given);
}

}  // namespace chat::cli
