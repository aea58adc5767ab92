#include <algorithm>
#include <memory>

#include "cli/files/files.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

constexpr std::size_t kCsvBytes = 400'000;     // of a call; JSON may double them

const std::vector<Column> kColumns = {{"NAME", "name"},          {"KIND", "kind"},   {"BEHAVIOUR", "behaviour"}, {"ALLOW", "allow"},
                                      {"ENTRIES", "entry_count"}, {"STATE", "state"}, {"UPDATED", "updated_at", Look::time}};
const Sheet kRow{.columns = kColumns, .name = "name"};
const Sheet kDetail{.columns = {{"NAME", "name"}, {"KIND", "kind"}, {"BEHAVIOUR", "behaviour"}, {"ALLOW", "allow"}, {"SERVER_CALLS", "server_calls"},
                                {"PROFILES", "profiles"}, {"FOLDING", "folding"}, {"ENTRIES", "entry_count"}, {"STATE", "state"},
                                {"MISTAKE", "mistake"}, {"UPDATED", "updated_at", Look::time}},
                    .name = "name", .rows = "block_list", .upright = true};
const Sheet kEntries{.columns = {{"ENTRY", "entry"}, {"EXPIRES", "expires_at", Look::time}, {"CREATED", "created_at", Look::time}}, .name = "entry"};
const Sheet kMatches{.columns = {{"LIST", "list"}, {"ENTRY", "entry"}, {"START", "start"}, {"END", "end"}, {"BEHAVIOUR", "behaviour"}, {"ALLOWED", "allowed"}},
                     .name = "entry", .rows = "matches"};

struct Given {
  std::string name, kind, behaviour, allow, server_calls, profiles, description, entry, file, type, channel, text, prefix;
  std::vector<std::string> folds;
  std::chrono::milliseconds length{0};
  bool shared = false, replace = false, all_lists = false;
};

Api& door(Session& session, const Given& given) { return given.shared ? session.api() : session.public_api(); }

std::string lists_path(const Given& given) { return given.shared ? "/operator/v1/block_lists" : "/v1/block_lists"; }

std::string list_path(const Given& given, const std::string& rest = "") { return lists_path(given) + "/" + text::percent_encode(given.name) + rest; }

std::string whose(Session& session, const Given& given) { return given.shared ? "all applications" : session.app(); }

void write_yes(json::Writer& body, const char* name, const std::string& word) {
  if (!word.empty()) body.key(name).boolean(word == "yes");
}

void set(Session& session, const Given& given) {
  json::Writer body;
  body.object().field("kind", given.kind);
  if (!given.behaviour.empty()) body.field("behaviour", given.behaviour);
  if (!given.description.empty()) body.field("description", given.description);
  write_yes(body, "allow", given.allow);
  write_yes(body, "server_calls", given.server_calls);
  write_yes(body, "profiles", given.profiles);
  if (!given.folds.empty()) {
    body.key("folding").object();
    for (const auto& fold : given.folds) {
      const bool off = fold.starts_with("no-");
      body.key(off ? fold.substr(3) : fold).boolean(!off);
    }
    body.end();
  }
  const auto answer = put(door(session, given), list_path(given), body.end().take());
  session.done(answer, kDetail, "block list " + given.name + " of " + whose(session, given) + " set");
}

void print_lists(Session& session, const Given& given) {
  const auto answer = json::Document::parse(get(door(session, given), lists_path(given)));
  session.print_list(find_at(answer.root(), "block_lists").value().raw(), kRow, "no block lists");
}

void remove_list(Session& session, const Given& given) {
  session.confirm("Delete block list " + given.name + " of " + whose(session, given) + " with its entries?");
  del(door(session, given), list_path(given));
  session.note("block list " + given.name + " deleted");
}

void add_entry(Session& session, const Given& given) {
  json::Writer body;
  body.object().key("add").array().object().field("entry", given.entry);
  if (given.length.count() > 0) body.key("expires_at").time(session.world().clock.now() + given.length);
  const auto answer = post(door(session, given), list_path(given, "/entries"), body.end().end().end().take());
  session.done(answer, kDetail, given.entry + " added to " + given.name);
}

void remove_entry(Session& session, const Given& given) {
  json::Writer body;
  body.object().key("remove").array().text(given.entry).end().end();
  const auto answer = post(door(session, given), list_path(given, "/entries"), body.take());
  session.done(answer, kDetail, given.entry + " removed from " + given.name);
}

/// Where the next part ends: behind a line that is outside of quotes.
std::size_t part_end(const std::string& csv, std::size_t from) {
  if (csv.size() - from <= kCsvBytes) return csv.size();
  bool quoted = false;
  std::size_t end = from;
  for (auto at = from; at < csv.size() && (at - from < kCsvBytes || end == from); ++at) {
    if (csv[at] == '"') quoted = !quoted;
    if (csv[at] == '\n' && !quoted) end = at + 1;
  }
  return end == from ? csv.size() : end;
}

void import_file(Session& session, const Given& given) {
  const auto csv = read_input(session.world(), given.file);
  if (given.replace) session.confirm("Replace all entries of block list " + given.name + " of " + whose(session, given) + "?");
  std::string answer;
  std::size_t at = 0;
  do {
    const auto end = part_end(csv, at);
    json::Writer body;
    body.object().field("csv", std::string_view(csv).substr(at, end - at)).key("replace").boolean(given.replace && at == 0).end();
    answer = post(door(session, given), list_path(given, "/import"), body.take());
    at = end;
  } while (at < csv.size());
  session.done(answer, kDetail, input_name(given.file) + " taken into " + given.name);
}

void use_list(Session& session, const Given& given, bool begin) {
  std::vector<std::pair<std::string, std::string>> place;
  const auto colon = given.channel.find(':');
  if (!given.channel.empty() && colon == std::string::npos) throw Failure(Exit::usage, "--channel takes type:id");
  if (!given.channel.empty()) place = {{"channel_type", given.channel.substr(0, colon)}, {"channel_id", given.channel.substr(colon + 1)}};
  else if (!given.type.empty()) place = {{"channel_type", given.type}};
  const auto where = !given.channel.empty() ? given.channel : given.type.empty() ? "everywhere" : "channels of type " + given.type;
  if (!begin) {
    del(session.public_api(), list_path(given, "/use"), place);
    return session.note("block list " + given.name + " holds no longer: " + where);
  }
  json::Writer body;
  body.object();
  for (const auto& [name, value] : place) body.field(name, value);
  if (!given.behaviour.empty()) body.field("behaviour", given.behaviour);
  write_yes(body, "server_calls", given.server_calls);
  put(session.public_api(), list_path(given, "/use"), body.end().take());
  session.note("block list " + given.name + " holds: " + where);
}

void check(Session& session, const Given& given) {
  json::Writer body;
  body.object().field("text", given.text);
  const auto colon = given.channel.find(':');
  if (!given.channel.empty() && colon == std::string::npos) throw Failure(Exit::usage, "--channel takes type:id");
  if (!given.channel.empty()) body.field("channel_type", given.channel.substr(0, colon)).field("channel_id", given.channel.substr(colon + 1));
  body.key("all_lists").boolean(given.all_lists).end();
  session.print(post(session.public_api(), "/v1/check_text", body.take()), kMatches);
}

const char* const kSharedMeaning = "A list of the operator's, which all applications may use";
const std::vector<std::string> kBehaviours{"flag", "mask", "hold", "shadow", "block"};

void add_settings(Noun& noun, const std::shared_ptr<Given>& given) {
  noun.verb("list", "List block lists")
      .alias("ls")
      .flag("--shared", given->shared, "Those of the operator, which all applications may use")
      .example("blocklist list --app acme")
      .run([given](Session& session) { print_lists(session, *given); });
  noun.verb("show", "Show one block list")
      .argument("NAME", given->name, "The list", Fill::block_list)
      .example("blocklist show swearing --app acme")
      .run([given](Session& session) { session.print(get(session.public_api(), list_path(*given)), kDetail); });
  noun.verb("set", "Make a block list, or change its settings")
      .argument("NAME", given->name, "What it is called: a-z 0-9 _ -")
      .word("--kind", given->kind, {"word", "phrase", "domain", "email", "ip", "regex"}, "What its entries are; stays as it is")
      .word("--behaviour", given->behaviour, kBehaviours, "What a find leads to")
      .word("--allow", given->allow, {"yes", "no"}, "What it finds is free, whatever other lists find within it")
      .word("--server-calls", given->server_calls, {"yes", "no"}, "What servers write is judged, too")
      .word("--profiles", given->profiles, {"yes", "no"}, "Names and descriptions are judged, too")
      .many("--fold", "SETTING", given->folds, "case, width, diacritics, confusables, leet, invisible or spacing; no-case turns it off")
      .option("--description", "TEXT", given->description, "For people")
      .flag("--shared", given->shared, kSharedMeaning)
      .example("blocklist set swearing --app acme --kind word --behaviour mask --fold spacing")
      .example("blocklist set profanity --shared --kind word")
      .run([given](Session& session) { set(session, *given); });
  noun.verb("delete", "Delete a block list with its entries")
      .argument("NAME", given->name, "The list", Fill::block_list)
      .flag("--shared", given->shared, kSharedMeaning)
      .example("blocklist delete swearing --app acme --yes")
      .run([given](Session& session) { remove_list(session, *given); });
}

void add_contents(Noun& noun, const std::shared_ptr<Given>& given) {
  noun.verb("entries", "List the entries of a block list")
      .argument("NAME", given->name, "The list", Fill::block_list)
      .option("--starts-with", "TEXT", given->prefix, "Those that begin so")
      .flag("--shared", given->shared, kSharedMeaning)
      .example("blocklist entries swearing --app acme --starts-with d")
      .run([given](Session& session) {
        std::vector<std::pair<std::string, std::string>> query;
        if (!given->prefix.empty()) query.emplace_back("starts_with", given->prefix);
        session.print_list(list_all(door(session, *given), list_path(*given, "/entries"), "entries", query), kEntries, "no entries");
      });
  noun.verb("add", "Add an entry to a block list: a word, a host, an address to keep out")
      .argument("NAME", given->name, "The list", Fill::block_list)
      .argument("ENTRY", given->entry, "The entry")
      .duration("--for", given->length, "It holds so long; without, for good")
      .flag("--shared", given->shared, kSharedMeaning)
      .example("blocklist add swearing damn --app acme")
      .run([given](Session& session) { add_entry(session, *given); });
  noun.verb("remove", "Take an entry out of a block list")
      .argument("NAME", given->name, "The list", Fill::block_list)
      .argument("ENTRY", given->entry, "The entry")
      .flag("--shared", given->shared, kSharedMeaning)
      .example("blocklist remove swearing damn --app acme")
      .run([given](Session& session) { remove_entry(session, *given); });
  noun.verb("import", "Take entries in from CSV: entry,expires_at")
      .argument("NAME", given->name, "The list", Fill::block_list)
      .argument("FILE", given->file, "The file, or - for standard input", Fill::file)
      .flag("--replace", given->replace, "All other entries go")
      .flag("--shared", given->shared, kSharedMeaning)
      .detail("A file of more than 400 kB goes in parts, each whole or not at all.")
      .example("blocklist import swearing words.csv --app acme --replace --yes")
      .run([given](Session& session) { import_file(session, *given); });
  noun.verb("export", "Print all entries of a block list as CSV")
      .argument("NAME", given->name, "The list", Fill::block_list)
      .flag("--shared", given->shared, kSharedMeaning)
      .example("blocklist export swearing --app acme")
      .run([given](Session& session) { session.print_text(get(door(session, *given), list_path(*given, "/export"))); });
}

void add_places(Noun& noun, const std::shared_ptr<Given>& given) {
  noun.verb("use", "Let a block list hold everywhere, in channels of a type, or in one channel")
      .argument("NAME", given->name, "The list, or shared:NAME", Fill::block_list)
      .option("--type", "TYPE", given->type, "In channels of this type", Fill::channel_type)
      .option("--channel", "CID", given->channel, "In this channel", Fill::channel)
      .word("--behaviour", given->behaviour, kBehaviours, "Instead of the list's")
      .word("--server-calls", given->server_calls, {"yes", "no"}, "Instead of what the list says")
      .example("blocklist use swearing --app acme --type messaging")
      .run([given](Session& session) { use_list(session, *given, true); });
  noun.verb("unuse", "End that a block list holds in a place")
      .argument("NAME", given->name, "The list, or shared:NAME", Fill::block_list)
      .option("--type", "TYPE", given->type, "In channels of this type", Fill::channel_type)
      .option("--channel", "CID", given->channel, "In this channel", Fill::channel)
      .example("blocklist unuse swearing --app acme --type messaging")
      .run([given](Session& session) { use_list(session, *given, false); });
  noun.verb("check", "Say what block lists find in a text")
      .argument("TEXT", given->text, "What somebody might write")
      .option("--channel", "CID", given->channel, "As if it were said here", Fill::channel)
      .flag("--all-lists", given->all_lists, "Also by lists that hold nowhere")
      .example("blocklist check \"so d.a.m.n good\" --app acme --all-lists")
      .run([given](Session& session) { check(session, *given); });
}

}  // namespace

void add_blocklists(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("blocklist", "What must not be said, and from where nothing is taken");
  noun.alias("blocklists");
  add_settings(noun, given);
  add_contents(noun, given);
  add_places(noun, given);
}

}  // namespace chat::cli
