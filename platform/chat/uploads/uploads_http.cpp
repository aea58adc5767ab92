#include "platform/chat/uploads/uploads_http.h"

#include "platform/base/error.h"
#include "platform/base/json.h"

namespace chat::uploads {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

UploadId upload_of(const Request& request) { return request.id_part<UploadId>("upload_id", "upload"); }

std::string wrapped(std::string upload) { return "{\"upload\":" + std::move(upload) + "}"; }

NewUpload read_wanted(json::Fields& body) {
  NewUpload wanted;
  wanted.name = body.text("name", {.min_bytes = 1, .max_bytes = 255});
  for (const char c : wanted.name)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) {
      body.mistake("name", "Must not hold control characters.");
      break;
    }
  wanted.size_bytes = body.integer("size_bytes", {1, std::int64_t{1} << 50});
  wanted.mime_type = body.find_text("mime_type", {.min_bytes = 3, .max_bytes = 100});
  return wanted;
}

Response begun(const Services& services, const Request& request, const Upload& upload) {
  const auto app = Caller::of(request).app();
  const auto now = services.clock.now();
  const auto& links = services.depot.links();
  const auto link = links.to_bring(app, upload, now);
  json::Writer out;
  out.object().key("upload").raw(upload_json(app, upload, nullptr, now)).field("upload_url", link.url).key("headers").object();
  for (const auto& [name, value] : link.headers) out.field(name, value);
  out.end().key("upload_url_expires_at").time(upload.created_at + links.rules().upload_ttl).end();
  return http::json(201, out.take());
}

std::shared_ptr<const billing::Limits> limits_of(const Services& services, const Caller& caller) {
  auto account = services.accounts.find(caller.shared_application());
  if (!account) throw Error(Code::unavailable, "Try again.").with_retry_after(std::chrono::seconds(1));
  account->check(billing::Meter::storage_byte_hours, services.clock.now());
  return account->limits();
}

/// The name stands in messages later, whatever their senders say there. Nobody flags it: the message may never come.
/// Errors:  as tenants::JudgeSaid
void judge_name(const Services& services, const Caller& caller, const std::string& type, const std::string& cid, NewUpload& wanted) {
  tenants::Said said{type, cid, {{"#/name", &wanted.name}}, true};
  services.judge_names(caller, said);
}

Response begin(const Services& services, const Request& request, Tx& tx) {
  static_cast<void>(services.depot.store());   // none: refused before anything is read
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto wanted = read_wanted(body);
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  auto opened = channels::open_channel(tx, caller, request.part("type"), request.part("id"), caller.acting_user(user, "#/user_id"));
  judge_name(services, caller, opened.channel.type, opened.channel.cid(), wanted);
  return begun(services, request,
               begin_upload(tx, caller, opened, wanted, *limits_of(services, caller), services.depot.rules(), services.clock.now()));
}

Response begin_by_server(const Services& services, const Request& request, Tx& tx) {
  static_cast<void>(services.depot.store());   // none: refused before anything is read
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto wanted = read_wanted(body);
  body.finish();
  const auto& caller = Caller::of(request);
  judge_name(services, caller, "", "", wanted);
  return begun(services, request, begin_upload(tx, caller, wanted, *limits_of(services, caller), services.depot.rules(), services.clock.now()));
}

Response show(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  auto user = query.find_text("user_id");
  query.finish();
  const auto& caller = Caller::of(request);
  const auto upload = get_upload(tx, caller.acting_user_or_none(user, "query:user_id"), upload_of(request));
  return http::json(200, wrapped(upload_json(caller.app(), upload, &services.depot.links(), services.clock.now())));
}

Response list_links(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  std::vector<UploadId> ids;
  const auto names = body.find_texts("upload_ids", kMaxLinks, {.min_bytes = 1, .max_bytes = 64});
  if (!names || names->empty()) body.mistake("upload_ids", "1 to 100 ids of uploads.");
  for (std::size_t i = 0; names && i < names->size(); ++i) {
    if (auto id = UploadId::parse((*names)[i])) ids.push_back(*id);
    else body.mistake_at("upload_ids/" + std::to_string(i), "Must be an upload's id: upl_…");
  }
  auto user = body.find_text("user_id");
  body.finish();
  const auto& caller = Caller::of(request);
  json::Writer out;
  out.object().key("uploads").array();
  for (const auto& upload : find_uploads(tx, caller.acting_user_or_none(user, "#/user_id"), ids))
    out.raw(upload_json(caller.app(), upload, &services.depot.links(), services.clock.now()));
  out.end().end();
  return http::json(200, out.take());
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  const auto& caller = Caller::of(request);
  delete_upload(tx, caller.is_server() ? "" : caller.user_id(), upload_of(request), services.clock.now());
  return http::no_content();
}

void complete(const Services& services, const std::shared_ptr<Request>& request, const Responder& respond) {
  http::require_empty_body(*request);
  static_cast<void>(services.depot.store());   // none: refused before anything is read
  const auto& caller = Caller::of(*request);
  const auto account = services.accounts.find(caller.shared_application());
  if (!account) throw Error(Code::unavailable, "Try again.").with_retry_after(std::chrono::seconds(1));
  submit_look(services, {caller.shared_application(), account->limits(), upload_of(*request), caller.is_server() ? "" : caller.user_id(), {}, {}}, *request, respond);
}

}  // namespace

void submit_look(const Services& services, Depot::Look look, const Request& request, const Responder& respond) {
  look.done = [respond, &services_depot = services.depot, &clock = services.clock, app = look.application->id](const Upload& upload) {
    respond(http::json(200, wrapped(upload_json(app, upload, &services_depot.links(), clock.now()))));
  };
  look.refused = [respond, id = request.request_id](const Error& error) { respond(http::problem(error, id)); };
  if (!services.depot.submit(std::move(look)))
    throw Error(Code::unavailable, "Too many uploads are being looked at; complete this one in a moment.").with_retry_after(std::chrono::seconds(2));
}

void add_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode,
                   Response (*act)(const Services&, const Request&, Tx&), http::Access access = http::Access::user_or_server) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .access = access, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::post, "/v1/channels/{type}/{id}/uploads", "begin_upload", storage::Mode::write, begin);
  route(Method::post, "/v1/uploads", "begin_server_upload", storage::Mode::write, begin_by_server, http::Access::server);
  route(Method::get, "/v1/uploads/{upload_id}", "get_upload", storage::Mode::read, show);
  route(Method::del, "/v1/uploads/{upload_id}", "delete_upload", storage::Mode::write, remove);
  router.add({.method = Method::post, .pattern = "/v1/uploads/links", .operation = "list_upload_links", .mode = storage::Mode::read,
              .handler = [services](const Request& request, Tx& tx) { return list_links(services, request, tx); }, .rate_class = "read"});
  router.add({.method = Method::post, .pattern = "/v1/uploads/{upload_id}/complete", .operation = "complete_upload",
              .async = [services](const std::shared_ptr<Request>& request, const Responder& respond) { complete(services, request, respond); }});
  add_content_routes(router, services);
}

}  // namespace chat::uploads
