#include <map>
#include <memory>

#include "cli/apps.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/clock.h"

namespace chat::cli {
namespace {

const Sheet kLimits{.columns = {{"METER", "meter"},
                                {"WINDOW", "window"},
                                {"USED", "used", Look::number},
                                {"INCLUDED", "included", Look::number},
                                {"HARD", "hard", Look::number},
                                {"BURST", "burst", Look::number},
                                {"ACTION", "action"},
                                {"STATE", "state", Look::state},
                                {"RESETS", "resets_at", Look::time},
                                {"UNTIL", "override.expires_at", Look::time}},
                    .name = "meter",
                    .rows = "limits"};
const Sheet kFeatures{.columns = {{"FEATURE", "feature"}, {"ON", "on"}}, .name = "feature"};

constexpr std::int64_t kNotGiven = -1;
constexpr std::int64_t kMost = 1'000'000'000'000'000;

struct Given {
  std::string meter;
  std::int64_t included = kNotGiven, hard = kNotGiven, burst = kNotGiven;
  std::string until;
};

std::string fetch_limits(Session& session) {
  const auto app = session.app();
  return get(session.api(), session.app_path(app, "/limits"));
}

void show(Session& session) {
  const auto answer = fetch_limits(session);
  if (session.format() == Format::table) {
    const auto document = json::Document::parse(answer);
    session.note("limits of " + session.app() + " on plan " + text_at(document.root(), "plan") + ", now");
  }
  session.print(answer, kLimits);
}

void show_features(Session& session) {
  const auto document = json::Document::parse(fetch_limits(session));
  json::Writer out;
  out.array();
  if (const auto features = find_at(document.root(), "features"))
    for (const auto& [name, on] : features->members()) {
      out.object().field("feature", std::string_view(name)).key("on").raw(on.raw());
      out.end();
    }
  out.end();
  session.print_list(out.take(), kFeatures, "the plan names no features: all are on");
}

/// The overrides as they are, but for one meter: its fields as given, those not given as they were.
std::string with_override(const json::Value& application, const Given& given) {
  std::map<std::string, std::string> others, fields;  // name, JSON
  if (const auto limits = find_at(application, "limits"))
    for (const auto& [meter, limit] : limits->members()) {
      if (meter != given.meter) others[std::string(meter)] = limit.raw();
      else for (const auto& [field, value] : limit.members()) fields[std::string(field)] = value.raw();
    }
  for (const auto& [field, value] : {std::pair("included", given.included), std::pair("hard", given.hard), std::pair("burst", given.burst)})
    if (value != kNotGiven) fields[field] = std::to_string(value);
  if (given.until == "always") fields.erase("expires_at");
  else if (!given.until.empty()) fields["expires_at"] = "\"" + given.until + "\"";
  json::Writer out;
  out.object();
  for (const auto& [meter, limit] : others) out.key(meter).raw(limit);
  out.key(given.meter).object();
  for (const auto& [field, value] : fields) out.key(field).raw(value);
  out.end().end();
  return out.take();
}

std::string without_override(const json::Value& application, const std::string& gone) {
  json::Writer out;
  out.object();
  bool found = false;
  if (const auto limits = find_at(application, "limits"))
    for (const auto& [meter, limit] : limits->members()) {
      if (meter == gone) found = true;
      else out.key(meter).raw(limit.raw());
    }
  out.end();
  if (!found)
    throw Failure(Exit::not_found, "no limit of " + gone + " stands beside the plan").with_next("chatctl app show");
  return out.take();
}

/// As `read` was: whoever changed them meanwhile is not undone.
void write_overrides(Session& session, const std::string& app, const json::Value& read, const std::string& overrides, const std::string& sentence) {
  json::Writer body;
  body.object().key("set").object().key("limits").raw(overrides);
  body.end();
  if (const auto at = text_at(read, "updated_at"); !at.empty()) body.field("if_updated_at", at);
  body.end();
  const auto answer = member_of(patch(session.api(), session.app_path(app), body.take()), "application");
  session.done(answer, application_sheet(), sentence);
}

void set(Session& session, const Given& given) {
  if (given.included == kNotGiven && given.hard == kNotGiven && given.burst == kNotGiven && given.until.empty())
    throw Failure(Exit::usage, "nothing to set: give --included, --hard, --burst or --until");
  if (!given.until.empty() && given.until != "always" && !parse_time(given.until))
    throw Failure(Exit::usage, "--until " + given.until + " is no time; write 2026-12-24T00:00:00Z, or always");
  const auto app = session.app();
  const auto application = json::Document::parse(fetch_application(session, app));
  write_overrides(session, app, application.root(), with_override(application.root(), given), "limit of " + given.meter + " set for " + app);
}

void clear(Session& session, const Given& given) {
  const auto app = session.app();
  const auto application = json::Document::parse(fetch_application(session, app));
  write_overrides(session, app, application.root(), without_override(application.root(), given.meter),
                  "limit of " + given.meter + " is the plan's again for " + app);
}

}  // namespace

void add_limits(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("limit", "How much an application may use: the plan's limits and what was agreed beside it");
  noun.alias("limits");
  noun.verb("show", "Show every limit and where it stands")
      .watchable()
      .example("limit show --app acme")
      .run([](Session& session) { show(session); });
  noun.verb("features", "List the features of the plan, on or off")
      .example("limit features --app acme")
      .run([](Session& session) { show_features(session); });
  noun.verb("set", "Replace numbers of one limit for this application")
      .argument("METER", given->meter, "As limit show names it")
      .number("--included", given->included, 0, kMost, "Paid for by the plan")
      .number("--hard", given->hard, 0, kMost, "Never more than this")
      .number("--burst", given->burst, 1, kMost, "Of a rate: how many at once")
      .option("--until", "TIME", given->until, "The plan's holds again from then on: 2026-12-24T00:00:00Z; always: no end")
      .detail("What is not given stays as it was; app update --limit changes several at once.")
      .example("limit set messages --app acme --included 50000 --hard 100000")
      .example("limit set connections --app acme --hard 5000 --until 2031-01-01T00:00:00Z")
      .run([given](Session& session) { set(session, *given); });
  noun.verb("clear", "Let the plan's limit hold again")
      .argument("METER", given->meter, "As limit show names it")
      .example("limit clear messages --app acme")
      .run([given](Session& session) { clear(session, *given); });
}

}  // namespace chat::cli
