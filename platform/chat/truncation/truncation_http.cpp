#include "platform/chat/truncation/truncation_http.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/truncation/truncation.h"
#include "platform/chat/users/users.h"
#include "tenants/auth.h"

namespace chat::truncation {
namespace {

using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

struct Asked {
  TruncationInput input;
  std::optional<std::string> user;             // as whom
};

void read_message(json::Fields& body, const Caller& caller, TruncationInput& input) {
  auto given = body.find_object("message");
  if (!given) return;
  json::Fields fields(*given, body.pointer("message"));
  input.text = fields.text("text", {.min_bytes = 1, .max_bytes = kMaxMessageBytes});
  input.custom = fields.find_raw_object("custom", users::kMaxCustomBytes);
  auto author = fields.find_text("user_id", {.min_bytes = 1, .max_bytes = 255});
  if (author && !caller.is_server()) fields.mistake("user_id", "Only a server writes in another's name.");
  input.author = author.value_or("");
  fields.check_unknown();
  body.absorb(fields);
}

Asked read_truncation(const Request& request) {
  const auto& caller = Caller::of(request);
  auto document = http::body_of(request);
  json::Fields body(document.root());
  Asked asked;
  if (auto id = body.find_text("message_id", {.min_bytes = 1, .max_bytes = 64})) {
    asked.input.up_to = MessageId::parse(*id);
    if (!asked.input.up_to) body.mistake("message_id", "Must be a message id: msg_…");
  }
  asked.input.before = body.find_time("before");
  if (asked.input.before && body.has("message_id")) body.mistake("before", "Stands alone: message_id, before, or neither.");
  asked.input.hard = body.find_boolean("hard").value_or(false);
  read_message(body, caller, asked.input);
  asked.user = body.find_text("user_id");
  body.finish();
  return asked;
}

Response truncate(const Services& services, const Request& request, Tx& tx) {
  const auto now = services.clock.now();
  const auto& caller = Caller::of(request);
  auto [input, user] = read_truncation(request);
  const auto acting_user = caller.acting_user_or_none(user, "#/user_id");
  if (input.author.empty()) input.author = acting_user;
  if (input.text && input.author.empty()) throw invalid_field("#/message/user_id", "Required: in whose name the message is written.");
  std::shared_ptr<billing::Spending> spending;
  if (input.text) spending = std::make_shared<billing::Spending>(services.accounts.find(caller.shared_application()), billing::Meter::messages, 1, now);
  auto opened = channels::lock_channel(tx, caller, request.part("type"), request.part("id"), acting_user);
  const auto truncated = truncate_channel(tx, services.bus, opened, input, now);
  if (truncated.message) tx.after_commit([spending, now] { spending->done(1, now); });
  json::Writer out;
  out.object().key("channel").raw(channels::channel_json(truncated.channel));
  if (truncated.up_to) out.field("up_to_message_id", truncated.up_to->wire());
  if (truncated.message) out.key("message").raw(messages::message_json(*truncated.message));
  out.end();
  return http::json(200, out.take());
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  router.add({.method = http::Method::post, .pattern = "/v1/channels/{type}/{id}/truncate", .operation = "truncate_channel",
              .handler = [services](const Request& request, Tx& tx) { return truncate(services, request, tx); }});
}

}  // namespace chat::truncation
