#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/chat/scheduled/row.h"
#include "platform/chat/scheduled/scheduled.sql.h"
#include "platform/chat/scheduled/scheduled_events.h"

namespace chat::scheduled {
namespace {

constexpr int kMaxDue = 200;                   // one round

void count_end(const char* result) {
  metrics::counter("chat_scheduled_messages_total", "Scheduled messages whose time came, by their end.", {{"result", result}}).add();
}

/// What may succeed later waits for its lease to end and is tried again.
bool is_for_good(const Error& error) { return !row_of(error.code()).retryable; }

void keep_end(storage::Transaction& tx, bus::Bus& bus, ScheduledId id, const std::optional<MessageId>& message,
              const std::optional<Error>& error, Timestamp now) {
  auto stored = find_scheduled(tx, "", id, now);
  if (!stored) return;
  auto& scheduled = stored->scheduled;
  if (!error) {                                // sent, or held: then the author hears message.pending besides
    tx.run(sql::delete_scheduled, tx.app(), id);
    tell_own(tx, bus, kScheduleSent, scheduled, message, now);
  } else {
    scheduled.failed_code = row_of(error->code()).word;
    scheduled.failed_detail = error->what();
    tx.run(sql::fail_scheduled, tx.app(), id, *scheduled.failed_code, scheduled.failed_detail, now);
    tell_own(tx, bus, kScheduleFailed, scheduled, std::nullopt, now);
  }
  tx.after_commit([end = message ? "sent" : error ? "failed" : "held"] { count_end(end); });
}

/// Comes on a lane's thread, which must not wait: the end is kept by a database worker. Lost, it is found again by the nonce.
Done done_of(AppId app, ScheduledId id, bus::Bus& bus, const Clock& clock, const std::function<bool(storage::Pool::Task)>& run) {
  return [=, &bus, &clock](const std::optional<MessageId>& message, const std::optional<Error>& error) {
    if (error && !is_for_good(*error)) return count_end("postponed");
    const bool taken = run([=, &bus, &clock](storage::Connection& connection) {
      try {
        connection.transact(app, storage::Mode::write,
                            [&](storage::Transaction& tx) { keep_end(tx, bus, id, message, error, clock.now()); });
      } catch (const Error& failure) {
        log::warn("scheduled.end_not_kept", {{"detail", failure.what()}});
      }
    });
    if (!taken) log::warn("scheduled.end_not_kept", {{"detail", "the pool is full"}});
  };
}

std::optional<Due> load_due(storage::Connection& connection, AppId app, ScheduledId id, Timestamp now) {
  std::optional<Stored> stored;
  connection.transact(app, storage::Mode::write, [&](storage::Transaction& tx) { stored = find_scheduled(tx, "", id, now); });
  if (!stored) return std::nullopt;
  return Due{app, stored->channel_type, stored->channel_id, stored->scheduled.user_id, stored->scheduled.message,
             "scheduled/" + id.text(), stored->by_server};
}

}  // namespace

int send_due(storage::Connection& connection, bus::Bus& bus, const Clock& clock, const SendLater& send,
             const std::function<bool(storage::Pool::Task)>& run) {
  std::optional<storage::Rows> claimed;
  const auto now = clock.now();
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    claimed = tx.query(sql::claim_due, now, std::to_string(kLease.count()) + " seconds", kMaxDue);
  });
  for (auto row : *claimed) {
    const AppId app{row.uuid(0)};
    const ScheduledId id{row.uuid(1)};
    if (auto due = load_due(connection, app, id, now)) send(connection, *due, done_of(app, id, bus, clock, run));
  }
  return claimed->size();
}

}  // namespace chat::scheduled
