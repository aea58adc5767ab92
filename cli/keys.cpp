#include <memory>

#include "cli/line/values.h"
#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const Sheet kSecrets{.columns = {{"SECRET_ID", "secret_id"},
                                 {"CREATED", "created_at", Look::time},
                                 {"EXPIRES", "expires_at", Look::time},
                                 {"LAST_USED", "last_used_at", Look::time}},
                     .name = "secret_id",
                     .rows = "secrets"};
const Sheet kNew{.columns = {{"SECRET_ID", "secret.secret_id"},
                             {"SECRET", "secret.value"},
                             {"CREATED", "secret.created_at", Look::time}},
                 .name = "secret.secret_id",
                 .upright = true};

const Sheet kExpired{.columns = {{"SECRET_ID", "secret.secret_id"}, {"EXPIRES", "secret.expires_at", Look::time}},
                     .name = "secret.secret_id",
                     .upright = true};

struct Given {
  std::string secret_id, out_file;
  std::chrono::milliseconds grace{std::chrono::hours(24)}, after{std::chrono::hours(24)};
};

void show(Session& session) {
  const auto answer = get(session.api(), session.app_path(session.app(), "/keys"));
  if (session.format() == Format::table) {
    const auto document = json::Document::parse(answer);
    session.print_text("API_KEY  " + printable(text_at(document.root(), "api_key")) + "\n\n");
  }
  session.print(answer, kSecrets);
}

void create(Session& session, const Given& given, std::optional<std::chrono::milliseconds> grace) {
  session.check_secret_kept(given.out_file);
  const auto app = session.app();
  json::Writer body;
  body.object();
  if (grace) body.field("expire_others_in_s", std::chrono::ceil<std::chrono::seconds>(*grace).count());
  body.end();
  const auto answer = post(session.api(), session.app_path(app, "/secrets"), body.take());
  session.show_secret(answer, "secret.value", kNew, given.out_file);
  if (!grace)
    session.note("secret of " + app + " created; it can't be shown again");
  else if (grace->count() == 0)
    session.note("secret of " + app + " rotated; the older ones are dead");
  else
    session.note("secret of " + app + " rotated; the older ones stop working in " + duration_text(*grace));
}

void rotate(Session& session, const Given& given) {
  if (given.grace.count() == 0)
    session.confirm("End all older secrets of " + session.app() +
                    " now? Tokens signed with them stop working at once.");
  create(session, given, given.grace);
}

void expire(Session& session, const Given& given) {
  const auto app = session.app();
  if (given.after.count() == 0)
    session.confirm("End secret " + given.secret_id + " of " + app + " now? Tokens signed with it stop working at once.");
  json::Writer body;
  body.object().field("in_s", std::chrono::ceil<std::chrono::seconds>(given.after).count()).end();
  const auto answer = post(session.api(), session.app_path(app, "/secrets/" + text::percent_encode(given.secret_id) + "/expire"), body.take());
  const auto document = json::Document::parse(answer);
  session.done(answer, kExpired, "secret " + given.secret_id + " of " + app + " stops working at " + text_at(document.root(), "secret.expires_at"));
}

void remove(Session& session, const Given& given) {
  const auto app = session.app();
  session.confirm("Delete secret " + given.secret_id + " of " + app +
                  "? Tokens signed with it stop working at once.");
  del(session.api(), session.app_path(app, "/secrets/" + text::percent_encode(given.secret_id)));
  session.note("secret " + given.secret_id + " of " + app + " deleted");
}

}  // namespace

void add_keys(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("key", "An application's API key and signing secrets");
  noun.alias("keys");
  noun.verb("show", "Show the API key and the live secrets, without their values")
      .alias("list")
      .example("key show --app acme")
      .run([](Session& session) { show(session); });
  noun.verb("create", "Add a signing secret; at most five live at once")
      .option("--out-file", "FILE", given->out_file, "Write the secret there (0600) instead of printing it",
              Fill::file)
      .example("key create --app acme --out-file acme.secret")
      .run([given](Session& session) { create(session, *given, std::nullopt); });
  noun.verb("rotate", "Add a secret and let the older ones end after a grace time")
      .duration("--grace", given->grace, "How long the older ones still work (default 24h)")
      .option("--out-file", "FILE", given->out_file, "Write the secret there (0600) instead of printing it",
              Fill::file)
      .example("key rotate --app acme --grace 72h")
      .run([given](Session& session) { rotate(session, *given); });
  noun.verb("expire", "Let one secret end after a time")
      .argument("SECRET_ID", given->secret_id, "As key show prints it", Fill::secret)
      .duration("--in", given->after, "How long it still works (default 24h); 0s ends it now")
      .example("key expire sec_01h455vb4pex5vsknk084sn02q --app acme --in 1h")
      .run([given](Session& session) { expire(session, *given); });
  noun.verb("delete", "End one secret now")
      .argument("SECRET_ID", given->secret_id, "As key show lists it", Fill::secret)
      .example("key delete sec_01h455vb4pex5vsknk084sn02q --app acme")
      .run([given](Session& session) { remove(session, *given); });
}

}  // namespace chat::cli
