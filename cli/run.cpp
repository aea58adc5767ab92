#include "cli/run.h"

#include <memory>
#include <ostream>

#include "cli/completion.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/remote/problem.h"
#include "cli/session.h"
#include "cli/watch.h"
#include "platform/base/error.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

void print_failure(const Failure& failure, World& world, Style style) {
  if (failure.message().empty()) return;
  world.out << std::flush;
  world.err << style.paint(Ink::red, "error:") << " " << printable(failure.message()) << "\n";
  for (const auto& line : failure.details()) world.err << "  " << printable(line) << "\n";
  for (const auto& line : failure.next())
    world.err << style.paint(Ink::dim, "next:") << " " << printable(line) << "\n";
  world.err << std::flush;
}

/// What the platform's own layers refuse: the database for migrate, JSON that is none.
Failure failure_of(const Error& error) {
  if (error.code() == Code::malformed_json)
    return Failure(Exit::failure,
                   std::string("the server's answer is not what chatctl understands: ") + error.what())
        .with_next("chatctl doctor");
  const auto& row = row_of(error.code());
  // Only migrate goes to the database from here, so what a server keeps for its log is for this person.
  const bool away = error.code() == Code::unavailable;
  Failure failure(exit_of(row.word, row.status), away ? "the database can't be used" : error.what());
  for (const auto& mistake : error.fields()) failure.with_detail(mistake.pointer + ": " + mistake.detail);
  if (failure.message().find(error.log_detail()) != std::string::npos) return failure;
  for (const auto& line : text::split(error.log_detail(), '\n'))
    failure.with_detail(std::string(text::trim(line)));
  return failure;
}

void act(CommandLine& line, const std::vector<std::string>& words, World& world) {
  const auto parsed = line.parse(words);
  Session session(world, line.globals());
  if (parsed.run && parsed.watch) return watch(session, parsed.run, *parsed.watch);
  if (parsed.run) return parsed.run(session);
  if (!parsed.to_error) return session.print_text(parsed.text);
  world.err << parsed.text;
  throw Failure(Exit::usage, "");
}

}  // namespace

void add_all(CommandLine& line) {
  add_contexts(line);
  add_apps(line);
  add_keys(line);
  add_tokens(line);
  add_plans(line);
  add_usage(line);
  add_statements(line);
  add_limits(line);
  add_operators(line);
  add_audit(line);
  add_users(line);
  add_channels(line);
  add_members(line);
  add_messages(line);
  add_bans(line);
  add_moderation(line);
  add_blocklists(line);
  add_permissions(line);
  add_teams(line);
  add_segments(line);
  add_campaigns(line);
  add_devices(line);
  add_push(line);
  add_uploads(line);
  add_tasks(line);
  add_top(line);
  add_tail(line);
  add_webhooks(line);
  add_migrations(line);
  add_config(line);
  add_doctor(line);
  add_completion(line);
  add_reference(line);
  add_version(line);
  add_help(line);
}

void add_help(CommandLine& line) {
  const auto first = std::make_shared<std::string>();
  const auto second = std::make_shared<std::string>();
  line.verb("help", "Explain a command or a topic")
      .optional_argument("COMMAND", *first, "A noun, a verb without one, or a topic")
      .optional_argument("VERB", *second, "A verb of that noun")
      .example("help app create")
      .run([&line, first, second](Session& session) {
        std::vector<std::string> words;
        for (const auto& word : {*first, *second})
          if (!word.empty()) words.push_back(word);
        session.print_text(line.help_for(words));
      });
}

int run(const std::vector<std::string>& words, World& world) {
  if (!words.empty() && words.front() == "__complete") {
    const bool marked = words.size() > 1 && words[1] == "--";
    print_candidates({words.begin() + (marked ? 2 : 1), words.end()}, world);
    return static_cast<int>(Exit::ok);
  }
  CommandLine line;
  add_all(line);
  Failure failure(Exit::ok, "");
  try {
    act(line, words, world);
    return static_cast<int>(Exit::ok);
  } catch (const Failure& why) {
    failure = why;
  } catch (const Error& error) {
    failure = failure_of(error);
  } catch (const std::exception& error) {
    failure = Failure(Exit::failure, std::string("unexpected: ") + error.what());
  }
  print_failure(failure, world, Session(world, line.globals()).err_style());
  return static_cast<int>(failure.exit());
}

}  // namespace chat::cli
