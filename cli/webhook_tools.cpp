#include "cli/webhook_tools.h"

#include <memory>

#include "cli/files/files.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/webhook_signature.h"

namespace chat::cli {
namespace {

struct Given {
  std::string forward_to, secret_file, id, timestamp, signature, body_file = "-";
  std::int64_t count = 0;
  std::chrono::milliseconds length{0};
  bool any_age = false;
};

/// Splits an address into what a client connects to and what it asks for there.
std::pair<std::string, std::string> split_url(const std::string& url) {
  const auto host = url.find("://");
  const auto path = url.find('/', host == std::string::npos ? 0 : host + 3);
  return path == std::string::npos ? std::pair{url, std::string("/")} : std::pair{url.substr(0, path), url.substr(path)};
}

webhook::Key key_of(Session& session, const std::string& file) {
  std::string why;
  auto key = webhook::parse_key(read_secret_file(session.world(), file), &why);
  if (!key) throw Failure(Exit::usage, input_name(file) + " holds no webhook secret: " + why);
  return *key;
}

std::unique_ptr<EventSocket> open_socket(Session& session) {
  json::Writer body;
  body.object().key("server").boolean(true).field("ttl_s", std::int64_t{86'400}).end();
  const auto answer = json::Document::parse(post(session.api(), session.app_path(session.app(), "/tokens"), body.take()));
  auto url = session.public_url();
  while (!url.empty() && url.back() == '/') url.pop_back();
  return session.world().open_socket({.url = "ws" + url.substr(4) + "/v1/connect",
                                      .api_key = text_at(answer.root(), "api_key"),
                                      .token = text_at(answer.root(), "token"),
                                      .ca_file = session.context().ca_file});
}

/// One event to the receiver under test, as a delivery would be.
void forward(Session& session, Api& receiver, const std::string& path, const webhook::Key& key, const std::string& frame) {
  const auto event = json::Document::parse(frame);
  const auto id = text_at(event.root(), "id");
  const auto now = std::chrono::floor<std::chrono::seconds>(session.world().clock.now()).time_since_epoch().count();
  const auto answer = receiver.send({.method = "POST", .path = path, .body = frame, .with_token = false,
                                     .headers = {{"webhook-id", id}, {"webhook-timestamp", std::to_string(now)},
                                                 {"webhook-signature", webhook::sign(key, id, now, frame)}}});
  session.print_text(printable(text_at(event.root(), "type")) + "  " + id + "  " + std::to_string(answer.status) + "\n");
}

void listen(Session& session, const Given& given) {
  const auto [server, path] = split_url(given.forward_to);
  const auto key = given.secret_file.empty() ? webhook::make_key(webhook::Scheme::v1) : key_of(session, given.secret_file);
  ApiOptions options;
  options.server = server;
  options.timeout = session.globals().timeout;
  const auto receiver = session.world().connect_api(std::move(options));
  const auto socket = open_socket(session);
  const auto end = given.length.count() == 0 ? std::chrono::steady_clock::time_point::max() : std::chrono::steady_clock::now() + given.length;
  for (std::int64_t shown = 0; given.count == 0 || shown < given.count;) {
    const auto event = socket->next(end);
    if (event.kind == SocketEvent::Kind::deadline) return;
    if (event.kind == SocketEvent::Kind::interrupted) throw Failure(Exit::interrupted, "");
    if (event.kind == SocketEvent::Kind::closed) throw Failure(Exit::unavailable, "the connection ended: " + event.text);
    const auto document = json::Document::parse(event.text);
    if (text_at(document.root(), "type") == "connection.ready")
      session.note("events of " + session.app() + " go to " + given.forward_to +
                   (given.secret_file.empty() ? ", signed with " + key.text() : "") + "; Ctrl-C ends");
    if (!find_at(document.root(), "created_at")) continue;
    forward(session, *receiver, path, key, event.text);
    ++shown;
  }
}

void verify(Session& session, const Given& given) {
  const auto body = read_input(session.world(), given.body_file);
  const auto tolerance = given.any_age ? std::nullopt : std::optional(webhook::kTolerance);
  const auto why = webhook::verify(key_of(session, given.secret_file), {given.id, given.timestamp, given.signature, body}, session.world().clock.now(), tolerance);
  if (!why.empty())
    throw Failure(Exit::failure, "not genuine: " + why)
        .with_next("signed is " + given.id + "." + given.timestamp + "." + "BODY, with " + std::to_string(body.size()) + " bytes of body as they arrived");
  session.note("genuine");
}

}  // namespace

void add_webhook_tools(Noun& noun) {
  const auto given = std::make_shared<Given>();
  noun.verb("listen", "Pass an application's events on to a receiver that you are writing")
      .detail("Each event as it happens, signed as a delivery is; nothing is repeated. No endpoint is needed, and nothing has to be reachable from outside.")
      .required_option("--forward-to", "URL", given->forward_to, "http://127.0.0.1:3000/chat")
      .option("--secret-file", "FILE", given->secret_file, "Sign with the whsec_ secret in it (default: a new one, shown)", Fill::file)
      .number("--count", given->count, 1, 1'000'000'000, "End after so many events")
      .duration("--for", given->length, "End after this time")
      .example("webhook listen --app acme --forward-to http://127.0.0.1:3000/chat")
      .run([given](Session& session) { listen(session, *given); });
  noun.verb("verify", "Say whether a delivery is genuine, or what is wrong with it")
      .required_option("--secret-file", "FILE", given->secret_file, "The endpoint's whsec_ secret or whpk_ key", Fill::file)
      .required_option("--id", "ID", given->id, "Its webhook-id")
      .required_option("--timestamp", "SECONDS", given->timestamp, "Its webhook-timestamp")
      .required_option("--signature", "TEXT", given->signature, "Its webhook-signature")
      .option("--body", "FILE", given->body_file, "Its body, byte for byte (default: standard input)", Fill::file)
      .flag("--any-age", given->any_age, "However old it is")
      .example("webhook verify --secret-file hook.secret --id evt_01m7yzmjqcedqrb018tr4sjm6r --timestamp 1795867200 --signature v1,… --body body.json")
      .run([given](Session& session) { verify(session, *given); });
}

}  // namespace chat::cli
