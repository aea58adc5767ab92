#include <memory>

#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "cli/webhook_tools.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const std::string kEndpoints = "/v1/webhooks/endpoints";
const std::vector<Column> kColumns{{"ID", "id"},       {"URL", "url"},           {"STATE", "state", Look::state},
                                   {"REASON", "state_reason"}, {"FAILURES", "failures", Look::number}, {"CREATED", "created_at", Look::time}};
const Sheet kList{.columns = kColumns, .name = "id", .rows = "webhook_endpoints"};
const Sheet kOne{.columns = {{"ID", "id"},
                             {"URL", "url"},
                             {"STATE", "state", Look::state},
                             {"REASON", "state_reason"},
                             {"SIGNATURE", "signature"},
                             {"FAILURES", "failures", Look::number},
                             {"FAILING_SINCE", "failing_since", Look::time},
                             {"SUCCEEDED", "succeeded_at", Look::time},
                             {"CLOSED_UNTIL", "closed_until", Look::time},
                             {"CREATED", "created_at", Look::time}},
                 .name = "id",
                 .upright = true};
const Sheet kNew{.columns = {{"ID", "webhook_endpoint.id"},
                             {"URL", "webhook_endpoint.url"},
                             {"STATE", "webhook_endpoint.state", Look::state},
                             {"SECRET", "secret"}},
                 .name = "webhook_endpoint.id",
                 .upright = true};
const Sheet kLogs{.columns = {{"STARTED", "started_at", Look::time},
                              {"EVENT", "event_id"},
                              {"TYPE", "type"},
                              {"TRY", "attempt", Look::number},
                              {"OUTCOME", "outcome", Look::state},
                              {"STATUS", "status", Look::number},
                              {"MS", "duration_ms", Look::number},
                              {"NEXT", "next_at", Look::time}},
                  .name = "event_id"};
const Sheet kDelivery{.columns = {{"EVENT", "event_id"}, {"TYPE", "type"}, {"STATE", "state", Look::state}, {"ATTEMPTS", "attempts", Look::number}},
                      .name = "event_id",
                      .upright = true};

struct Given {
  std::string endpoint, url, description, signature, out_file, type, outcome, event, which, since, until;
  std::vector<std::string> events, channel_types, headers;
  std::int64_t timeout_ms = 0, max_per_second = -1, max_in_flight = 0, batch_max = 0, batch_wait_ms = -1, count = 100;
  bool ordered = false;
  std::chrono::milliseconds overlap{std::chrono::hours(24)};
};

std::string member(const std::string& json, const std::string& path) {
  const auto document = json::Document::parse(json);
  const auto value = find_at(document.root(), path);
  return value ? value->raw() : "{}";
}

std::string path_of(const Given& given, const std::string& rest = "") { return kEndpoints + "/" + text::percent_encode(given.endpoint) + rest; }

void write_texts(json::Writer& out, const char* name, const std::vector<std::string>& values) {
  if (values.empty()) return;
  out.key(name).array();
  for (const auto& value : values) out.text(value);
  out.end();
}

void write_settings(json::Writer& out, const Given& given) {
  if (!given.url.empty()) out.field("url", given.url);
  if (!given.description.empty()) out.field("description", given.description);
  write_texts(out, "events", given.events);
  write_texts(out, "channel_types", given.channel_types);
  if (!given.headers.empty()) {
    out.key("headers").object();
    for (const auto& header : given.headers) {
      const auto colon = header.find(':');
      if (colon == std::string::npos) throw Failure(Exit::usage, "--header " + header + " is not NAME: VALUE");
      out.field(text::trim(header.substr(0, colon)), text::trim(header.substr(colon + 1)));
    }
    out.end();
  }
  if (given.timeout_ms > 0) out.field("timeout_ms", given.timeout_ms);
  if (given.max_per_second >= 0) out.field("max_per_second", given.max_per_second);
  if (given.max_in_flight > 0) out.field("max_in_flight", given.max_in_flight);
  if (given.ordered) out.key("ordered").boolean(true);
  if (given.batch_max > 0) out.field("batch_max", given.batch_max);
  if (given.batch_wait_ms >= 0) out.field("batch_wait_ms", given.batch_wait_ms);
}

void create(Session& session, const Given& given) {
  session.check_secret_kept(given.out_file);
  json::Writer body;
  body.object();
  write_settings(body, given);
  if (!given.signature.empty()) body.field("signature", given.signature);
  body.end();
  Api& api = session.public_api();
  session.show_secret(post(api, kEndpoints, body.take()), "secret", kNew, given.out_file);
  session.note("webhook endpoint created; its secret can't be shown again");
}

void update(Session& session, const Given& given) {
  json::Writer body;
  body.object().key("set").object();
  write_settings(body, given);
  body.end().end();
  Api& api = session.public_api();
  session.done(member(patch(api, path_of(given), body.take()), "webhook_endpoint"), kOne, "webhook endpoint " + given.endpoint + " updated");
}

void list(Session& session) {
  Api& api = session.public_api();
  session.print(get(api, kEndpoints), kList);
}

void show(Session& session, const Given& given) {
  Api& api = session.public_api();
  session.print(member(get(api, path_of(given)), "webhook_endpoint"), kOne);
}

void change_state(Session& session, const Given& given, const std::string& verb) {
  Api& api = session.public_api();
  session.done(member(post(api, path_of(given, "/" + verb), "{}"), "webhook_endpoint"), kOne, "webhook endpoint " + given.endpoint + " " + verb + "d");
}

void remove(Session& session, const Given& given) {
  session.confirm("Delete webhook endpoint " + given.endpoint + "? What waits for it is never delivered, and its log goes.");
  Api& api = session.public_api();
  del(api, path_of(given));
  session.note("webhook endpoint " + given.endpoint + " deleted");
}

void rotate(Session& session, const Given& given) {
  session.check_secret_kept(given.out_file);
  json::Writer body;
  body.object().field("overlap_s", std::int64_t{std::chrono::ceil<std::chrono::seconds>(given.overlap).count()});
  if (!given.signature.empty()) body.field("signature", given.signature);
  body.end();
  Api& api = session.public_api();
  session.show_secret(post(api, path_of(given, "/rotate"), body.take()), "secret", kNew, given.out_file);
}

void trigger(Session& session, const Given& given) {
  json::Writer body;
  body.object();
  if (!given.type.empty()) body.field("type", given.type);
  body.end();
  Api& api = session.public_api();
  session.print(member(post(api, path_of(given, "/test"), body.take()), "delivery"), kDelivery);
}

void logs(Session& session, const Given& given) {
  std::vector<std::pair<std::string, std::string>> query;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) query.emplace_back(name, value);
  };
  add("endpoint_id", given.endpoint);
  add("type", given.type);
  add("outcome", given.outcome);
  add("since", given.since);
  add("until", given.until);
  Api& api = session.public_api();
  session.print(list_all(api, "/v1/webhooks/logs", "webhook_logs", query, static_cast<std::size_t>(given.count)), kLogs);
}

std::string replay_body(const Given& given, const std::optional<std::string>& next) {
  json::Writer body;
  body.object();
  if (!given.which.empty()) body.field("which", given.which);
  if (!given.since.empty()) body.field("since", given.since);
  if (!given.until.empty()) body.field("until", given.until);
  return body.optional_field("next", next).end().take();
}

void replay(Session& session, const Given& given) {
  Api& api = session.public_api();
  if (!given.event.empty()) {
    session.print(member(post(api, path_of(given, "/deliveries/" + text::percent_encode(given.event) + "/replay"), "{}"), "delivery"), kDelivery);
    return;
  }
  std::int64_t replayed = 0;
  std::optional<std::string> next;
  do {
    const auto answer = post(api, path_of(given, "/replay"), replay_body(given, next));
    const auto document = json::Document::parse(answer);
    replayed += document.root().find("replayed")->integer();
    const auto more = document.root().find("next");
    next = more ? std::optional<std::string>(more->text()) : std::nullopt;
    if (next) session.note(std::to_string(replayed) + " deliveries so far");
  } while (next);
  json::Writer out;
  out.object().field("replayed", replayed).key("complete").boolean(true).end();
  session.done(out.take(), {.columns = {{"REPLAYED", "replayed", Look::number}, {"COMPLETE", "complete"}}, .name = "replayed", .upright = true},
               std::to_string(replayed) + " deliveries are on their way again");
}

Verb& with_settings(Verb& verb, const std::shared_ptr<Given>& given) {
  return verb.option("--url", "URL", given->url, "Where your server takes them")
      .many("--event", "TYPE", given->events, "What to hear of: message.new, message.*, or *")
      .many("--channel-type", "TYPE", given->channel_types, "Of events in channels only these", Fill::channel_type)
      .many("--header", "NAME: VALUE", given->headers, "Sent with each delivery")
      .option("--description", "TEXT", given->description, "For your own eyes")
      .number("--timeout-ms", given->timeout_ms, 1'000, 30'000, "Of one call")
      .number("--max-per-second", given->max_per_second, 0, 10'000, "0: as fast as it answers")
      .number("--max-in-flight", given->max_in_flight, 1, 512, "Calls at once")
      .flag("--ordered", given->ordered, "One at a time of each channel, in the order of seq")
      .number("--batch-max", given->batch_max, 1, 100, "Events in one call; with more than 1 every call is a webhook.batch")
      .number("--batch-wait-ms", given->batch_wait_ms, 0, 60'000, "How long events gather before a call");
}

void add_changes(Noun& noun, const std::shared_ptr<Given>& given) {
  const auto states = {std::pair{"pause", "Let events wait for an endpoint"}, std::pair{"resume", "Let an endpoint have its events again"},
                       std::pair{"disable", "Skip an endpoint's events; they can be replayed"}};
  for (const auto& [verb, meaning] : states)
    noun.verb(verb, meaning)
        .argument("ENDPOINT", given->endpoint, "Its id, as webhook list shows it", Fill::webhook)
        .example(std::string("webhook ") + verb + " whe_01m7yzmjq2e60tak362xesvjfr --app acme")
        .run([given, name = std::string(verb)](Session& session) { change_state(session, *given, name); });
  noun.verb("delete", "Delete an endpoint and its log")
      .argument("ENDPOINT", given->endpoint, "Its id, as webhook list shows it", Fill::webhook)
      .example("webhook delete whe_01m7yzmjq2e60tak362xesvjfr --app acme")
      .run([given](Session& session) { remove(session, *given); });
  noun.verb("rotate", "Give an endpoint a new key; the old ones sign besides it for a while")
      .argument("ENDPOINT", given->endpoint, "Its id, as webhook list shows it", Fill::webhook)
      .duration("--overlap", given->overlap, "How long (default 24h)")
      .word("--signature", given->signature, {"v1", "v1a"}, "A shared secret, or Ed25519 (default: as before)")
      .option("--out-file", "FILE", given->out_file, "Write the secret there (0600) instead of printing it", Fill::file)
      .example("webhook rotate whe_01m7yzmjq2e60tak362xesvjfr --app acme --overlap 1h")
      .run([given](Session& session) { rotate(session, *given); });
}

void add_deliveries(Noun& noun, const std::shared_ptr<Given>& given) {
  noun.verb("trigger", "Send an endpoint an event that did not happen")
      .argument("ENDPOINT", given->endpoint, "Its id, as webhook list shows it", Fill::webhook)
      .option("--type", "TYPE", given->type, "Of which event (default webhook.test)")
      .example("webhook trigger whe_01m7yzmjq2e60tak362xesvjfr --app acme --type message.new")
      .run([given](Session& session) { trigger(session, *given); });
  noun.verb("logs", "List the attempts to deliver, the newest first")
      .option("--endpoint", "ENDPOINT", given->endpoint, "Only to this one")
      .option("--type", "TYPE", given->type, "Only of this event")
      .option("--outcome", "WORD", given->outcome, "succeeded, failed (all others), timed_out, http_error, …")
      .option("--since", "TIME", given->since, "RFC 3339")
      .option("--until", "TIME", given->until, "RFC 3339")
      .number("--count", given->count, 1, 100'000, "How many at most (default 100)")
      .example("webhook logs --app acme --outcome failed")
      .run([given](Session& session) { logs(session, *given); });
  noun.verb("replay", "Deliver again: one event, all that failed, all that were missed")
      .argument("ENDPOINT", given->endpoint, "Its id, as webhook list shows it", Fill::webhook)
      .option("--event", "EVENT", given->event, "Only this one: its webhook-id")
      .word("--which", given->which, {"failed", "missed", "all"}, "default failed")
      .option("--since", "TIME", given->since, "Of the event, RFC 3339 (default 14 days ago)")
      .option("--until", "TIME", given->until, "Of the event, RFC 3339 (default now)")
      .example("webhook replay whe_01m7yzmjq2e60tak362xesvjfr --app acme --which missed")
      .run([given](Session& session) { replay(session, *given); });
}

}  // namespace

void add_webhooks(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("webhook", "An application's webhook endpoints, their log, and tools for receivers");
  noun.alias("webhooks");
  auto make = noun.verb("create", "Make an endpoint; its secret is shown this once");
  with_settings(make, given)
      .word("--signature", given->signature, {"v1", "v1a"}, "A shared secret (default), or Ed25519")
      .option("--out-file", "FILE", given->out_file, "Write the secret there (0600) instead of printing it", Fill::file)
      .example("webhook create --app acme --url https://example.com/chat --event 'message.*' --out-file hook.secret")
      .run([given](Session& session) { create(session, *given); });
  noun.verb("list", "List the endpoints").example("webhook list --app acme").run([](Session& session) { list(session); });
  noun.verb("show", "Show one endpoint and how it fares")
      .argument("ENDPOINT", given->endpoint, "Its id, as webhook list shows it", Fill::webhook)
      .example("webhook show whe_01m7yzmjq2e60tak362xesvjfr --app acme")
      .run([given](Session& session) { show(session, *given); });
  auto change = noun.verb("update", "Change an endpoint; what is not given stays");
  with_settings(change, given)
      .argument("ENDPOINT", given->endpoint, "Its id, as webhook list shows it", Fill::webhook)
      .example("webhook update whe_01m7yzmjq2e60tak362xesvjfr --app acme --event message.new --event channel.created")
      .run([given](Session& session) { update(session, *given); });
  add_changes(noun, given);
  add_deliveries(noun, given);
  add_webhook_tools(noun);
}

}  // namespace chat::cli
