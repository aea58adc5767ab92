#include "platform/webhooks/endpoints.h"

#include <charconv>
#include <unordered_map>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/text.h"
#include "platform/webhooks/endpoints.sql.h"

namespace chat::webhooks {
namespace {

using webhook::Key;
using webhook::Scheme;

std::string_view word(Scheme scheme) { return scheme == Scheme::v1 ? "v1" : "v1a"; }

std::string context_of(AppId app, EndpointId id, std::string_view what) { return app.wire() + "/" + id.wire() + "/" + std::string(what); }

std::string headers_json(const outbound::Headers& headers) {
  json::Writer out;
  out.object();
  for (const auto& [name, value] : headers) out.field(name, value);
  return out.end().take();
}

outbound::Headers parse_headers(const std::string& text) {
  outbound::Headers headers;
  const auto document = json::Document::parse(text);
  for (const auto& [name, value] : document.root().members()) headers.emplace_back(name, value.text());
  return headers;
}

std::string array_of(const std::vector<std::string>& values) {
  text::ArrayLiteral out;
  for (const auto& value : values) out.add(value);
  return out.take();
}
std::string array_of(const std::vector<std::int64_t>& values) {
  text::ArrayLiteral out;
  for (const auto value : values) out.add(std::to_string(value));
  return out.take();
}
std::vector<std::int64_t> integers_of(std::string_view literal) {
  std::vector<std::int64_t> values;
  for (const auto& value : text::parse_array_literal(literal)) values.push_back(std::stoll(value));
  return values;
}

Endpoint read_endpoint(AppId app, const crypto::Sealer& sealer, const storage::Row& row) {
  Endpoint endpoint;
  endpoint.id = EndpointId{row.uuid(0)};
  auto& settings = endpoint.settings;
  settings.url = row.text(1);
  settings.description = row.text(2);
  settings.events = text::parse_array_literal(row.text(3));
  settings.channel_types = text::parse_array_literal(row.text(4));
  if (const auto headers = sealer.open(row.bytes(5), context_of(app, endpoint.id, "headers"))) settings.headers = parse_headers(*headers);
  settings.timeout_ms = row.integer(6);
  settings.max_per_second = row.integer(7);
  settings.max_in_flight = row.integer(8);
  settings.ordered = row.boolean(9);
  settings.schedule = integers_of(row.text(10));
  endpoint.scheme = row.text(11) == "v1" ? Scheme::v1 : Scheme::v1a;
  endpoint.state = row.text(12);
  endpoint.state_reason = row.optional_text(13);
  endpoint.failures = row.integer(14);
  endpoint.failing_since = row.optional_time(15);
  endpoint.succeeded_at = row.optional_time(16);
  endpoint.closed_until = row.optional_time(17);
  endpoint.created_at = row.time(18);
  endpoint.updated_at = row.time(19);
  settings.batch_max = row.integer(20);
  settings.batch_wait_ms = row.integer(21);
  return endpoint;
}

std::optional<Key> open_key(AppId app, const crypto::Sealer& sealer, EndpointId endpoint, const storage::Row& row) {
  const auto text = sealer.open(row.bytes(2), context_of(app, endpoint, "key"));
  if (!text) log::error("webhook.key_unreadable", {{"app_id", app.wire()}, {"endpoint", endpoint.wire()}});
  return text ? webhook::parse_key(*text) : std::nullopt;
}

std::vector<Endpoint> find_endpoints(storage::Transaction& tx, const Keeper& keeper, std::optional<EndpointId> id) {
  std::vector<Endpoint> endpoints;
  text::ArrayLiteral ids;
  std::unordered_map<Uuid, std::size_t> places;
  auto rows = tx.query(sql::list_endpoints, tx.app(), id);
  for (auto row : rows) {
    places[row.uuid(0)] = endpoints.size();
    endpoints.push_back(read_endpoint(tx.app(), keeper.sealer, row));
    ids.add(endpoints.back().id.text());
  }
  auto keys = tx.query(sql::list_keys, tx.app(), ids.take(), system_clock().now());
  for (auto row : keys) {
    auto& endpoint = endpoints.at(places.at(row.uuid(0)));
    ShownKey shown{KeyId{row.uuid(1)}, std::nullopt, row.time(3), row.optional_time(4)};
    const auto key = open_key(tx.app(), keeper.sealer, endpoint.id, row);
    if (key && key->scheme == Scheme::v1a) shown.public_key = key->public_half().text();
    endpoint.keys.push_back(std::move(shown));
  }
  return endpoints;
}

std::string sealed_headers(storage::Transaction& tx, const Keeper& keeper, EndpointId id, const EndpointSettings& settings) {
  return crypto::hex(keeper.sealer.seal(headers_json(settings.headers), context_of(tx.app(), id, "headers")));
}

NewKey add_key(storage::Transaction& tx, const Keeper& keeper, EndpointId id, Scheme scheme, Timestamp now) {
  const Key key = webhook::make_key(scheme);
  tx.run(sql::insert_key, tx.app(), id, KeyId::make(now), crypto::hex(keeper.sealer.seal(key.text(), context_of(tx.app(), id, "key"))), now);
  return {get_endpoint(tx, keeper, id), scheme == Scheme::v1 ? key.text() : std::string()};
}

}  // namespace

void lock_endpoints(storage::Transaction& tx) { tx.query(sql::lock_webhook_application, tx.app()); }

/// Also when the patterns are as they were: a hook may have changed.
void announce_subscriptions(storage::Transaction& tx, const Keeper& keeper) {
  tx.query(sql::note_subscriptions, tx.app());
  tx.after_commit([&bus = keeper.bus, app = tx.app()] { bus.control({"application.changed", app, "", true}); });
}

std::string endpoint_json(const Endpoint& endpoint) {
  const auto& settings = endpoint.settings;
  json::Writer out;
  const auto texts = [&out](std::string_view name, const std::vector<std::string>& values) {
    out.key(name).array();
    for (const auto& value : values) out.text(value);
    out.end();
  };
  out.object().field("id", endpoint.id.wire()).field("url", settings.url).field("description", settings.description);
  texts("events", settings.events);
  texts("channel_types", settings.channel_types);
  out.key("header_names").array();
  for (const auto& [name, value] : settings.headers) out.text(name);
  out.end().field("timeout_ms", settings.timeout_ms).field("max_per_second", settings.max_per_second)
      .field("max_in_flight", settings.max_in_flight).key("ordered").boolean(settings.ordered).field("batch_max", settings.batch_max)
      .field("batch_wait_ms", settings.batch_wait_ms).key("schedule_s").array();
  for (const auto step : settings.schedule) out.integer(step);
  out.end().field("signature", word(endpoint.scheme)).field("state", endpoint.state).optional_field("state_reason", endpoint.state_reason)
      .field("failures", endpoint.failures).optional_time("failing_since", endpoint.failing_since)
      .optional_time("succeeded_at", endpoint.succeeded_at).optional_time("closed_until", endpoint.closed_until).key("keys").array();
  for (const auto& key : endpoint.keys)
    out.object().field("id", key.id.wire()).optional_field("public_key", key.public_key).key("created_at").time(key.created_at)
        .optional_time("expires_at", key.expires_at).end();
  out.end().key("created_at").time(endpoint.created_at).key("updated_at").time(endpoint.updated_at).end();
  return out.take();
}

NewKey create_endpoint(storage::Transaction& tx, const Keeper& keeper, const EndpointSettings& settings, Scheme scheme, Timestamp now) {
  lock_endpoints(tx);
  if (tx.query(sql::count_endpoints, tx.app())[0].integer(0) >= kMaxEndpoints)
    throw Error(Code::limit_reached, "An application may have 20 webhook endpoints; delete one first.");
  const auto id = EndpointId::make(now);
  tx.run(sql::insert_endpoint, tx.app(), id, settings.url, settings.description, array_of(settings.events), array_of(settings.channel_types),
         sealed_headers(tx, keeper, id, settings), settings.timeout_ms, settings.max_per_second, settings.max_in_flight, settings.ordered,
         array_of(settings.schedule), settings.batch_max, settings.batch_wait_ms, word(scheme), now);
  announce_subscriptions(tx, keeper);
  return add_key(tx, keeper, id, scheme, now);
}

NewKey rotate_key(storage::Transaction& tx, const Keeper& keeper, EndpointId id, std::optional<Scheme> scheme, std::chrono::seconds overlap,
                  Timestamp now) {
  lock_endpoints(tx);
  const auto endpoint = get_endpoint(tx, keeper, id);
  if (overlap.count() > 0 && endpoint.keys.size() >= kMaxKeys)
    throw Error(Code::limit_reached, "5 keys sign for this endpoint already; wait until one ends, or rotate with overlap_s 0.");
  tx.run(sql::expire_keys, tx.app(), id, now + overlap);
  tx.run(sql::set_endpoint_signature, tx.app(), id, word(scheme.value_or(endpoint.scheme)), now);
  return add_key(tx, keeper, id, scheme.value_or(endpoint.scheme), now);
}

Endpoint get_endpoint(storage::Transaction& tx, const Keeper& keeper, EndpointId id) {
  auto endpoints = find_endpoints(tx, keeper, id);
  if (endpoints.empty()) throw not_found("webhook endpoint");
  return std::move(endpoints.front());
}

std::vector<Endpoint> list_endpoints(storage::Transaction& tx, const Keeper& keeper) { return find_endpoints(tx, keeper, std::nullopt); }

Endpoint update_endpoint(storage::Transaction& tx, const Keeper& keeper, EndpointId id, const EndpointSettings& settings, Timestamp now) {
  lock_endpoints(tx);
  const int touched =
      tx.run(sql::update_endpoint, tx.app(), id, settings.url, settings.description, array_of(settings.events), array_of(settings.channel_types),
             sealed_headers(tx, keeper, id, settings), settings.timeout_ms, settings.max_per_second, settings.max_in_flight, settings.ordered,
             array_of(settings.schedule), settings.batch_max, settings.batch_wait_ms, now);
  if (touched == 0) throw not_found("webhook endpoint");
  announce_subscriptions(tx, keeper);
  return get_endpoint(tx, keeper, id);
}

Endpoint set_state(storage::Transaction& tx, const Keeper& keeper, EndpointId id, const std::string& state, Timestamp now) {
  const auto reason = state == "disabled" ? std::optional<std::string>("asked") : std::nullopt;
  tx.run(sql::set_endpoint_state, tx.app(), id, state, reason, now);
  return get_endpoint(tx, keeper, id);
}

void delete_endpoint(storage::Transaction& tx, const Keeper& keeper, EndpointId id, Timestamp now) {
  lock_endpoints(tx);
  if (tx.run(sql::set_endpoint_state, tx.app(), id, "deleted", std::nullopt, now) == 0) throw not_found("webhook endpoint");
  announce_subscriptions(tx, keeper);
}

std::vector<std::pair<EndpointId, Wire>> load_wires(storage::Transaction& tx, const crypto::Sealer& sealer, const std::vector<EndpointId>& ids,
                                                    Timestamp now) {
  text::ArrayLiteral array;
  for (const auto& id : ids) array.add(id.text());
  const auto wanted = array.take();
  std::vector<std::pair<EndpointId, Wire>> wires;
  auto rows = tx.query(sql::load_wires, tx.app(), wanted);
  auto keys = tx.query(sql::list_keys, tx.app(), wanted, now);
  for (auto row : rows) {
    const EndpointId id{row.uuid(0)};
    Wire wire;
    wire.url = row.text(1);
    const auto headers = sealer.open(row.bytes(2), context_of(tx.app(), id, "headers"));
    wire.timeout = std::chrono::milliseconds(row.integer(3));
    wire.max_per_second = row.integer(4);
    wire.max_in_flight = row.integer(5);
    wire.schedule = integers_of(row.text(6));
    wire.batch_max = row.integer(7);
    for (auto key_row : keys) {
      if (key_row.uuid(0) != id.uuid) continue;
      if (auto key = open_key(tx.app(), sealer, id, key_row)) wire.keys.push_back(std::move(*key));
    }
    if (headers) wire.headers = parse_headers(*headers);
    wire.is_readable = headers && !wire.keys.empty();
    wires.emplace_back(id, std::move(wire));
  }
  return wires;
}

}  // namespace chat::webhooks
