#include "platform/webhooks/question.h"

#include "platform/bus/event.h"

namespace chat::webhooks {

void ask(outbound::Client& client, const Question& question, const webhook::Key& key, Timestamp now, outbound::Client::Done done) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = question.app;
  event.type = question.type;
  event.cid = question.cid;
  event.created_at = now;
  event.data = question.data;
  outbound::Call call;
  call.url = question.url;
  call.body = bus::render(event, true);
  call.tenant = question.app.wire();
  call.timeout = question.timeout;
  call.max_body_bytes = kMaxAnswerBytes;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  call.headers = {{"content-type", "application/json"}, {"webhook-id", event.id.wire()}, {"webhook-timestamp", std::to_string(seconds)},
                  {"webhook-signature", webhook::sign(key, event.id.wire(), seconds, call.body)}};
  client.send(std::move(call), std::move(done));
}

bool Breaker::is_closed(Timestamp now) const {
  const std::lock_guard lock(mutex_);
  return now < closed_until_;
}

void Breaker::note(const outbound::Answer& answer, bool is_fine, Timestamp now) {
  if (is_our_fault(answer)) return;
  const std::lock_guard lock(mutex_);
  failures_ = is_fine ? 0 : failures_ + 1;
  if (failures_ >= kFailures) closed_until_ = now + kClosed;
}

void Breaker::take_over(const Breaker& before) {
  const std::scoped_lock lock(mutex_, before.mutex_);
  failures_ = before.failures_;
  closed_until_ = before.closed_until_;
}

}  // namespace chat::webhooks
