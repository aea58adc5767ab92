#pragma once
#include <cstdint>
#include <functional>
#include <string>

#include "billing/limits.h"
#include "platform/base/id.h"
#include "platform/storage/pool.h"

/// A use that passed a mark of its limit: 80 % of what is included, all of it, the hard limit.
namespace chat::billing {

/// Noticed with the flush after it happened, once per period and limit on each node; a node that starts again may notice it again.
/// Whoever tells of it keys it by application, meter, period, level and limit: after an upgrade the same level is reached anew.
struct Crossing {
  AppId app;
  Meter meter = Meter::messages;
  Level level = Level::warning;
  std::string period;                        // 2026-11, or 2026-11-28 for peak_connections
  std::int64_t value = 0;
  Limit limit;
};
using OnCrossing = std::function<void(storage::Connection&, const Crossing&)>;

}  // namespace chat::billing
