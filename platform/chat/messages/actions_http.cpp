#include "platform/base/error.h"
#include "platform/chat/messages/messages_events.h"
#include "platform/chat/messages/messages_http.h"
#include "platform/chat/messages/shadow.h"

namespace chat::messages {
namespace {

using http::Request;
using http::Response;
using tenants::Caller;

constexpr std::size_t kMaxNameBytes = 64, kMaxDataBytes = 5 * 1024;

struct Run {
  std::string name;
  std::optional<std::string> data;             // a JSON object
  std::optional<std::string> user_id;
};

Run read_run(const Request& request) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  Run run{body.text("name", {.min_bytes = 1, .max_bytes = kMaxNameBytes}), body.find_raw_object("data", kMaxDataBytes), body.find_text("user_id")};
  body.finish();
  return run;
}

bool is_named(const json::Value& action, const std::string& name) {
  if (action.kind() != json::Kind::object) return false;
  const auto said = action.find("name");
  return said && said->kind() == json::Kind::text && said->text() == name;
}

/// Only what the message offers may be run: `name` stands among the `actions` of one of its attachments.
bool offers(const Message& message, const std::string& name) {
  if (!message.attachments) return false;
  const auto document = json::Document::parse(*message.attachments);
  for (const auto& attachment : document.root().items()) {
    const auto actions = attachment.find("actions");
    if (!actions || actions->kind() != json::Kind::array) continue;
    for (const auto& action : actions->items())
      if (is_named(action, name)) return true;
  }
  return false;
}

bus::Event action_event(const channels::Opened& opened, const Message& message, const Run& run, Timestamp now) {
  bus::Event event;
  event.id = EventId::make(now);
  event.type = kMessageAction;
  event.reach = bus::Reach::application;
  event.channel = opened.channel.id;
  event.cid = opened.channel.cid();
  event.user_id = opened.acting_user;          // whose erasure takes what waits to be delivered
  event.created_at = now;
  json::Writer data;
  data.object().key("action").object().field("name", run.name).key("data").raw(run.data.value_or("{}")).end();
  data.field("user_id", opened.acting_user).field("message_id", message.id.wire()).end();
  event.data = data.take();
  return event;
}

/// Nobody hears what a user does in the shadow, or with what was said there.
bool is_unheard(storage::Transaction& tx, const tenants::Caller& caller, const channels::Opened& opened, const Message& message) {
  return !caller.is_server() && (message.seq == 0 || is_in_shadow(tx, opened));
}

/// For the customer's servers: over their connections, and to each webhook endpoint that wants message.action, for certain.
Response run_action(const Services& services, const Request& request, storage::Transaction& tx) {
  const auto run = read_run(request);
  const auto& caller = Caller::of(request);
  auto opened = channels::open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user(run.user_id, "#/user_id"));
  const auto message = get_message(tx, opened.channel, request.id_part<MessageId>("message_id", "message"));
  if (message.deleted_at) throw not_found("message");
  if (!offers(message, run.name)) throw Error(Code::not_found, "This message offers no such action.", {{"#/name", "Not among its actions."}});
  auto event = action_event(opened, message, run, services.clock.now());
  event.app = tx.app();
  json::Writer out;
  out.object().field("event_id", event.id.wire()).end();
  if (!is_unheard(tx, caller, opened, message)) bus::emit(tx, services.bus, std::move(event));
  return http::json(202, out.take());
}

}  // namespace

void add_action_route(http::Router& router, const Services& services) {
  router.add({.method = http::Method::post, .pattern = "/v1/channels/{type}/{id}/messages/{message_id}/actions", .operation = "run_message_action",
              .mode = storage::Mode::write,
              .handler = [services](const Request& request, storage::Transaction& tx) { return run_action(services, request, tx); }});
}

}  // namespace chat::messages
