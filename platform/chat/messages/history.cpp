#include <algorithm>

#include "platform/base/error.h"
#include "platform/chat/messages/messages.h"
#include "platform/chat/messages/messages.sql.h"
#include "platform/chat/messages/read_row.h"

namespace chat::messages {
namespace {

/// The bounds of all ids of a channel: nothing is older than the channel itself or what the reader cleared, nothing newer than
/// its last message. They let PostgreSQL skip every partition outside.
struct Bounds {
  Uuid lowest, highest;
};

Bounds bounds_of(const channels::Channel& channel) {
  const Uuid lowest = channel.cleared_up_to ? channel.cleared_up_to->uuid : channel.id.uuid;
  return {lowest, channel.last_message_id ? channel.last_message_id->uuid : channel.id.uuid};
}

Uuid successor(Uuid uuid) {
  for (auto byte = uuid.bytes.rbegin(); byte != uuid.bytes.rend() && ++*byte == 0; ++byte) {
  }
  return uuid;
}

struct Range {
  std::vector<Message> messages;
  bool more = false;
};

Range read_range(const storage::Rows& rows, int limit) {
  Range range;
  range.more = rows.size() > limit;
  for (int i = 0; i < rows.size() && i < limit; ++i) range.messages.push_back(read_message(rows[i]));
  return range;
}

/// Oldest first, like newer().
Range older(storage::Transaction& tx, const channels::Channel& channel, const std::optional<MessageId>& parent, Uuid below, int limit) {
  const auto lowest = bounds_of(channel).lowest;
  auto range = read_range(parent ? tx.query(sql::list_older_replies, tx.app(), channel.id, below, lowest, limit + 1, *parent, channel.sees_shadowed, channel.reader)
                                 : tx.query(sql::list_older, tx.app(), channel.id, below, lowest, limit + 1,
                                            channel.sees_shadowed, channel.reader), limit);
  std::reverse(range.messages.begin(), range.messages.end());
  return range;
}

Range newer(storage::Transaction& tx, const channels::Channel& channel, const std::optional<MessageId>& parent, Uuid above, int limit) {
  const auto [lowest, highest] = bounds_of(channel);
  above = std::max(above, lowest);
  return read_range(parent ? tx.query(sql::list_newer_replies, tx.app(), channel.id, above, highest, limit + 1, *parent, channel.sees_shadowed, channel.reader)
                           : tx.query(sql::list_newer, tx.app(), channel.id, above, highest, limit + 1,
                                     channel.sees_shadowed, channel.reader), limit);
}

Window around(storage::Transaction& tx, const channels::Channel& channel, const WindowRequest& request) {
  const Message middle = get_message(tx, channel, *request.around);
  const int half = (request.limit - 1) / 2;
  auto before = older(tx, channel, request.parent, middle.id.uuid, request.limit - 1 - half);
  auto after = newer(tx, channel, request.parent, middle.id.uuid, half);
  Window window{std::move(before.messages), {}, before.more, after.more};
  window.messages.push_back(middle);
  window.messages.insert(window.messages.end(), after.messages.begin(), after.messages.end());
  return window;
}

std::vector<Message> quoted_by(storage::Transaction& tx, const channels::Channel& channel, const std::vector<Message>& messages) {
  std::vector<MessageId> ids;
  for (const auto& message : messages)
    if (message.quoted_id && !message.deleted_at) ids.push_back(*message.quoted_id);
  return find_messages(tx, channel, ids);
}

}  // namespace

Window list_messages(storage::Transaction& tx, const channels::Channel& channel, const WindowRequest& request) {
  Window window;
  if (request.around) {
    window = around(tx, channel, request);
  } else if (request.after) {
    auto range = newer(tx, channel, request.parent, request.after->uuid, request.limit);
    window = {std::move(range.messages), {}, true, range.more};
  } else {
    const Uuid below = request.before ? request.before->uuid : successor(bounds_of(channel).highest);
    auto range = older(tx, channel, request.parent, below, request.limit);
    window = {std::move(range.messages), {}, range.more, request.before.has_value()};
  }
  window.quoted = quoted_by(tx, channel, window.messages);
  return window;
}

}  // namespace chat::messages
