#include <memory>

#include "cli/nouns.h"
#include "cli/output/value.h"
#include "cli/session.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

const Sheet kDevice{.columns = {{"DEVICE_ID", "device_id"},
                                {"PROVIDER", "provider"},
                                {"PROVIDER_NAME", "provider_name"},
                                {"PLATFORM", "platform"},
                                {"TOKEN_END", "token_end"},
                                {"SEEN", "seen_at", Look::time}},
                    .name = "device_id",
                    .rows = "devices"};
const Sheet kProvider{.columns = {{"PROVIDER", "provider"},
                                  {"NAME", "name"},
                                  {"KEY_ID", "key_id"},
                                  {"TOPIC", "topic"},
                                  {"CREATED", "created_at", Look::time}},
                      .name = "name",
                      .rows = "push_providers"};
const Sheet kCheck{.columns = {{"PROVIDER", "provider"},
                               {"NAME", "provider_name"},
                               {"VERDICT", "verdict", Look::state},
                               {"DETAIL", "detail"}},
                   .name = "verdict",
                   .upright = true};

struct Given {
  std::string user, device;
};

void list(Session& session, const Given& given) {
  session.print_list(get(session.public_api(), "/v1/devices", {{"user_id", given.user}}), kDevice, "no devices");
}

void list_providers(Session& session) {
  session.print_list(get(session.public_api(), "/v1/push/providers"), kProvider,
                     "no push providers; the application's backend brings them");
}

void remove(Session& session, const Given& given) {
  session.confirm("Forget device " + given.device + " of " + given.user + "?");
  del(session.public_api(), "/v1/devices/" + text::percent_encode(given.device), {{"user_id", given.user}});
  session.note("device " + given.device + " of " + given.user + " forgotten");
}

void check(Session& session, const Given& given) {
  json::Writer body;
  body.object().field("user_id", given.user).field("device_id", given.device).end();
  session.print(post(session.public_api(), "/v1/push/check", body.take()), kCheck);
}

}  // namespace

void add_devices(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("device", "The devices that users are reached at");
  noun.alias("devices");
  noun.verb("list", "List a user's devices")
      .alias("ls")
      .required_option("--user", "USER", given->user, "Whose", Fill::user)
      .example("device list --user alice --app acme")
      .run([given](Session& session) { list(session, *given); });
  noun.verb("delete", "Forget a device")
      .argument("DEVICE_ID", given->device, "As device list shows it")
      .required_option("--user", "USER", given->user, "Whose", Fill::user)
      .example("device delete 3f1c --user alice --app acme --yes")
      .run([given](Session& session) { remove(session, *given); });
}

void add_push(CommandLine& line) {
  const auto given = std::make_shared<Given>();
  auto noun = line.noun("push", "The ways to push to users' devices");
  noun.verb("check", "Push a test to a device and show what its provider answered")
      .argument("DEVICE_ID", given->device, "As device list shows it")
      .required_option("--user", "USER", given->user, "Whose", Fill::user)
      .detail("gone: the token is dead. later: the provider is busy or away. refused: credentials or content are wrong.")
      .example("push check 3f1c --user alice --app acme --dry-run")
      .run([given](Session& session) { check(session, *given); });
  noun.verb("providers", "List the push providers, without their secrets")
      .example("push providers --app acme")
      .run([](Session& session) { list_providers(session); });
}

}  // namespace chat::cli
