#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/chat/pending/pending.sql.h"
#include "platform/chat/pending/pending_events.h"
#include "platform/chat/pending/row.h"

namespace chat::pending {
namespace {

constexpr int kMaxDue = 200;                   // one round
constexpr int kSliceRows = 1'000;

void keep_end(storage::Transaction& tx, bus::Bus& bus, PendingId id, const Due& due, const Sent& sent, const std::optional<MessageId>& message,
              const std::optional<Error>& error, Timestamp now) {
  auto pending = find_pending(tx, id);
  if (!pending) return;
  if (message) {
    tx.run(sql::forget_pending, tx.app(), id);
    sent(tx, due, *message, now);
    tell(tx, bus, kMessageApproved, *pending, message, now);
  } else if (error) {
    tx.run(sql::decide, tx.app(), id, "failed", std::optional<UserId>(), error->what(), now, now + kWaits);
  }
  tx.after_commit([is_sent = message.has_value()] { count_change(is_sent ? "sent" : "failed"); });
}

/// Comes on a lane's thread, which must not wait: the end is kept by a database worker. Lost, it is found again by the nonce.
Done done_of(const Due& due, PendingId id, bus::Bus& bus, const Clock& clock, const Sent& sent, const std::function<bool(storage::Pool::Task)>& run) {
  return [=, &bus, &clock](const std::optional<MessageId>& message, const std::optional<Error>& error) {
    if (error && row_of(error->code()).retryable) return count_change("postponed");
    const bool taken = run([=, &bus, &clock](storage::Connection& connection) {
      try {
        connection.transact(due.app, storage::Mode::write,
                            [&](storage::Transaction& tx) { keep_end(tx, bus, id, due, sent, message, error, clock.now()); });
      } catch (const Error& failure) {
        log::warn("pending.end_not_kept", {{"detail", failure.what()}});
      }
    });
    if (!taken) log::warn("pending.end_not_kept", {{"detail", "the pool is full"}});
  };
}

std::string with_nonce(const std::string& message, const std::string& nonce) {
  const auto document = json::Document::parse(message);
  json::Writer out;
  out.object();
  for (const auto& [name, value] : document.root().members()) out.key(name).raw(value.raw());
  out.field("nonce", nonce).end();
  return out.take();
}

std::optional<Due> load_due(storage::Connection& connection, AppId app, PendingId id) {
  std::optional<Due> due;
  connection.transact(app, storage::Mode::write, [&](storage::Transaction& tx) {
    due.reset();
    auto rows = tx.find(sql::get_pending, tx.app(), id);
    if (!rows) return;
    const auto pending = read_row((*rows)[0]);
    const auto nonce = (*rows)[0].optional_text(12);
    due = Due{app, pending.channel_type, pending.channel_id, pending.user_id, nonce ? with_nonce(pending.message, *nonce) : pending.message,
              (*rows)[0].optional_text(13).value_or("pending/" + id.text()), std::string((*rows)[0].text(14))};
  });
  return due;
}

void reject_undecided(storage::Connection& connection, bus::Bus& bus, AppId app, PendingId id, Timestamp now) {
  connection.transact(app, storage::Mode::write, [&](storage::Transaction& tx) {
    auto pending = find_pending(tx, id);
    if (!pending || pending->expires_at > now || pending->status == "rejected") return;
    tx.run(sql::decide, tx.app(), id, "rejected", std::optional<UserId>(), "Nobody decided in time.", now, now + kWaits);
    tell(tx, bus, kMessageRejected, *find_pending(tx, id), std::nullopt, now);
    tx.after_commit([] { count_change("expired"); });
  });
}

}  // namespace

int send_approved(storage::Connection& connection, bus::Bus& bus, const Clock& clock, const SendLater& send, const Sent& sent,
                  const std::function<bool(storage::Pool::Task)>& run) {
  std::optional<storage::Rows> claimed;
  const auto now = clock.now();
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    claimed = tx.query(sql::claim_approved, now, std::to_string(kLease.count()) + " seconds", kMaxDue);
  });
  for (auto row : *claimed) {
    const AppId app{row.uuid(0)};
    const PendingId id{row.uuid(1)};
    if (auto due = load_due(connection, app, id)) send(connection, *due, done_of(*due, id, bus, clock, sent, run));
  }
  return claimed->size();
}

void expire_pending(storage::Connection& connection, bus::Bus& bus, Timestamp now) {
  std::optional<storage::Rows> undecided;
  connection.transact(AppId{}, storage::Mode::read,
                      [&](storage::Transaction& tx) { undecided = tx.query(sql::undecided, now, kMaxDue); });
  for (auto row : *undecided) reject_undecided(connection, bus, AppId{row.uuid(0)}, PendingId{row.uuid(1)}, now);
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) { tx.query(sql::sweep_rejected, kSliceRows); });
}

}  // namespace chat::pending
