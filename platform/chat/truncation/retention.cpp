#include "platform/base/error.h"
#include "platform/base/metrics.h"
#include "platform/chat/truncation/point.h"
#include "platform/chat/truncation/retention.sql.h"

namespace chat::truncation {
namespace {

constexpr int kChannelsAtOnce = 200;
constexpr int kMaxSlices = 50;                 // one run ends; the rest waits for the next

/// Some channels of one type.
struct Slice {
  AppId app;
  std::string type;
  std::int64_t days = 0;
  std::optional<Uuid> up_to;                   // the last channel that was looked at
  bool complete = false;
  std::vector<std::string> expired;            // channel ids that have something older
};

std::optional<Slice> find_expired(storage::Connection& connection, const std::string& today) {
  std::optional<Slice> slice;
  connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) {
    slice.reset();
    auto rows = tx.query(sql::find_expired, today, kChannelsAtOnce);
    for (auto row : rows) {
      if (!slice) slice = {AppId{row.uuid(0)}, std::string(row.text(1)), row.integer(2), std::nullopt, false, {}};
      if (auto channel = row.optional_text(5)) {
        slice->expired.push_back(*channel);
      } else {
        slice->up_to = row.optional_uuid(3);
        slice->complete = row.boolean(4);
      }
    }
  });
  return slice;
}

/// False: another node was first, or the channel was deleted meanwhile.
bool expire(storage::Connection& connection, bus::Bus& bus, const Slice& slice, const std::string& channel_id, Timestamp cutoff, Timestamp now) {
  bool moved = false;
  try {
    connection.transact(slice.app, storage::Mode::write, [&](storage::Transaction& tx) {
      auto channel = channels::lock_head(tx, slice.type, channel_id);
      const auto point = find_point(tx, channel, first_uuid7_at(cutoff), std::nullopt);
      moved = point && move_point(tx, bus, channel, *point, true, "", now);
    });
  } catch (const Error& error) {
    if (error.code() != Code::not_found) throw;
  }
  return moved;
}

}  // namespace

int keep_retention(storage::Connection& connection, bus::Bus& bus, Timestamp now) {
  static auto& expired = metrics::counter("chat_retention_channels_total", "Channels that lost messages by the retention of their type.");
  const auto today = day_of(now);
  const auto midnight = *parse_time(today + "T00:00:00Z");
  int count = 0;
  for (int i = 0; i < kMaxSlices; ++i) {
    const auto slice = find_expired(connection, today);
    if (!slice) break;
    for (const auto& channel_id : slice->expired)
      count += expire(connection, bus, *slice, channel_id, midnight - std::chrono::hours(24) * slice->days, now);
    connection.transact(slice->app, storage::Mode::write, [&](storage::Transaction& tx) {
      tx.run(sql::keep_place, slice->app, slice->type, today, slice->days, slice->up_to, slice->complete);
    });
  }
  expired.add(count);
  return count;
}

}  // namespace chat::truncation
