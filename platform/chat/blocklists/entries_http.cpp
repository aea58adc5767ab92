#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/blocklists/blocklists.sql.h"
#include "platform/chat/blocklists/blocklists_http.h"
#include "platform/chat/blocklists/networks.h"
#include "tenants/auth.h"

namespace chat::blocklists {
namespace {

using http::Access;
using http::Method;
using http::Request;
using http::Response;
using tenants::Caller;
using Tx = storage::Transaction;

constexpr std::size_t kMaxAtOnce = 1'000;
constexpr std::size_t kMaxCsvBytes = 1024 * 1024;
constexpr int kV4 = 96, kWidestV4 = 24, kWidestV6 = 48, kMapped = 10;   // bits; of mapped IPv4 the first bytes, all zero

std::string said(const matching::Mistake& mistake) {
  return mistake.at == 0 ? mistake.detail : mistake.detail + " At code point " + std::to_string(mistake.at) + ".";
}

/// An entry is a text, or {"entry","expires_at"}.
std::vector<Entry> read_added(json::Fields& body) {
  std::vector<Entry> entries;
  const auto given = body.find_array("add", kMaxAtOnce);
  for (std::size_t i = 0; given && i < given->size(); ++i) {
    const auto& value = (*given)[i];
    const auto here = "add/" + std::to_string(i);
    if (value.kind() == json::Kind::text) {
      entries.push_back({std::string(value.text()), std::nullopt});
    } else if (value.kind() == json::Kind::object) {
      json::Fields fields(value, body.pointer("add") + "/" + std::to_string(i));
      const auto text = fields.text("entry", {.min_bytes = 1, .max_bytes = kMaxEntryBytes});
      entries.push_back({text, fields.find_time("expires_at")});
      fields.check_unknown();
      body.absorb(fields);
    } else {
      body.mistake_at(here, "Must be a text, or an object with entry and expires_at.");
      entries.emplace_back();
    }
  }
  return entries;
}

/// Empty: a server, or an operator.
std::string user_of(const Request& request, const Tx& tx) { return tx.app() == AppId{} ? std::string() : Caller::of(request).user_id(); }

bool is_narrow(const std::string& entry) {
  const auto network = network_of(entry);
  if (!network) return true;                   // a mistake of its own
  if (network->address.is_v4()) return network->bits >= kV4 + kWidestV4;
  const auto& bytes = network->address.bytes;
  return network->bits >= kWidestV6 && std::any_of(bytes.begin(), bytes.begin() + kMapped, [](auto byte) { return byte != 0; });
}

/// A user who moderates the application bans addresses, in lists that are made for that and keep no server out; small networks, so that a
/// slip keeps few people out. All else is the backend's.
/// Errors:  forbidden; not_found
BlockList list_for(const Request& request, Tx& tx) {
  const auto& name = request.part("name");
  const auto user = user_of(request, tx);
  if (user.empty()) return get_block_list(tx, name);
  if (!tx.find(sql::find_moderator, tx.app(), user)) throw forbidden("Only servers and moderators of the application may do this.");
  auto list = get_block_list(tx, name);
  if (list.kind != "ip" || list.allows) throw forbidden("Moderators change lists of refused addresses alone.");
  const auto uses = list_uses(tx, name);
  const bool keeps_servers_out = list.server_calls || std::ranges::any_of(uses, [](const Use& use) { return use.server_calls.value_or(false); });
  if (keeps_servers_out) throw forbidden("This list is about servers, too: only they change it.");
  return list;
}

Response answer(const EntriesChanged& changed) {
  json::Writer out;
  return http::json(200, out.object().key("block_list").raw(block_list_json(changed.list)).field("added", changed.added).field("removed", changed.removed).end().take());
}

/// How many, not which: the list itself is there to be read, and an audit holds no 50,000 words.
void note_changed(Tx& tx, const Request& request, const char* action, const EntriesChanged& changed, Timestamp now) {
  json::Writer out;
  out.object().field("added", changed.added).field("removed", changed.removed).field("entry_count", changed.list.entry_count);
  if (const auto user = user_of(request, tx); !user.empty()) out.field("user_id", user);
  out.end();
  note(tx, request, action, changed.list.name, std::nullopt, out.take(), now);
}

Response change(const Services& services, const Request& request, Tx& tx) {
  const auto list = list_for(request, tx);
  auto document = http::body_of(request);
  json::Fields body(document.root());
  auto add = read_added(body);
  const auto remove = body.find_texts("remove", kMaxAtOnce, {.min_bytes = 1, .max_bytes = kMaxEntryBytes}).value_or(std::vector<std::string>{});
  if (add.empty() && remove.empty()) body.mistake("add", "Name entries to add or to remove.");
  const auto now = services.clock.now();
  if (body.ok())
    for (const auto& [place, mistake] : check_entries(list, add, now)) body.mistake_at("add/" + std::to_string(place), said(mistake));
  const bool by_moderator = !user_of(request, tx).empty();
  for (std::size_t i = 0; by_moderator && i < add.size(); ++i)
    if (!is_narrow(add[i].text)) body.mistake_at("add/" + std::to_string(i), "Moderators ban networks of /24 at most, of IPv6 /48.");
  body.finish();
  const auto changed = change_entries(tx, services.bus, list.name, add, remove, false, now);
  note_changed(tx, request, "block_list.entries", changed, now);
  return answer(changed);
}

Response import(const Services& services, const Request& request, Tx& tx) {
  const auto list = get_block_list(tx, request.part("name"));
  auto document = http::body_of(request);
  json::Fields body(document.root());
  const auto csv = body.text("csv", {.max_bytes = kMaxCsvBytes});
  const bool replace = body.find_boolean("replace").value_or(false);
  const auto now = services.clock.now();
  auto read = read_csv(csv);
  const auto wrong = [&body](std::size_t line, const matching::Mistake& mistake) { body.mistake("csv", "Line " + std::to_string(line) + ": " + said(mistake)); };
  for (const auto& [line, mistake] : read.mistakes) wrong(line, mistake);
  if (body.ok())
    for (const auto& [place, mistake] : check_entries(list, read.entries, now)) wrong(read.lines[place], mistake);
  body.finish();
  const auto changed = change_entries(tx, services.bus, list.name, read.entries, {}, replace, now);
  note_changed(tx, request, "block_list.import", changed, now);
  return answer(changed);
}

Response show_csv(const Services&, const Request& request, Tx& tx) {
  http::Query(request).finish();
  Response response{200, entries_csv(tx, get_block_list(tx, request.part("name"))), "text/csv; charset=utf-8"};
  response.with("Content-Disposition", "attachment; filename=\"" + request.part("name") + ".csv\"");
  return response;
}

Response list(const Services& services, const Request& request, Tx& tx) {
  http::Query query(request);
  const int limit = static_cast<int>(query.integer("limit", 25, 1, 100));
  const auto prefix = query.find_text("starts_with").value_or("");
  const auto next = query.find_text("next", 1024);
  query.finish();
  const auto page = list_entries(tx, list_for(request, tx), prefix, limit, next, services.cursors);
  json::Writer out;
  out.object().key("entries").array();
  for (const auto& entry : page.items) out.raw(entry_json(entry));
  return http::json(200, out.end().optional_field("next", page.next).end().take());
}

using Act = Response (*)(const Services&, const Request&, Tx&);

struct Operations {
  const char *list, *change, *import, *show;
};

void add(http::Router& router, const Services& services, const std::string& base, Access access, const Operations& operations) {
  auto route = [&](Method method, const char* pattern, const char* operation, storage::Mode mode, std::size_t max_body, Act act, bool for_moderators = false) {
    const auto who = for_moderators && access == Access::server ? Access::user_or_server : access;
    router.add({.method = method, .pattern = base + "/{name}/" + pattern, .operation = operation, .access = who, .mode = mode, .max_body_bytes = max_body,
                .handler = [services, act](const Request& request, Tx& tx) { return act(services, request, tx); }});
  };
  route(Method::get, "entries", operations.list, storage::Mode::read, 1024, list, true);
  route(Method::post, "entries", operations.change, storage::Mode::write, 1024 * 1024, change, true);
  route(Method::post, "import", operations.import, storage::Mode::write, 1024 * 1024, import);
  route(Method::get, "export", operations.show, storage::Mode::read, 1024, show_csv);
}

}  // namespace

void add_entry_routes(http::Router& router, const Services& services) {
  add(router, services, "/v1/block_lists", Access::server, {"list_block_list_entries", "change_block_list_entries", "import_block_list", "export_block_list"});
}

void add_operator_entry_routes(http::Router& router, const Services& services) {
  add(router, services, "/operator/v1/block_lists", Access::operator_only,
      {"list_shared_block_list_entries", "change_shared_block_list_entries", "import_shared_block_list", "export_shared_block_list"});
}

}  // namespace chat::blocklists
