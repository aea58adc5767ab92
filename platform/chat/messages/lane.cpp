#include "platform/chat/messages/lane.h"

#include <map>
#include <set>

#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/base/thread.h"
#include "platform/chat/drafts/drafts.h"
#include "platform/chat/messages/messages_events.h"

namespace chat::messages {
namespace {

constexpr int kMaxAttempts = 5;
constexpr int kMaxOvertaken = 20;                 // another node sent to the same channel between id and lock, again and again

struct LaneMetrics {
  metrics::Histogram& batch_size = metrics::histogram("chat_lane_batch_messages", "Messages in one transaction of a lane.", {},
                                                      {1, 2, 4, 8, 16, 32, 64, 128, 256});
  metrics::Histogram& batch_seconds = metrics::histogram("chat_lane_batch_seconds", "Time of one transaction of a lane.");
  metrics::Counter& sent = metrics::counter("chat_messages_sent_total", "Messages accepted and stored.");
  metrics::Counter& repeated = metrics::counter("chat_lane_batches_repeated_total", "Batches of lanes that were run again.");
  metrics::Gauge& queued = metrics::gauge("chat_lane_queue_depth", "Messages waiting in the lanes.");
};
LaneMetrics& lane_metrics() {
  static LaneMetrics metrics;
  return metrics;
}

void count_refusal(Code code) {
  const std::string reason(row_of(code).word);
  metrics::counter("chat_messages_refused_total", "Messages refused by a lane, by the code of the refusal.", {{"reason", reason}}).add();
}

/// What may not stand twice in one batch: the second waits for the next and finds the first one's message.
std::string nonce_of(const Send& send) {
  return send.channel_type + ":" + send.channel_id + "\n" + *send.message.user_id + "\n" + *send.nonce_key;
}

std::shared_ptr<const bus::Event> event_of(const Send& send, const Outcome& outcome) {
  auto event = std::make_shared<bus::Event>();
  event->id = EventId{send.message.id.uuid};
  event->app = send.application->id;
  event->type = kMessageNew;
  event->channel = outcome.channel;
  event->cid = send.message.cid;
  event->epoch = outcome.epoch;
  event->seq = send.message.seq;
  if (event->seq == 0) {                       // said in the shadow: told to nobody else
    event->reach = bus::Reach::devices;
    event->user_id = *send.message.user_id;
  }
  event->created_at = send.message.created_at;
  event->data = message_data(send.message);
  return event;
}

}  // namespace

Lane::Lane(const Lanes::Options& options, int shard, bus::Bus& bus, const Clock& clock)
    : max_batch_(options.max_batch), mentions_here_(options.mentions_here), shard_(shard), bus_(bus), clock_(clock), pipeline_(options.database), thread_([this] { run(); }) {}

Lane::~Lane() { stop(); }

bool Lane::submit(std::unique_ptr<Send> send) {
  {
    std::lock_guard lock(mutex_);
    const auto bytes = send->bytes();
    if (stopping_ || queue_.size() >= Lanes::kMaxQueued || queued_bytes_ + bytes > Lanes::kMaxQueuedBytes) return false;
    queued_bytes_ += bytes;
    queue_.push_back(std::move(send));
  }
  lane_metrics().queued.add(1);
  arrived_.notify_one();
  return true;
}

std::size_t Lane::queued() {
  std::lock_guard lock(mutex_);
  return queue_.size();
}

void Lane::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Lane::run() {
  name_this_thread("lane-" + std::to_string(shard_));
  while (true) {
    Batch batch = take();
    if (batch.empty()) return;
    lane_metrics().queued.add(-static_cast<double>(batch.size()));
    work(std::move(batch));
  }
}

/// Everything that waits, up to max_batch; empty only when the lane ends.
Lane::Batch Lane::take() {
  std::unique_lock lock(mutex_);
  arrived_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
  Batch batch;
  while (!queue_.empty() && batch.size() < max_batch_) {
    queued_bytes_ -= queue_.front()->bytes();
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return batch;
}

/// One transaction per application; sends under one nonce in different transactions.
void Lane::work(Batch batch) {
  std::vector<Send*> waiting;
  for (auto& send : batch) waiting.push_back(send.get());
  while (!waiting.empty()) {
    std::map<AppId, std::vector<Send*>> by_application;
    std::set<std::string> nonces;
    std::vector<Send*> later;
    for (Send* send : waiting) {
      if (send->nonce_key && !nonces.insert(send->application->id.text() + nonce_of(*send)).second) later.push_back(send);
      else by_application[send->application->id].push_back(send);
    }
    for (auto& [app, sends] : by_application) this->send(std::move(sends), 1);
    waiting = std::move(later);
  }
}

void Lane::send(std::vector<Send*> sends, int attempt) {
  auto& metrics = lane_metrics();
  const auto begin = std::chrono::steady_clock::now();
  try {
    const auto outcomes = run_batch(pipeline_, sends, shard_, clock_.now());
    load_stored(pipeline_, sends.front()->application->id, sends, outcomes);
    metrics.batch_size.observe(static_cast<double>(sends.size()));
    metrics.batch_seconds.observe(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    finish(sends, outcomes, attempt);
  } catch (const storage::Pipeline::Again&) {
    metrics.repeated.add();
    if (attempt < kMaxAttempts) return send(std::move(sends), attempt + 1);
    for (Send* one : sends) refuse(*one, Error(Code::unavailable, "The database is busy; try again.").with_retry_after(std::chrono::seconds(1)));
  } catch (const Error& error) {
    if (error.code() != Code::unavailable && sends.size() > 1) return send_each(sends);
    for (Send* one : sends) refuse(*one, error);
  }
}

/// One of them makes PostgreSQL refuse the batch: alone, it is refused alone.
void Lane::send_each(const std::vector<Send*>& sends) {
  lane_metrics().repeated.add();
  for (Send* one : sends) send({one}, kMaxAttempts);
}

void Lane::finish(const std::vector<Send*>& sends, const std::vector<Outcome>& outcomes, int attempt) {
  publish(sends, outcomes);
  std::vector<Send*> again;
  for (std::size_t i = 0; i < sends.size(); ++i) {
    Send& send = *sends[i];
    const Outcome& outcome = outcomes[i];
    switch (outcome.verdict) {
      case Verdict::sent:
        lane_metrics().sent.add();
        send.account->message_sent(send.message.created_at);
        send.sent({send.message, false});
        break;
      case Verdict::stored:
        send.account->message_refused();
        send.sent({send.message, true});
        break;
      case Verdict::stale_id:                  // another node's clock is ahead: take ids above what it gave
        raise_uuid7_floor(outcome.last_message_id.uuid);
        again.push_back(&send);
        break;
      case Verdict::held:
        send.account->message_refused();
        send.held(send);
        break;
      case Verdict::refused:
        refuse(send, *outcome.error);
        break;
    }
  }
  if (again.empty()) return;
  if (attempt < kMaxOvertaken) return this->send(std::move(again), attempt + 1);
  for (Send* one : again) refuse(*one, Error(Code::unavailable, "The channel is busy; try again.").with_retry_after(std::chrono::seconds(1)));
}

void Lane::publish(const std::vector<Send*>& sends, const std::vector<Outcome>& outcomes) {
  std::vector<std::shared_ptr<const bus::Event>> events;
  events.reserve(sends.size());
  for (std::size_t i = 0; i < sends.size(); ++i) {
    if (outcomes[i].verdict != Verdict::sent) continue;
    const Message& message = sends[i]->message;
    events.push_back(event_of(*sends[i], outcomes[i]));
    if (outcomes[i].draft_cleared)
      events.push_back(std::make_shared<bus::Event>(
          drafts::sent_event(sends[i]->application->id, *message.user_id, message.cid, message.parent_id, message.created_at)));
  }
  if (!events.empty()) bus_.publish(events);
  for (std::size_t i = 0; i < sends.size(); ++i)
    if (sends[i]->mentions_here && mentions_here_ && outcomes[i].verdict == Verdict::sent)
      mentions_here_(sends[i]->application->id, outcomes[i].channel, sends[i]->message);
}

void Lane::refuse(Send& send, const Error& error) {
  count_refusal(error.code());
  send.account->message_refused();
  send.refused(error);
}

}  // namespace chat::messages
