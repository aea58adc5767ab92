#include "platform/base/error.h"
#include "platform/chat/screening/screening_http.h"
#include "platform/http/idempotency.h"
#include "tenants/own_audit.h"

namespace chat::screening {
namespace {

using http::Method;
using http::Request;
using http::Responder;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

constexpr const char* kObject = "classifier";
constexpr const char* kPath = "/v1/moderation/classifier";

std::string shown_json(const Classifier& classifier) {
  const auto settings = classifier_json(classifier);
  const auto document = json::Document::parse(settings);
  json::Writer out;
  out.object();
  for (const auto& [name, value] : document.root().members()) out.key(name).raw(value.raw());
  out.key("created_at").time(classifier.created_at).key("updated_at").time(classifier.updated_at).end();
  return out.take();
}

Response show(int status, const Classifier& classifier, const std::string& secret = "") {
  json::Writer out;
  out.object().key("classifier").raw(shown_json(classifier));
  if (!secret.empty()) out.field("secret", secret);
  out.end();
  return http::json(status, out.take());
}

Response get(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  const auto stored = get_stored(tx);
  if (!stored.classifier) throw not_found("classifier");
  return show(200, *stored.classifier);
}

Response put(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto classifier = read_classifier(body);
  if (const auto refusal = services.client.refuses_url(classifier.url); !classifier.url.empty() && !refusal.empty()) body.mistake("url", refusal);
  const bool new_secret = body.find_boolean("new_secret").value_or(false);
  body.finish();
  const auto before = get_stored(tx).classifier;
  const auto saved = put_classifier(tx, services.bus, services.sealer, classifier, new_secret, services.clock.now());
  tenants::note_own(tx, request, "classifier.put", kObject, before ? std::optional<std::string>(shown_json(*before)) : std::nullopt,
                    shown_json(*saved.stored.classifier), services.clock.now());
  return show(saved.created ? 201 : 200, *saved.stored.classifier, saved.secret);
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  const auto before = get_stored(tx).classifier;
  delete_classifier(tx, services.bus);
  tenants::note_own(tx, request, "classifier.delete", kObject, shown_json(*before), std::nullopt, services.clock.now());
  return http::no_content();
}

Response answer(const Questions::Judged& judged) {
  json::Writer out;
  out.object().field("outcome", judged.outcome).field("duration_ms", std::chrono::duration_cast<std::chrono::milliseconds>(judged.duration).count());
  if (!judged.explanation.empty()) out.field("detail", judged.explanation);
  if (judged.labels) {
    out.key("labels").object();
    for (const auto& [label, score] : *judged.labels) out.key(label).number(score);
    out.end();
  }
  write_verdict(out, judged.verdict);
  out.end();
  return http::json(200, out.take());
}

/// Asks as a message would, and waits for the answer without a thread.
void test(const Services& services, const std::shared_ptr<Request>& request, const Responder& respond) {
  (void)http::idempotency_key(*request);       // its form; a test that is repeated asks again
  http::Query(*request).finish();
  const auto& caller = Caller::of(*request);
  auto document = http::body_of(*request);
  json::Fields body(document.root());
  const Sample sample(body, caller, services.accounts);
  body.finish();
  if (!sample.said.account) throw Error(Code::unavailable, "Try again.").with_retry_after(std::chrono::seconds(1));
  const auto set = caller.application().screening_version > 0 ? services.screening.set_of(caller.application()) : nullptr;
  if (!set || !set->classifier) throw not_found("classifier");
  services.screening.questions().ask(set->classifier, sample.said, sample.data, [respond](const Questions::Judged& judged) { respond(answer(judged)); });
}

}  // namespace

void add_classifier_routes(http::Router& router, const Services& services) {
  const auto route = [&](Method method, const char* operation, storage::Mode mode, Response (*act)(const Services&, const Request&, Tx&)) {
    router.add({.method = method, .pattern = kPath, .operation = operation, .access = http::Access::server, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::get, "get_classifier", storage::Mode::read, get);
  route(Method::put, "put_classifier", storage::Mode::write, put);
  route(Method::del, "delete_classifier", storage::Mode::write, remove);
  router.add({.method = Method::post, .pattern = std::string(kPath) + "/test", .operation = "test_classifier", .access = http::Access::server,
              .max_body_bytes = 128 * 1024,
              .async = [services](std::shared_ptr<Request> request, Responder respond) { test(services, request, respond); }});
}

}  // namespace chat::screening
