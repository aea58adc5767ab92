#include "platform/chat/segments/segments_http.h"

#include <set>

#include "platform/base/error.h"
#include "platform/chat/segments/segments.h"
#include "tenants/own_audit.h"

namespace chat::segments {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using Tx = storage::Transaction;

constexpr json::Text kName{.min_bytes = 1, .max_bytes = 255}, kDescription{.min_bytes = 1, .max_bytes = 2048};
constexpr std::size_t kMaxFilterBytes = 16 * 1024;
constexpr std::size_t kMaxTargetBytes = 255;

SegmentId id_of(const Request& request) { return request.id_part<SegmentId>("segment_id", "segment"); }
std::string object_of(SegmentId id) { return "segment:" + id.wire(); }

std::optional<std::string> read_filter(json::Fields& body) {
  auto filter = body.find_object("filter");
  if (!filter) return std::nullopt;
  auto raw = filter->raw();
  if (raw.size() > kMaxFilterBytes) body.mistake("filter", "Must be 16 KiB at most.");
  return raw;
}

std::vector<std::string> read_names(json::Fields& body, std::size_t max, std::size_t min) {
  auto names = body.find_texts("targets", max, {.min_bytes = 1, .max_bytes = kMaxTargetBytes}).value_or(std::vector<std::string>{});
  if (names.size() < min) body.mistake("targets", "Required: 1 to 1,000 ids.");
  std::set<std::string> seen;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!seen.insert(names[i]).second) body.mistake_at("targets/" + std::to_string(i), "Stands twice in this request.");
  return names;
}

Response show(int status, const Segment& segment) {
  json::Writer out;
  out.object().key("segment").raw(segment_json(segment)).end();
  return http::json(status, out.take());
}

Response show_preview(Of of, const Preview& shown) {
  json::Writer out;
  out.object().key("preview").raw(preview_json(of, shown)).end();
  return http::json(200, out.take());
}

Response create(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  SegmentInput input;
  input.name = body.text("name", kName);
  input.of = parse_of(body.word("of", {"users", "channels"}));
  input.description = body.find_text("description", kDescription);
  input.filter = read_filter(body);
  input.targets = read_names(body, kMaxTargetsAtOnce, 0);
  if (input.filter && body.has("targets")) body.mistake("targets", "A saved filter has no list of targets.");
  body.finish();
  const auto now = services.clock.now();
  const auto segment = create_segment(tx, input, now);
  tenants::note_own(tx, request, "segment.create", object_of(segment.id), std::nullopt, segment_json(segment), now);
  return show(201, segment);
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 1024);
  query.finish();
  const auto page = list_segments(tx, limit, next, services.cursors);
  json::Writer out;
  out.object().key("segments").array();
  for (const auto& segment : page.items) out.raw(segment_json(segment));
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response get(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  return show(200, get_segment(tx, id_of(request)));
}

Response update(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  SegmentChange change;
  if (auto set = body.find_object("set")) {
    json::Fields fields(*set, "#/set");
    change.name = fields.find_text("name", kName);
    change.description = fields.find_text("description", kDescription);
    change.filter = read_filter(fields);
    fields.check_unknown();
    body.absorb(fields);
  }
  const auto unset = body.find_texts("unset", 1, {.min_bytes = 1}).value_or(std::vector<std::string>{});
  for (const auto& name : unset)
    if (name != "description") body.mistake_at("unset/0", "Can't be unset; description can.");
  body.finish();
  change.unset_description = !unset.empty();
  const auto now = services.clock.now();
  tenants::hold_setup(tx);
  const auto before = segment_json(get_segment(tx, id_of(request)));
  const auto segment = update_segment(tx, id_of(request), change, now);
  tenants::note_own_change(tx, request, "segment.update", object_of(segment.id), before, segment_json(segment), now);
  return show(200, segment);
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  const auto id = id_of(request);
  tenants::hold_setup(tx);
  const auto before = segment_json(get_segment(tx, id));
  delete_segment(tx, id);
  tenants::note_own(tx, request, "segment.delete", object_of(id), before, std::nullopt, services.clock.now());
  return http::no_content();
}

/// The note says how many; who they are is no set-up.
Response change_targets(const Services& services, const Request& request, Tx& tx, bool add) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto names = read_names(body, kMaxTargetsAtOnce, 1);
  body.finish();
  const auto now = services.clock.now();
  const auto id = id_of(request);
  const int changed = add ? add_targets(tx, id, names, now) : remove_targets(tx, id, names);
  json::Writer out;
  out.object().field("changed", changed).end();
  const auto answer = out.take();
  tenants::note_own(tx, request, add ? "segment.targets.add" : "segment.targets.remove", object_of(id), std::nullopt, answer, now);
  return http::json(200, answer);
}

Response list_of_targets(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto next = query.find_text("next", 1024);
  query.finish();
  const auto page = list_targets(tx, get_segment(tx, id_of(request)), limit, next, services.cursors);
  json::Writer out;
  out.object().key("targets").array();
  for (const auto& target : page.items) out.text(target.name);
  out.end().optional_field("next", page.next).end();
  return http::json(200, out.take());
}

Response preview_saved(const Services&, const Request& request, Tx& tx) {
  http::Query query(request);
  const int samples = static_cast<int>(query.integer("samples", kMaxSamples, 0, kMaxSamples));
  query.finish();
  const auto segment = get_segment(tx, id_of(request));
  return show_preview(segment.of, preview(tx, segment, samples));
}

Response preview_filter(const Services&, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  Segment segment;
  segment.of = parse_of(body.word("of", {"users", "channels"}));
  segment.filter = read_filter(body);
  if (!segment.filter && !body.has("filter")) body.mistake("filter", "Required.");
  const int samples = static_cast<int>(body.find_integer("samples", {0, kMaxSamples}).value_or(kMaxSamples));
  body.finish();
  check_filter(segment.of, *segment.filter, "#");
  return show_preview(segment.of, preview(tx, segment, samples));
}

}  // namespace

void add_routes(http::Router& router, const Services& services) {
  using Act = Response (*)(const Services&, const Request&, Tx&);
  auto add = [&](Method method, const char* pattern, const char* operation, Act act, storage::Mode mode = storage::Mode::write,
                 const char* rate_class = "") {
    router.add({.method = method, .pattern = std::string("/v1/segments") + pattern, .operation = operation, .access = Access::server,
                .mode = mode, .max_body_bytes = 512 * 1024,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }, .rate_class = rate_class});
  };
  add(Method::post, "", "create_segment", create);
  add(Method::get, "", "list_segments", list, storage::Mode::read);
  add(Method::post, "/preview", "preview_segment", preview_filter, storage::Mode::write, "read");
  add(Method::get, "/{segment_id}", "get_segment", get, storage::Mode::read);
  add(Method::patch, "/{segment_id}", "update_segment", update);
  add(Method::del, "/{segment_id}", "delete_segment", remove);
  add(Method::get, "/{segment_id}/preview", "preview_saved_segment", preview_saved, storage::Mode::read);
  add(Method::get, "/{segment_id}/targets", "list_segment_targets", list_of_targets, storage::Mode::read);
  add(Method::post, "/{segment_id}/targets", "add_segment_targets",
      [](const Services& s, const Request& request, Tx& tx) { return change_targets(s, request, tx, true); });
  add(Method::post, "/{segment_id}/targets/remove", "remove_segment_targets",
      [](const Services& s, const Request& request, Tx& tx) { return change_targets(s, request, tx, false); });
}

}  // namespace chat::segments
