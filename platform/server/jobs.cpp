#include "platform/server/jobs.h"

#include <algorithm>
#include <iterator>

#include "billing/statements/statements.h"
#include "platform/base/metrics.h"
#include "platform/chat/bookmarks/bookmarks.h"
#include "platform/chat/campaigns/campaigns.h"
#include "platform/chat/channels/bans.h"
#include "platform/chat/channels/ownership.h"
#include "platform/chat/moderation/moderation.h"
#include "platform/chat/pending/pending.h"
#include "platform/chat/polls/polls.h"
#include "platform/chat/previews/previews.h"
#include "platform/chat/reads/reads_events.h"
#include "platform/chat/scheduled/scheduled.h"
#include "platform/chat/truncation/truncation.h"
#include "platform/chat/users/guests.h"
#include "platform/http/idempotency.h"
#include "platform/server/jobs.sql.h"
#include "platform/transfers/transfers.h"
#include "tenants/applications.h"
#include "tenants/keys.h"
#include "tenants/own_audit.h"

namespace chat::server {
namespace {

using storage::Connection;
using storage::Statement;
using storage::Transaction;

constexpr int kMonthsAhead = 4;
constexpr int kSliceRows = 5'000;
constexpr int kBatchesToIndex = 4;             // of a lane's: 256 messages each at most
constexpr std::chrono::milliseconds kIndexing{25};    // in a run, and a rest of twice that: sends go first, the index catches up
constexpr const char* kIndexMessages = "index_messages";
constexpr int kMaxSlices = 20;                 // one run ends; the rest waits for the next

/// Runs a sweep in short transactions until nothing is left or the run was long enough.
void sweep(Connection& connection, const Statement& statement, int slice) {
  for (int i = 0; i < kMaxSlices; ++i) {
    std::int64_t swept = 0;
    connection.transact(AppId{}, storage::Mode::write, [&](Transaction& tx) { swept = tx.query(statement, slice)[0].integer(0); });
    if (swept == 0) return;
  }
}

/// As sweep; who is connected is told that the unread of a channel changed.
void erase_deleted_users(Connection& connection, bus::Bus& bus) {
  for (int i = 0; i < kMaxSlices; ++i) {
    std::int64_t swept = 0;
    connection.transact(AppId{}, storage::Mode::write, [&](Transaction& tx) {
      const auto rows = tx.query(sql::erase_deleted_users, kSliceRows);
      swept = rows[0].integer(0);
      if (const auto cid = rows[0].optional_text(2)) reads::tell_channel_unread_moved(tx, bus, AppId{rows[0].uuid(1)}, *cid);
    });
    if (swept == 0) return;
  }
}

/// Returns: whether something still waits.
bool index_messages(Connection& connection) {
  static auto& indexed = metrics::counter("chat_search_batches_indexed_total", "Batches of sent or changed messages that the search index took in.");
  static auto& busy = metrics::counter("chat_search_index_behind_total", "Runs of the indexing job that left something waiting.");
  const auto deadline = std::chrono::steady_clock::now() + kIndexing;
  for (std::int64_t taken = kBatchesToIndex; taken == kBatchesToIndex;) {
    if (std::chrono::steady_clock::now() > deadline) {
      busy.add();
      return true;
    }
    connection.transact(AppId{}, storage::Mode::write,
                        [&](Transaction& tx) { taken = tx.query(sql::index_messages, kBatchesToIndex)[0].integer(0); });
    indexed.add(static_cast<double>(taken));
  }
  return false;
}

/// A table after the other, each in a transaction of its own. Until the planner knows how large a table is, it may walk through all of it for each row.
void analyze_grown(Connection& connection) {
  for (int i = 0; i < kMaxSlices; ++i) {
    bool has_grown = false;
    connection.transact(AppId{}, storage::Mode::write, [&](Transaction& tx) { has_grown = !tx.query(sql::analyze_grown_table)[0].is_null(0); });
    if (!has_grown) return;
  }
}

/// Each node that works asks, and all say the same.
void measure_backlogs(Connection& connection, Timestamp now) {
  constexpr const char* kQueues[] = {"scheduled_messages", "approved_messages", "push_queue", "push_deliveries", "search_queue", "outbox"};
  connection.transact(AppId{}, storage::Mode::read, [&](Transaction& tx) {
    const auto rows = tx.query(sql::oldest_waiting, now);
    for (int i = 0; i < static_cast<int>(std::size(kQueues)); ++i) {
      const auto since = rows[0].optional_time(i);
      const double seconds = since ? std::chrono::duration<double>(now - *since).count() : 0;
      metrics::gauge("chat_backlog_seconds", "How long the oldest thing of a queue has been due; 0: nothing is.", {{"queue", kQueues[i]}})
          .set(std::max(seconds, 0.0));
    }
  });
}

}  // namespace

void create_partitions(Connection& connection, Timestamp now) {
  connection.transact(AppId{}, storage::Mode::write, [&](Transaction& tx) {
    tx.query(sql::create_message_partitions, month_of(now), kMonthsAhead);
  });
}

void add_jobs(jobs::Schedule& schedule, bool worker, billing::Metering& metering, billing::PlanBook& plans, bus::Bus& bus,
              const Clock& clock, std::chrono::milliseconds flush_interval) {
  using std::chrono::minutes;
  schedule.add("flush_usage", flush_interval, [&metering](Connection& connection) { metering.flush(connection); });
  schedule.add("reload_plans", minutes(1), [&plans](Connection& connection) { plans.load(connection); });
  if (!worker) return;
  schedule.add("create_partitions", minutes(60), [&clock](Connection& connection) { create_partitions(connection, clock.now()); });
  schedule.add("lift_expired_bans", std::chrono::seconds(10), [&bus, &clock](Connection& connection) {
    channels::lift_expired_bans(connection, bus, clock.now());
  });
  schedule.add("pass_on_channels", std::chrono::seconds(10), [&bus, &clock](Connection& connection) {
    channels::pass_on_of_deleted(connection, bus, clock.now());
  });
  schedule.add("expire_guests", minutes(10), [&bus, &clock](Connection& connection) { users::expire_guests(connection, bus, clock.now()); });
  schedule.add("keep_retention", minutes(1), [&bus, &clock](Connection& connection) {
    truncation::keep_retention(connection, bus, clock.now());
  });
  schedule.add("sweep_idempotency_keys", minutes(5), [](Connection& connection) {
    connection.transact(AppId{}, storage::Mode::write, [](Transaction& tx) { http::sweep_idempotency_keys(tx); });
  });
  auto add_sweep = [&](const char* name, std::chrono::milliseconds interval, const Statement& statement, int slice) {
    schedule.add(name, interval, [&statement, slice](Connection& connection) { sweep(connection, statement, slice); });
  };
  schedule.add("tell_due_reminders", std::chrono::seconds(5),
               [&bus, &clock](Connection& connection) { bookmarks::tell_due_reminders(connection, bus, clock.now()); });
  schedule.add("tell_changed_polls", std::chrono::milliseconds(500),
               [&bus, &clock](Connection& connection) { polls::tell_changed_polls(connection, bus, clock.now()); });
  schedule.add("close_due_polls", std::chrono::seconds(1),
               [&bus, &clock](Connection& connection) { polls::close_due_polls(connection, bus, clock.now()); });
  schedule.add("tell_flags", std::chrono::milliseconds(500),
               [&bus, &clock, last = AppId{}](Connection& connection) mutable { moderation::tell_flags(connection, bus, last, clock.now()); });
  schedule.add("sweep_evidence", minutes(10), [&clock](Connection& connection) { moderation::sweep_evidence(connection, clock.now()); });
  schedule.add("measure_moderation_queue", std::chrono::seconds(30),
               [&clock](Connection& connection) { moderation::measure_queue(connection, clock.now()); });
  schedule.add("expire_pending", minutes(1),
               [&bus, &clock](Connection& connection) { pending::expire_pending(connection, bus, clock.now()); });
  add_sweep("sweep_outbox", minutes(5), sql::sweep_outbox, kSliceRows);
  add_sweep("sweep_block_list_entries", minutes(1), sql::sweep_block_list_entries, kSliceRows);
  add_sweep("sweep_message_nonces", minutes(10), sql::sweep_message_nonces, kSliceRows);
  add_sweep("sweep_campaigns", minutes(1), sql::sweep_campaigns, kSliceRows);
  add_sweep("sweep_usage_flushes", minutes(30), sql::sweep_usage_flushes, kSliceRows);
  schedule.add(kIndexMessages, std::chrono::milliseconds(250), [&schedule](Connection& connection) {
    if (index_messages(connection)) schedule.run_within(kIndexMessages, 2 * kIndexing);
  });
  schedule.add("analyze_grown", std::chrono::seconds(2), analyze_grown);
  schedule.add("measure_backlogs", std::chrono::seconds(10),
               [&clock](Connection& connection) { measure_backlogs(connection, clock.now()); });
  add_sweep("rebuild_search", std::chrono::seconds(5), sql::rebuild_search, kSliceRows);
  add_sweep("purge_deleted", minutes(1), sql::purge_deleted, kSliceRows);
  add_sweep("finish_truncations", std::chrono::seconds(5), sql::finish_truncations, kSliceRows);
  schedule.add("erase_deleted_users", std::chrono::seconds(15), [&bus](Connection& connection) { erase_deleted_users(connection, bus); });
}

void add_application_jobs(jobs::Schedule& schedule, bool worker, tenants::Directory& directory, const Clock& clock) {
  schedule.add("note_used_secrets", std::chrono::minutes(1), [&directory](Connection& connection) { tenants::note_used_secrets(connection, directory); });
  if (!worker) return;
  schedule.add("end_deletions", std::chrono::minutes(1), [&clock](Connection& connection) {
    connection.transact(AppId{}, storage::Mode::write, [&](Transaction& tx) { tenants::end_deletions(tx, clock.now(), kSliceRows); });
  });
  schedule.add("sweep_own_audit", std::chrono::minutes(60), [&clock](Connection& connection) {
    for (int i = 0; i < kMaxSlices; ++i) {
      std::int64_t swept = 0;
      connection.transact(AppId{}, storage::Mode::write, [&](Transaction& tx) { swept = tenants::sweep_own_audit(tx, clock.now(), kSliceRows); });
      if (swept == 0) return;
    }
  });
}

void add_import_jobs(jobs::Schedule& schedule, const transfers::ImportServices& services) {
  schedule.add("run_imports", std::chrono::seconds(1),
               [services](Connection& connection) { transfers::run_imports(connection, services); });
  schedule.add("sweep_imports", std::chrono::minutes(1), [&clock = services.clock](Connection& connection) {
    for (int i = 0; i < kMaxSlices; ++i) {
      std::int64_t swept = 0;
      connection.transact(AppId{}, storage::Mode::write, [&](Transaction& tx) { swept = transfers::sweep_imports(tx, clock.now(), kSliceRows); });
      if (swept == 0) return;
    }
  });
}

void add_preview_jobs(jobs::Schedule& schedule, previews::Fetcher& fetcher) {
  schedule.add("fetch_previews", std::chrono::milliseconds(500), [&fetcher](Connection& connection) { fetcher.turn(connection); });
  schedule.add("sweep_previews", std::chrono::minutes(10), previews::sweep_previews);
}

void add_statement_job(jobs::Schedule& schedule, bus::Bus& bus, const Clock& clock, std::chrono::milliseconds delay) {
  schedule.add("finalize_statements", std::chrono::minutes(10),
               [&bus, &clock, delay](Connection& connection) { statements::finalize_due(connection, bus, delay, clock.now()); });
}

void add_send_job(jobs::Schedule& schedule, const SendJob& job) {
  const scheduled::SendLater send = [later = job.later](Connection& connection, const scheduled::Due& due, const scheduled::Done& done) {
    messages::send_later(connection, later,
                         {due.app, due.channel_type, due.channel_id, due.user_id, due.message, due.nonce_key, {}, due.by_server}, done);
  };
  schedule.add("send_scheduled", std::chrono::seconds(1), [job, send](Connection& connection) {
    scheduled::send_due(connection, job.bus, job.clock, send, job.run);
  });
  const pending::SendLater send_approved = [later = job.later](Connection& connection, const pending::Due& due, const pending::Done& done) {
    messages::send_later(connection, later,
                         {due.app, due.channel_type, due.channel_id, due.user_id, due.message, due.nonce_key, due.fingerprint, true, true}, done);
  };
  const pending::Sent keep_approved = [](storage::Transaction& tx, const pending::Due& due, const MessageId& message, Timestamp now) {
    campaigns::keep_approved(tx, {due.nonce_key, due.user_id, due.channel_type, due.channel_id, message}, now);
  };
  schedule.add("send_approved", std::chrono::milliseconds(500), [job, send_approved, keep_approved](Connection& connection) {
    pending::send_approved(connection, job.bus, job.clock, send_approved, keep_approved, job.run);
  });
}

}  // namespace chat::server
