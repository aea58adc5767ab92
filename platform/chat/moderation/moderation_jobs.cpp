#include <array>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/metrics.h"
#include "platform/chat/moderation/flagging.sql.h"
#include "platform/chat/moderation/moderation_events.h"
#include "platform/chat/moderation/moderation_jobs.sql.h"
#include "platform/chat/moderation/reviewer.h"
#include "platform/chat/moderation/rows.h"

namespace chat::moderation {
namespace {

constexpr int kMaxUntold = 200, kMaxOfOne = 20;   // one round; of one application
constexpr int kSliceRows = 1'000, kMaxSlices = 20;

/// One of a closed set: a label never grows with what rules call themselves.
std::string label_of(const std::string& source) {
  static constexpr std::array<const char*, 6> kSources{"user", "server", "list", "rule", "classifier", "hook"};
  for (const char* known : kSources)
    if (source == known) return source;
  return "other";
}

bool tell_flag(storage::Transaction& tx, bus::Bus& bus, FlagId id, Timestamp now) {
  auto marked = tx.find(sql::mark_told, tx.app(), id, now);
  if (!marked) return false;
  const Reviewer server{};
  const auto item = get_item(tx, server, ItemId{(*marked)[0].uuid(0)});
  const auto flag = read_flag(tx.query(sql::get_flag, tx.app(), id)[0]);
  json::Writer data;
  data.object().key("item").raw(item_json(item)).key("flag").raw(flag_json(flag, true)).end();
  tell_moderators(tx, bus, {kFlagged, data.take(), item.subject.channel, item.cid.value_or(""), item.user_id}, now);
  tx.after_commit([source = label_of(flag.source)] {
    metrics::counter("chat_moderation_flags_total", "Flags of users and rules that moderators were told of.", {{"source", source}}).add();
  });
  return true;
}

/// False: told already, or it can't be told.
bool tell_one(storage::Connection& connection, bus::Bus& bus, AppId app, FlagId id, Timestamp now) {
  bool told = false;
  try {
    connection.transact(app, storage::Mode::write, [&](storage::Transaction& tx) { told = tell_flag(tx, bus, id, now); });
  } catch (const Error& error) {
    if (error.code() == Code::unavailable) throw;
    log::error("moderation.not_told", {{"app_id", app.wire()}, {"flag_id", id.wire()}, {"detail", error.what()}});
    return false;
  }
  return told;
}

double seconds_since(const std::optional<Timestamp>& since, Timestamp now) {
  return since ? std::max(std::chrono::duration<double>(now - *since).count(), 0.0) : 0;
}

}  // namespace

int tell_flags(storage::Connection& connection, bus::Bus& bus, AppId& last, Timestamp now) {
  std::optional<storage::Rows> untold;
  connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) { untold = tx.query(sql::untold_flags, kMaxOfOne, kMaxUntold, last); });
  int count = 0;
  for (auto row : *untold) {
    last = AppId{row.uuid(0)};
    count += tell_one(connection, bus, last, FlagId{row.uuid(1)}, now);
  }
  return count;
}

void sweep_evidence(storage::Connection& connection, Timestamp now) {
  for (int i = 0; i < kMaxSlices; ++i) {
    std::int64_t swept = 0;
    connection.transact(AppId{}, storage::Mode::write,
                        [&](storage::Transaction& tx) { swept = tx.query(sql::sweep_evidence, now, kSliceRows)[0].integer(0); });
    if (swept == 0) return;
  }
}

void measure_queue(storage::Connection& connection, Timestamp now) {
  connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) {
    const auto rows = tx.query(sql::measure_queue);
    metrics::gauge("chat_moderation_queue_items", "Items that wait for a moderator's decision, of all applications; counted up to 100,000.")
        .set(static_cast<double>(rows[0].integer(0)));
    metrics::gauge("chat_moderation_queue_seconds", "How long the oldest item of all applications has waited for a decision; 0: none waits.")
        .set(seconds_since(rows[0].optional_time(1), now));
    metrics::gauge("chat_moderation_untold_seconds", "How long the oldest flag has waited to be told to moderators; 0: none waits.")
        .set(seconds_since(rows[0].optional_time(2), now));
  });
}

}  // namespace chat::moderation
