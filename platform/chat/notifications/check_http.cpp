#include "platform/base/error.h"
#include "platform/chat/devices/devices.h"
#include "platform/chat/notifications/notifications_http.h"
#include "platform/http/idempotency.h"
#include "tenants/auth.h"

namespace chat::notifications {
namespace {

using http::Request;
using http::Responder;
using http::Response;

struct Asked {
  std::string user_id, device_id;
  push::Notification notification;
};

Asked read_check(const Request& request) {
  (void)http::idempotency_key(request);        // its form; a check that is repeated pushes again
  http::Query(request).finish();
  auto document = http::body_of(request);
  json::Fields body(document.root());
  Asked asked;
  asked.user_id = body.text("user_id", {.min_bytes = 1});
  asked.device_id = body.text("device_id", {.min_bytes = 1});
  asked.notification.title = body.find_text("title", {.min_bytes = 1, .max_bytes = 200}).value_or("Test");
  asked.notification.body = body.find_text("body", {.min_bytes = 1, .max_bytes = 1'000}).value_or("This is a test of push notifications.");
  body.finish();
  asked.notification.data = {{"event", "check"}};
  return asked;
}

Response answer(const devices::Device& device, const push::Receipt& receipt) {
  const auto word = [&] {
    switch (receipt.verdict) {
      case push::Verdict::sent: return "sent";
      case push::Verdict::gone: return "gone";
      case push::Verdict::later: return "later";
      case push::Verdict::refused: return "refused";
    }
    return "refused";
  };
  json::Writer out;
  out.object().field("provider", device.provider).field("provider_name", device.provider_name).field("verdict", word());
  if (!receipt.detail.empty()) out.field("detail", receipt.detail);
  out.end();
  return http::json(200, out.take());
}

void look_up_and_send(storage::Connection& connection, Senders& senders, AppId app, const Asked& asked, const Responder& respond) {
  devices::Device device;
  std::shared_ptr<push::Provider> wire;
  connection.transact(app, storage::Mode::read, [&](storage::Transaction& tx) {
    device = devices::get_device(tx, asked.user_id, asked.device_id);
    wire = senders.find(tx, device.provider, device.provider_name);
    if (!wire) throw not_found("push provider");
  });
  const auto token = device.token;
  wire->send(token, asked.notification, [respond, device = std::move(device), wire](const push::Receipt& receipt) { respond(answer(device, receipt)); });
}

void check(const Services& services, const std::shared_ptr<Request>& request, const Responder& respond) {
  const bool taken = services.run([&senders = services.senders, app = tenants::Caller::of(*request).app(), asked = read_check(*request), respond,
                                   id = request->request_id](storage::Connection& connection) {
    try {
      look_up_and_send(connection, senders, app, asked, respond);
    } catch (const Error& error) {
      respond(http::problem(error, id));
    }
  });
  if (!taken) throw Error(Code::unavailable, "Too many requests wait for the database; try again.").with_retry_after(std::chrono::seconds(1));
}

}  // namespace

void add_check_route(http::Router& router, const Services& services) {
  router.add({.method = http::Method::post, .pattern = "/v1/push/check", .operation = "check_push", .access = http::Access::server,
              .async = [services](std::shared_ptr<Request> request, Responder respond) { check(services, request, respond); }});
}

void add_routes(http::Router& router, const Services& services) {
  add_provider_routes(router, services);
  add_preference_routes(router, services);
  add_template_routes(router, services);
  add_check_route(router, services);
}

}  // namespace chat::notifications
