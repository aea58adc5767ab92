#include "platform/chat/screening/questions.h"

#include <vector>

#include "billing/metering.h"
#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"

namespace chat::screening {
namespace {

constexpr std::string_view kFrame = "moderation.classify";

void count_outcome(const std::string& outcome) {
  metrics::counter("chat_classifier_total", "Questions to classifiers, by how they ended.", {{"outcome", outcome}}).add();
}

Questions::Judged failed(const Classifier& settings, const char* outcome, std::string explanation) {
  count_outcome(outcome);
  return {outcome, std::nullopt, verdict_of_failure(settings, outcome), {}, std::move(explanation)};
}

}  // namespace

Questions::Questions(outbound::Client& client, const Clock& clock) : client_(client), clock_(clock), boot_(crypto::hex(crypto::random_bytes(8))) {}

void Questions::ask(const std::shared_ptr<const ReadyClassifier>& classifier, const Said& said, const std::string& data, Then then) {
  const auto& settings = classifier->settings;
  const auto now = clock_.now();
  if (!classifier->is_signed) return then(failed(settings, "closed", "Its key can't be read: save it with new_secret."));
  if (classifier->breaker.is_closed(now)) return then(failed(settings, "closed", "It failed five times in a row and is left alone for 30 seconds."));
  if (classifier->in_flight.fetch_add(1) >= settings.max_in_flight) {
    classifier->in_flight.fetch_sub(1);
    return then(failed(settings, "busy", "As many questions as max_in_flight allows are under way."));
  }
  try {
    said.account->reserve(billing::Meter::moderation_calls, 1, now);
  } catch (const Error&) {
    classifier->in_flight.fetch_sub(1);
    return then(failed(settings, "quota", "The month's moderation calls are used up."));
  }
  webhooks::ask(client_, {said.application->id, kFrame, said.cid(), data, settings.url, std::chrono::milliseconds(settings.timeout_ms)},
                classifier->key, now, [this, classifier, account = said.account, then = std::move(then)](const outbound::Answer& answer) {
                  classifier->in_flight.fetch_sub(1);
                  then(conclude(*classifier, account, answer));
                });
}

Questions::Judged Questions::conclude(const ReadyClassifier& classifier, const std::shared_ptr<billing::Account>& account, const outbound::Answer& answer) {
  static auto& seconds = metrics::histogram("chat_classifier_seconds", "Time until a classifier answered, or did not.");
  seconds.observe(std::chrono::duration<double>(answer.duration).count());
  auto labels = read_labels(answer);
  classifier.breaker.note(answer, labels.has_value(), clock_.now());
  if (!labels) {
    account->release(billing::Meter::moderation_calls, 1);
    const bool is_answered = answer.outcome == outbound::Outcome::answered;
    const auto why = is_answered ? "It answered " + std::to_string(answer.status) + ", and nothing that can be read." : std::string(explain(answer.outcome));
    auto judged = failed(classifier.settings, "failed", why);
    judged.duration = answer.duration;
    return judged;
  }
  count_outcome("answered");
  add(account);
  auto verdict = verdict_of(classifier.settings, *labels);
  return {"answered", std::move(labels), std::move(verdict), answer.duration, {}};
}

void Questions::add(const std::shared_ptr<billing::Account>& account) {
  const std::lock_guard lock(mutex_);
  auto& counted = counted_[{account->app(), Timestamp(std::chrono::floor<std::chrono::hours>(clock_.now()))}];
  counted.account = account;
  ++counted.calls;
}

/// What could not be written, or whose answer was lost, is written again under its id; what comes meanwhile waits for it.
void Questions::count(storage::Connection& connection) {
  std::vector<std::pair<Key, Counted>> due;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [key, one] : counted_) {
      if (one.writing == 0) {
        one.writing = std::exchange(one.calls, 0);
        one.id = "moderation:" + boot_ + ":" + std::to_string(++written_);
      }
      due.emplace_back(key, one);
    }
  }
  for (const auto& [key, one] : due) {
    try {
      write(connection, key, one);
    } catch (const Error& error) {
      log::warn("screening.not_counted", {{"app_id", key.first.wire()}, {"detail", error.what()}});
      continue;
    }
    const std::lock_guard lock(mutex_);
    const auto found = counted_.find(key);
    found->second.writing = 0;
    if (found->second.calls == 0) counted_.erase(found);
  }
}

void Questions::write(storage::Connection& connection, const Key& key, const Counted& one) {
  const auto& [app, hour] = key;
  connection.transact(app, storage::Mode::write, [&](storage::Transaction& tx) {
    billing::count_flushed(tx, one.id, billing::Meter::moderation_calls, one.writing, hour, clock_.now());
  });
  one.account->spent(billing::Meter::moderation_calls, one.writing, hour);
}

}  // namespace chat::screening
