#include <algorithm>
#include <memory>

#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const std::vector<Column> kColumns = {
    {"SEGMENT_ID", "id"}, {"NAME", "name"}, {"OF", "of"}, {"CREATED", "created_at", Look::time}};
const Sheet kRow{.columns = kColumns, .name = "id"};
const Sheet kDetail{.columns = {{"SEGMENT_ID", "id"},
                                {"NAME", "name"},
                                {"OF", "of"},
                                {"FILTER", "filter"},
                                {"DESCRIPTION", "description"},
                                {"CREATED", "created_at", Look::time}},
                    .name = "id",
                    .rows = "segment",
                    .upright = true};
const Sheet kPreview{.columns = {{"OF", "of"}, {"COUNT", "count"}, {"EXACT", "exact"}, {"SAMPLES", "samples"}},
                     .name = "count",
                     .rows = "preview",
                     .upright = true};
const Sheet kChanged{.columns = {{"CHANGED", "changed"}}, .name = "changed", .upright = true};

struct Given {
  std::string segment, name, of = "users", filter, description;
  std::vector<std::string> targets;
};

std::string segment_path(const Given& given, const std::string& rest = "") {
  return "/v1/segments/" + text::percent_encode(given.segment) + rest;
}

std::string targets_body(const std::vector<std::string>& targets) {
  json::Writer body;
  body.object().key("targets").array();
  for (const auto& target : targets) body.text(target);
  body.end().end();
  return body.take();
}

void create(Session& session, const Given& given) {
  json::Writer body;
  body.object().field("name", given.name).field("of", given.of);
  if (!given.filter.empty()) body.key("filter").raw(given.filter);
  if (!given.description.empty()) body.field("description", given.description);
  if (!given.targets.empty()) {
    body.key("targets").array();
    for (const auto& target : given.targets) body.text(target);
    body.end();
  }
  body.end();
  session.done(post(session.public_api(), "/v1/segments", body.take()), kDetail, "segment " + given.name + " created");
}

void preview(Session& session, const Given& given) {
  session.print(get(session.public_api(), segment_path(given, "/preview")), kPreview);
}

void remove(Session& session, const Given& given) {
  session.confirm("Delete segment " + given.segment + " of " + session.app() + "?");
  del(session.public_api(), segment_path(given));
  session.note("segment " + given.segment + " deleted");
}

/// As many as it takes: a call takes 1,000.
void change(Session& session, const Given& given, const std::string& rest, const char* done) {
  constexpr std::size_t kAtOnce = 1'000;
  for (std::size_t at = 0; at < given.targets.size(); at += kAtOnce) {
    const auto last = std::min(at + kAtOnce, given.targets.size());
    const auto from = given.targets.begin();
    const std::vector<std::string> some(from + static_cast<std::ptrdiff_t>(at), from + static_cast<std::ptrdiff_t>(last));
    const auto answer = post(session.public_api(), segment_path(given, rest), targets_body(some));
    session.done(answer, kChanged, text_at(json::Document::parse(answer).root(), "changed") + " " + done);
  }
}

}  // namespace

void add_segments(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("segment", "Users or channels that belong together, for campaigns");
  noun.alias("segments");
  noun.verb("list", "List segments").alias("ls").example("segment list --app acme").run([](Session& session) {
    session.print_list(list_all(session.public_api(), "/v1/segments", "segments"), kRow, "no segments");
  });
  noun.verb("show", "Show one segment")
      .argument("SEGMENT_ID", given->segment, "As segment list shows it", Fill::segment)
      .example("segment show seg_01m7yzmjq2e60tak362xesvjfr --app acme")
      .run([given](Session& session) { session.print(get(session.public_api(), segment_path(*given)), kDetail); });
  noun.verb("create", "Save a filter, or make a list")
      .argument("NAME", given->name, "What to call it")
      .word("--of", given->of, {"users", "channels"}, "What is in it (default users)")
      .option("--filter", "JSON", given->filter, "A saved filter; without, a list")
      .many("--target", "ID", given->targets, "Of a list: a user_id, or a cid", Fill::user)
      .option("--description", "TEXT", given->description, "What it is for")
      .example("segment create Regulars --of users --filter '{\"type\":\"regular\"}' --app acme")
      .example("segment create Testers --target alice --target bob --app acme")
      .run([given](Session& session) { create(session, *given); });
  noun.verb("preview", "Count who is in it now, and show some")
      .argument("SEGMENT_ID", given->segment, "As segment list shows it", Fill::segment)
      .example("segment preview seg_01m7yzmjq2e60tak362xesvjfr --app acme")
      .run([given](Session& session) { preview(session, *given); });
  noun.verb("add", "Add to a list")
      .argument("SEGMENT_ID", given->segment, "As segment list shows it", Fill::segment)
      .many("--target", "ID", given->targets, "A user_id, or a cid", Fill::user)
      .example("segment add seg_01m7yzmjq2e60tak362xesvjfr --target bob --app acme")
      .run([given](Session& session) { change(session, *given, "/targets", "added"); });
  noun.verb("remove", "Take out of a list")
      .argument("SEGMENT_ID", given->segment, "As segment list shows it", Fill::segment)
      .many("--target", "ID", given->targets, "A user_id, or a cid", Fill::user)
      .example("segment remove seg_01m7yzmjq2e60tak362xesvjfr --target alice --app acme")
      .run([given](Session& session) { change(session, *given, "/targets/remove", "taken out"); });
  noun.verb("delete", "Delete a segment; who was in it stays")
      .argument("SEGMENT_ID", given->segment, "As segment list shows it", Fill::segment)
      .example("segment delete seg_01m7yzmjq2e60tak362xesvjfr --app acme --yes")
      .run([given](Session& session) { remove(session, *given); });
}

}  // namespace chat::cli
