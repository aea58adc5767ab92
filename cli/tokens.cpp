#include <memory>

#include "cli/files/files.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/crypto.h"

namespace chat::cli {
namespace {

const Sheet kToken{
    .columns = {{"TOKEN", "token"}, {"API_KEY", "api_key"}, {"EXPIRES", "expires_at", Look::time}},
    .name = "token",
    .upright = true};
const Sheet kRevoked{.columns = {{"BEFORE", "before", Look::time}}, .name = "before", .upright = true};

struct Given {
  std::string user, secret_file, api_key, out_file, before, token_id, expires;
  bool server = false;
  std::chrono::milliseconds ttl{std::chrono::hours(24)};
};

/// The same token that the customer's backend would sign.
/// Source:  RFC 7519, RFC 7515; HS256 over the secret's text
std::string sign_offline(const Given& given, const std::string& secret, Timestamp now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto expires = seconds + std::chrono::duration_cast<std::chrono::seconds>(given.ttl);
  json::Writer claims;
  claims.object();
  if (given.server)
    claims.key("server").boolean(true);
  else
    claims.field("user_id", given.user);
  claims.field("iat", std::int64_t{seconds.time_since_epoch().count()});
  claims.field("exp", std::int64_t{expires.time_since_epoch().count()}).end();
  const auto head =
      crypto::base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + crypto::base64url(claims.take());
  json::Writer out;
  out.object().field("token", head + "." + crypto::base64url(crypto::hmac_sha256(secret, head)));
  out.field("api_key", given.api_key).key("expires_at").time(Timestamp(expires)).end();
  return out.take();
}

std::string ask_server(Session& session, const Given& given) {
  json::Writer body;
  body.object();
  if (given.server)
    body.key("server").boolean(true);
  else
    body.field("user_id", given.user);
  body.field("ttl_s", std::int64_t{std::chrono::duration_cast<std::chrono::seconds>(given.ttl).count()})
      .end();
  return post(session.api(), session.app_path(session.app(), "/tokens"), body.take());
}

void create(Session& session, const Given& given) {
  if (given.server == !given.user.empty())
    throw Failure(Exit::usage, "whose token? Give either --user ID or --server-token")
        .with_next("chatctl token create --help");
  if (given.ttl < std::chrono::minutes(1)) throw Failure(Exit::usage, "--ttl must be at least 1m");
  if (given.secret_file.empty() != given.api_key.empty())
    throw Failure(Exit::usage, "signing offline takes both --secret-file and --api-key");
  const auto answer = given.secret_file.empty()
                          ? ask_server(session, given)
                          : sign_offline(given, read_secret_file(session.world(), given.secret_file),
                                         session.world().clock.now());
  session.show_secret(answer, "token", kToken, given.out_file);
}

void revoke_one(Session& session, const Given& given) {
  const auto app = session.app();
  if (!given.user.empty() || !given.before.empty())
    throw Failure(Exit::usage, "--token-id means one token, whosever it is: no --user, no --before");
  if (!given.expires.empty() && !parse_time(given.expires))
    throw Failure(Exit::usage, "--expires " + given.expires + " is no time; write 2026-11-21T12:00:00Z");
  session.confirm("Revoke the token " + given.token_id + " of " + app + "? Its connections are closed.");
  json::Writer body;
  body.object().field("token_id", given.token_id);
  if (!given.expires.empty()) body.field("expires_at", given.expires);
  body.end();
  (void)post(session.api(), session.app_path(app, "/revoke_tokens"), body.take());
  session.note("token " + given.token_id + " in " + app + " is dead");
}

void revoke(Session& session, const Given& given) {
  if (!given.token_id.empty()) return revoke_one(session, given);
  if (!given.expires.empty()) throw Failure(Exit::usage, "--expires goes with --token-id");
  const auto app = session.app();
  if (!given.before.empty() && !parse_time(given.before))
    throw Failure(Exit::usage, "--before " + given.before + " is no time; write 2026-11-21T12:00:00Z");
  const auto whose = given.user.empty() ? "all users" : given.user;
  const auto when = given.before.empty() ? "now" : given.before;
  session.confirm("Revoke the tokens that " + whose + " of " + app + " got before " + when +
                  "? Their connections are closed.");
  json::Writer body;
  body.object();
  if (!given.user.empty()) body.field("user_id", given.user);
  if (!given.before.empty()) body.field("before", given.before);
  body.end();
  const auto answer = post(session.api(), session.app_path(app, "/revoke_tokens"), body.take());
  const auto sentence = "tokens of " + whose + " in " + app + " issued before " + when + " are dead";
  if (answer.empty())
    session.note(sentence);
  else
    session.done(answer, kRevoked, sentence);
}

}  // namespace

void add_tokens(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("token", "Tokens of an application's users and backends");
  noun.alias("tokens");
  noun.verb("create", "Sign a token for a user or a backend")
      .detail("Through the API, or offline with a secret at hand: then nothing is asked of any server.")
      .option("--user", "ID", given->user, "The user it is for")
      .flag("--server-token", given->server, "For the customer's backend instead of a user")
      .duration("--ttl", given->ttl, "How long it is valid (default 24h)")
      .option("--secret-file", "FILE", given->secret_file, "Sign offline with the secret in it; - is stdin",
              Fill::file)
      .option("--api-key", "KEY", given->api_key, "The API key to go with it, when signing offline")
      .option("--out-file", "FILE", given->out_file, "Write the token there (0600) instead of printing it",
              Fill::file)
      .example("token create --app acme --user alice --ttl 1h")
      .example("token create --app acme --server-token -o name")
      .example("token create --user alice --api-key key_01h455vb4pex5vsknk084sn02q --secret-file acme.secret")
      .run([given](Session& session) { create(session, *given); });
  noun.verb("revoke", "End user tokens issued before a moment, or one token by its id")
      .option("--user", "ID", given->user, "Only this user's (default: every user's)")
      .option("--before", "TIME", given->before, "RFC 3339 (default: now)")
      .option("--token-id", "JTI", given->token_id, "Only the token with this jti, a user's or a backend's")
      .option("--expires", "TIME", given->expires, "When that token expires (default: remembered for good)")
      .example("token revoke --app acme --user mallory")
      .example("token revoke --app acme --token-id alice-phone-7 --expires 2026-12-24T12:00:00Z")
      .run([given](Session& session) { revoke(session, *given); });
}

}  // namespace chat::cli
