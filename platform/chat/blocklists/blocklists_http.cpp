#include "platform/chat/blocklists/blocklists_http.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/blocklists/folding_json.h"
#include "platform/operators/audit.h"
#include "tenants/auth.h"
#include "tenants/own_audit.h"

namespace chat::blocklists {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

constexpr std::size_t kMaxCheckedBytes = 60'000;
const std::vector<std::string> kKinds{"word", "phrase", "domain", "email", "ip", "regex"};
const std::vector<std::string> kBehaviourWords{"flag", "mask", "hold", "shadow", "block"};

Response answer(int status, const BlockList& list) {
  json::Writer out;
  return http::json(status, out.object().key("block_list").raw(block_list_json(list)).end().take());
}

std::optional<Behaviour> read_behaviour(json::Fields& body) {
  const auto given = body.find_word("behaviour", kBehaviourWords);
  return given ? parse_behaviour(*given) : std::nullopt;
}

/// What is not given stays as it is in `list`.
void read_list(json::Fields& body, BlockList& list) {
  list.kind = body.word("kind", kKinds);
  list.allows = body.find_boolean("allow").value_or(list.allows);
  list.description = body.find_text("description", {.max_bytes = 255}).value_or(list.description);
  list.behaviour = read_behaviour(body).value_or(list.behaviour);
  list.server_calls = body.find_boolean("server_calls").value_or(list.server_calls);
  list.profiles = body.find_boolean("profiles").value_or(list.profiles);
  read_folding(body, list.kind, list.folding);
}

std::string name_of(const Request& request) {
  const auto& name = request.part("name");
  if (!is_block_list_name(name)) throw invalid_field("path:name", "Must be 1-64 of a-z 0-9 _ -");
  return name;
}

Response put(const Services& services, const Request& request, Tx& tx) {
  const auto name = name_of(request);
  auto document = http::body_of(request);
  const auto now = services.clock.now();
  const auto before = find_block_list(tx, name);
  BlockList wanted = before.value_or(BlockList{});
  wanted.name = name;
  json::Fields body(document.root());
  read_list(body, wanted);
  body.finish();
  const auto put = put_block_list(tx, services.bus, wanted, now);
  note(tx, request, "block_list.put", name, before ? std::optional(block_list_json(*before)) : std::nullopt, block_list_json(put.list), now);
  return answer(put.created ? 201 : 200, put.list);
}

Response show(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  const auto list = get_block_list(tx, request.part("name"));
  json::Writer out;
  out.object().key("block_list").raw(block_list_json(list)).key("uses").array();
  for (const auto& use : list_uses(tx, list.name)) out.raw(use_json(use));
  return http::json(200, out.end().end().take());
}

Response remove(const Services& services, const Request& request, Tx& tx) {
  http::Query(request).finish();
  const auto& name = request.part("name");
  const auto before = get_block_list(tx, name);
  delete_block_list(tx, services.bus, name);
  note(tx, request, "block_list.delete", name, block_list_json(before), std::nullopt, services.clock.now());
  return http::no_content();
}

Response list_of_operator(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  json::Writer out;
  out.object().key("block_lists").array();
  for (const auto& list : list_block_lists(tx)) out.raw(block_list_json(list));
  return http::json(200, out.end().end().take());
}

Response list(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  json::Writer out;
  out.object().key("block_lists").array();
  for (const auto& one : list_block_lists(tx)) out.raw(block_list_json(one));
  out.end().key("shared").array();
  for (const auto& one : list_shared_block_lists(tx)) out.raw(block_list_json(one, true));
  out.end().key("uses").array();
  for (const auto& use : list_uses(tx, std::nullopt)) out.raw(use_json(use));
  return http::json(200, out.end().end().take());
}

Response put_a_use(const Services& services, const Request& request, Tx& tx) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  Use use;
  use.list = request.part("name");
  use.channel_type = body.find_text("channel_type", {.min_bytes = 1, .max_bytes = 64}).value_or("");
  use.channel_id = body.find_text("channel_id", {.min_bytes = 1, .max_bytes = 128}).value_or("");
  if (!use.channel_id.empty() && use.channel_type.empty()) body.mistake("channel_type", "A channel has a type, too.");
  use.behaviour = read_behaviour(body);
  use.server_calls = body.find_boolean("server_calls");
  body.finish();
  const auto now = services.clock.now();
  const auto put = put_use(tx, services.bus, use, now);
  json::Writer out;
  out.object().key("use").raw(use_json(put.use)).end();
  note(tx, request, "block_list.use", use.list, std::nullopt, use_json(put.use), now);
  return http::json(put.created ? 201 : 200, out.take());
}

Response remove_use(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  Use use;
  use.list = request.part("name");
  use.channel_type = query.find_text("channel_type", 64).value_or("");
  use.channel_id = query.find_text("channel_id", 128).value_or("");
  query.finish();
  const auto now = services.clock.now();
  use.created_at = now;
  delete_use(tx, services.bus, use);
  note(tx, request, "block_list.unuse", use.list, use_json(use), std::nullopt, now);
  return http::no_content();
}

void write_hit(json::Writer& out, const Hit& hit) {
  out.object().field("list", hit.list).field("entry", hit.entry).field("start", static_cast<std::int64_t>(hit.start)).field("end", static_cast<std::int64_t>(hit.end))
      .key("allow").boolean(hit.allows).key("allowed").boolean(hit.allowed);
  if (!hit.allows) out.field("behaviour", word(hit.behaviour));
  out.end();
}

/// What lists find in a text, without sending it.
Response check_text(const Services& services, const Request& request, Tx&) {
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto text = body.text("text", {.min_bytes = 1, .max_bytes = kMaxCheckedBytes});
  const auto type = body.find_text("channel_type", {.min_bytes = 1, .max_bytes = 64}).value_or("");
  const auto id = body.find_text("channel_id", {.min_bytes = 1, .max_bytes = 128}).value_or("");
  if (!id.empty() && type.empty()) body.mistake("channel_type", "A channel has a type, too.");
  const bool everywhere = body.find_boolean("all_lists").value_or(false);
  const bool by_server = body.find_boolean("by_server").value_or(false);
  body.finish();
  const auto rules = services.shelf.find_or_begin(Caller::of(request).app());
  if (!rules) throw Error(Code::unavailable, "The block lists are being made ready; try again.").with_retry_after(std::chrono::seconds(1));
  const auto cid = id.empty() ? "" : type + ":" + id;
  const auto judgement = rules->judge({type, cid, by_server, false, {{"#/text", text, false}}}, services.clock.now(), everywhere);
  json::Writer out;
  out.object().optional_field("behaviour", judgement.behaviour ? std::optional<std::string>(word(*judgement.behaviour)) : std::nullopt)
      .optional_field("masked", judgement.masked[0]).key("matches").array();
  for (const auto& hit : judgement.hits) write_hit(out, hit);
  return http::json(200, out.end().end().take());
}

}  // namespace

void note(Tx& tx, const Request& request, std::string_view action, const std::string& name, const std::optional<std::string>& before,
          const std::optional<std::string>& after, Timestamp now) {
  if (tx.app() == AppId{}) operators::audit(tx, operators::actor_of(request), action, operators::object_of("block_list", name), before, after);
  else tenants::note_own(tx, request, action, "block_list:" + name, before, after, now);
}

using Act = Response (*)(const Services&, const Request&, Tx&);

void add_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode, Act act) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .access = Access::server, .mode = mode, .max_body_bytes = 128 * 1024,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::get, "/v1/block_lists", "list_block_lists", storage::Mode::read, list);
  route(Method::put, "/v1/block_lists/{name}", "put_block_list", storage::Mode::write, put);
  route(Method::get, "/v1/block_lists/{name}", "get_block_list", storage::Mode::read, show);
  route(Method::del, "/v1/block_lists/{name}", "delete_block_list", storage::Mode::write, remove);
  route(Method::put, "/v1/block_lists/{name}/use", "use_block_list", storage::Mode::write, put_a_use);
  route(Method::del, "/v1/block_lists/{name}/use", "unuse_block_list", storage::Mode::write, remove_use);
  route(Method::post, "/v1/check_text", "check_text", storage::Mode::write, check_text);
}

void add_operator_routes(http::Router& router, const Services& services) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode, Act act) {
    router.add({.method = method, .pattern = pattern, .operation = operation, .access = Access::operator_only, .mode = mode,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::get, "/operator/v1/block_lists", "list_shared_block_lists", storage::Mode::read, list_of_operator);
  route(Method::put, "/operator/v1/block_lists/{name}", "put_shared_block_list", storage::Mode::write, put);
  route(Method::del, "/operator/v1/block_lists/{name}", "delete_shared_block_list", storage::Mode::write, remove);
}

}  // namespace chat::blocklists
