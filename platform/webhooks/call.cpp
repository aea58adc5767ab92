#include "platform/webhooks/call.h"

#include <map>

#include "platform/base/json.h"
#include "platform/webhooks/deliveries.h"

namespace chat::webhooks {
namespace {

constexpr std::string_view kBatch = "webhook.batch";

Item item_of(const Claimed& one) { return {one.kept.event.id, one.trigger, one.kept.event.created_at, one.attempts}; }

Call call_of(const Wire& wire, const Claimed& first, EventId id, Timestamp now) {
  return {first.app, first.endpoint, id, {}, wire.schedule, now, {}, {}, 0};
}

std::string headers_json(const outbound::Headers& headers) {
  json::Writer out;
  out.object();
  std::map<std::string, std::string> once;     // a name twice: its values joined
  for (const auto& [name, value] : headers) {
    auto& held = once[clean_text(name)];
    held += (held.empty() ? "" : ", ") + clean_text(value);
  }
  for (const auto& [name, value] : once) out.field(name, value);
  return out.end().take();
}

/// Ends the batch: a frame around its frames.
void close_batch(Packed& batch) {
  bus::Event event;
  event.id = batch.call.id;
  event.app = batch.call.app;
  event.type = kBatch;
  event.created_at = batch.call.started_at;
  event.data = "{\"events\":[" + batch.body + "]}";
  batch.body = bus::render(event, true);
}

}  // namespace

Claimed read_claimed(const storage::Row& row) {
  Claimed claimed;
  claimed.app = AppId{row.uuid(0)};
  claimed.endpoint = EndpointId{row.uuid(1)};
  auto& event = claimed.kept.event;
  event.id = EventId{row.uuid(2)};
  event.app = claimed.app;
  event.type = row.text(3);
  if (const auto channel = row.optional_uuid(4)) event.channel = ChannelId{*channel};
  event.seq = row.optional_integer(5).value_or(0);
  if (const auto message = row.optional_uuid(6)) claimed.kept.message = MessageId{*message};
  event.user_id = row.optional_text(7).value_or("");
  event.data = row.optional_text(8).value_or("");
  event.created_at = row.time(9);
  claimed.attempts = row.integer(10);
  claimed.trigger = row.text(11);
  return claimed;
}

void take_example(bus::Event& event) {
  const auto document = json::Document::parse(event.data);
  const auto& frame = document.root();
  if (const auto cid = frame.find("cid")) event.cid = cid->text();
  if (const auto seq = frame.find("seq")) event.seq = seq->integer();
  if (const auto epoch = frame.find("epoch")) event.epoch = epoch->text();
  const auto data = frame.find("data");
  event.data = data ? data->raw() : "{}";
}

std::vector<Packed> pack(const Wire& wire, const std::vector<Claimed>& claimed, Timestamp now) {
  std::vector<Packed> packed;
  const bool is_batched = wire.batch_max > 1;
  for (const auto& one : claimed) {
    std::string frame = bus::render(one.kept.event, true);
    const bool fits = is_batched && !packed.empty() && packed.back().call.items.size() < static_cast<std::size_t>(wire.batch_max) &&
                      packed.back().body.size() + frame.size() <= kMaxBatchBytes;
    if (fits) {
      packed.back().body += "," + frame;
    } else {
      const auto id = is_batched ? EventId::make(now) : one.kept.event.id;
      packed.push_back({call_of(wire, one, id, now), std::move(frame)});
    }
    packed.back().call.items.push_back(item_of(one));
  }
  if (is_batched)
    for (auto& batch : packed) close_batch(batch);
  return packed;
}

outbound::Call request_of(const Wire& wire, const Call& call, std::string body) {
  outbound::Call request;
  request.url = wire.url;
  request.body = std::move(body);
  request.tenant = call.app.wire();
  request.timeout = wire.timeout;
  request.max_body_bytes = kMaxKeptBody;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(call.started_at).time_since_epoch().count();
  std::string signatures;
  for (const auto& key : wire.keys)
    signatures += (signatures.empty() ? "" : " ") + webhook::sign(key, call.id.wire(), seconds, request.body);
  request.headers = wire.headers;
  request.headers.emplace_back("content-type", "application/json");
  request.headers.emplace_back("webhook-id", call.id.wire());
  request.headers.emplace_back("webhook-timestamp", std::to_string(seconds));
  request.headers.emplace_back("webhook-signature", signatures);
  return request;
}

void Ends::add(const Call& call, const Item& item, const Judged& judged) {
  apps_.add(call.app.text());
  endpoints_.add(call.endpoint.text());
  events_.add(item.event.text());
  states_.add(judged.state);
  if (judged.again) agains_.add(format_time(*judged.again));
  else agains_.add_null();
  tries_.add(judged.is_try ? "t" : "f");
  outcomes_.add(judged.outcome);
  if (call.answer.status != 0) statuses_.add(std::to_string(call.answer.status));
  else statuses_.add_null();
  durations_.add(std::to_string(call.answer.duration.count()));
  started_.add(format_time(call.started_at));
  const bool has_answer = &item == &call.items.front();
  headers_.add(has_answer ? headers_json(call.answer.headers) : "{}");
  bodies_.add(has_answer ? clean_text(call.answer.body) : "");
  cuts_.add(has_answer && call.answer.is_cut ? "t" : "f");
}

Ends::Lists Ends::take() {
  return {apps_.take(),     endpoints_.take(), events_.take(),  states_.take(),  agains_.take(), tries_.take(), outcomes_.take(),
          statuses_.take(), durations_.take(), started_.take(), headers_.take(), bodies_.take(), cuts_.take()};
}

}  // namespace chat::webhooks
