#include <algorithm>
#include <memory>

#include "cli/files/files.h"
#include "cli/nouns.h"
#include "cli/session.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/storage/migrator.h"

namespace chat::cli {
namespace {

const Sheet kRow{.columns = {{"NUMBER", "number", Look::number},
                             {"NAME", "name"},
                             {"STATE", "state", Look::state},
                             {"APPLIED", "applied_at", Look::time}},
                 .name = "number"};

struct Given {
  std::string dsn, dsn_file;
  std::int64_t to = 0;
};

using States = std::vector<storage::MigrationState>;

bool holds_password(const std::string& dsn) {
  if (text::lower_ascii(dsn).find("password") != std::string::npos) return true;
  const auto scheme = dsn.find("://");
  const auto at = dsn.find('@');
  return scheme != std::string::npos && at != std::string::npos &&
         dsn.substr(scheme + 3, at - scheme - 3).find(':') != std::string::npos;
}

std::string read_dsn_file(Session& session, const std::string& path) {
  if (!is_private(path)) session.warn("others can read " + path + "; run chmod 600 " + path);
  const auto content = read_input(session.world(), path);
  const auto dsn = text::trim(content);
  if (dsn.empty()) throw Failure(Exit::usage, path + " is empty");
  return std::string(dsn);
}

std::string dsn_of(Session& session, const Given& given) {
  if (!given.dsn.empty() && !given.dsn_file.empty())
    throw Failure(Exit::usage, "give --dsn or --dsn-file, not both");
  if (holds_password(given.dsn))
    throw Failure(Exit::usage, "--dsn holds a password, which every user of this machine could read")
        .with_next("put the DSN into a file of mode 0600 and give --dsn-file, or use ~/.pgpass");
  if (!given.dsn.empty()) return given.dsn;
  if (!given.dsn_file.empty()) return read_dsn_file(session, given.dsn_file);
  const auto set = session.world().variable("CHATCTL_MIGRATE_DSN");
  if (set.empty())
    throw Failure(Exit::usage, "which database? Give --dsn, --dsn-file or CHATCTL_MIGRATE_DSN")
        .with_next("chatctl migrate status --dsn \"host=/run/postgresql dbname=chat user=chat_owner\"");
  return set;
}

storage::Migrator migrator_of(Session& session, const Given& given) {
  storage::DatabaseOptions owner;
  owner.dsn = dsn_of(session, given);
  owner.connect_timeout = std::min(owner.connect_timeout, session.globals().timeout);
  owner.statement_timeout = std::chrono::milliseconds(0);  // building an index may take as long as it takes
  return storage::Migrator(owner);
}

void print_states(Session& session, const States& states) {
  json::Writer out;
  out.array();
  for (const auto& state : states) {
    out.object().field("number", std::int64_t{state.number}).field("name", state.name);
    out.field("state", std::string_view(state.changed ? "changed" : state.applied ? "applied" : "pending"));
    if (!state.applied_at.empty()) out.field("applied_at", state.applied_at);
    out.end();
  }
  out.end();
  session.print(out.take(), kRow);
}

void status(Session& session, const Given& given) {
  const auto states = migrator_of(session, given).status();
  print_states(session, states);
  const auto pending = std::count_if(states.begin(), states.end(), [](const auto& s) { return !s.applied; });
  if (pending > 0) session.note(std::to_string(pending) + " pending; chatctl migrate up applies them");
}

template <class Wanted>
void print_planned(Session& session, const States& all, const char* what, Wanted wanted) {
  States planned;
  std::copy_if(all.begin(), all.end(), std::back_inserter(planned), wanted);
  print_states(session, planned);
  session.note(std::to_string(planned.size()) + " migrations would be " + what);
}

void print_done(Session& session, storage::Migrator& migrator, const std::vector<int>& numbers,
                const char* what) {
  States touched;
  for (const auto& state : migrator.status())
    if (std::find(numbers.begin(), numbers.end(), state.number) != numbers.end()) touched.push_back(state);
  print_states(session, touched);
  session.note(numbers.empty() ? "nothing to do" : std::to_string(numbers.size()) + " migrations " + what);
}

void up(Session& session, const Given& given) {
  auto migrator = migrator_of(session, given);
  if (session.is_dry())
    return print_planned(session, migrator.status(), "applied", [&](const auto& s) {
      return !s.applied && (given.to == 0 || s.number <= given.to);
    });
  print_done(session, migrator, migrator.up(static_cast<int>(given.to)), "applied");
}

void down(Session& session, const Given& given) {
  if (given.to < 0)
    throw Failure(Exit::usage, "--to is missing: the number to go back to, 0 for an empty database");
  auto migrator = migrator_of(session, given);
  if (session.is_dry())
    return print_planned(session, migrator.status(), "undone",
                         [&](const auto& s) { return s.applied && s.number > given.to; });
  session.confirm("Undo every migration after " + std::to_string(given.to) +
                  "? Their tables go with all that is in them.");
  print_done(session, migrator, migrator.down(static_cast<int>(given.to)), "undone");
}

Verb& with_database(Verb& verb, const std::shared_ptr<Given>& given) {
  return verb.option("--dsn", "DSN", given->dsn, "The database as its owner, libpq form, without a password")
      .option("--dsn-file", "FILE", given->dsn_file, "A file with the DSN; - is stdin", Fill::file);
}

}  // namespace

void add_migrations(CommandLine& line) {
  auto noun = line.noun("migrate", "The database's schema, up and down");
  const auto for_status = std::make_shared<Given>();
  auto status_verb = noun.verb("status", "Show which migrations are applied");
  with_database(status_verb, for_status)
      .example("migrate status --dsn-file owner.dsn")
      .run([for_status](Session& session) { status(session, *for_status); });
  const auto for_up = std::make_shared<Given>();
  auto up_verb = noun.verb("up", "Apply what is pending, one migration a transaction; --dry-run lists it");
  with_database(up_verb, for_up)
      .number("--to", for_up->to, 1, 9999, "Stop after this number (default: all)")
      .example("migrate up --dsn \"host=/run/postgresql dbname=chat user=chat_owner\"")
      .run([for_up](Session& session) { up(session, *for_up); });
  const auto for_down = std::make_shared<Given>();
  for_down->to = -1;
  auto down_verb = noun.verb("down", "Undo migrations; destroys what they hold; --dry-run lists them");
  with_database(down_verb, for_down)
      .number("--to", for_down->to, 0, 9999, "Go back to this number; 0 is an empty database")
      .example("migrate down --to 5 --dry-run --dsn-file owner.dsn")
      .run([for_down](Session& session) { down(session, *for_down); });
}

}  // namespace chat::cli
