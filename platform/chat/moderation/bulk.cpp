#include <algorithm>
#include <numeric>

#include "platform/base/error.h"
#include "platform/chat/moderation/rows.h"

namespace chat::moderation {

std::vector<Decided> decide_items(storage::Transaction& tx, const Hands& hands, const Reviewer& reviewer, const std::vector<ItemId>& ids,
                                  const Decision& decision, Timestamp now) {
  std::vector<Decided> decided(ids.size());
  std::vector<std::optional<ChannelId>> places(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    decided[i].item = ids[i];
    try {
      places[i] = get_item(tx, reviewer, ids[i]).subject.channel;
    } catch (const Error& error) {
      decided[i].error = error;
    }
  }
  std::vector<std::size_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0U);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return places[a] < places[b]; });   // heads are held in one order everywhere
  Timestamp at = now;                          // each its own: what one did is told from what the next did by the moment
  for (const auto i : order) {
    if (decided[i].error) continue;
    at += std::chrono::microseconds(1);
    try {
      tx.nested([&] { decided[i].line = decide_item(tx, hands, reviewer, ids[i], decision, at); });
    } catch (const Error& error) {
      decided[i].error = error;
    }
  }
  return decided;
}

}  // namespace chat::moderation
