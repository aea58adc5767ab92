#include "platform/chat/truncation/truncation.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/truncation/point.h"
#include "platform/chat/truncation/truncation.sql.h"
#include "platform/chat/truncation/truncation_events.h"
#include "platform/chat/users/users.h"

namespace chat::truncation {
namespace {

// Ids grow with seq, so they run ahead of a clock that another node's is ahead of, or that was set back.
constexpr auto kMostAhead = std::chrono::minutes(5);

/// Errors:  not_found (`up_to` names no message)
std::optional<Point> wanted_point(storage::Transaction& tx, const channels::Channel& channel, const TruncationInput& input) {
  if (!channel.last_message_id) {
    if (input.up_to) throw not_found("message");
    return std::nullopt;
  }
  Uuid bound = channel.last_message_id->uuid;
  if (input.up_to) bound = std::min(bound, input.up_to->uuid);
  if (input.before) bound = std::min(bound, first_uuid7_at(*input.before + kMostAhead));
  auto point = find_point(tx, channel, bound, input.before);
  if (input.up_to && (!point || point->message != *input.up_to)) throw not_found("message");
  if (point && !input.up_to && !input.before) point->seq = channel.last_seq;
  return point;
}

UserId author_of(storage::Transaction& tx, const TruncationInput& input) {
  const auto found = users::find_users(tx, {input.author});
  if (found.empty()) throw Error(Code::not_found, "No such user: " + input.author + ".", {{"#/message/user_id", "No such user."}});
  return found.front().id;
}

}  // namespace

std::optional<Point> find_point(storage::Transaction& tx, const channels::Channel& channel, Uuid bound, std::optional<Timestamp> before) {
  auto rows = tx.find(sql::find_point, tx.app(), channel.id, bound, channel.id, before);
  if (!rows) return std::nullopt;
  auto row = (*rows)[0];
  return Point{MessageId{row.uuid(0)}, row.optional_integer(1).value_or(0), row.optional_integer(2).value_or(0)};
}

bool move_point(storage::Transaction& tx, bus::Bus& bus, channels::Channel& channel, const Point& point, bool hard, const std::string& user_id,
                Timestamp now) {
  auto moved = tx.find(sql::move_point, tx.app(), channel.id, point.message, hard, now);
  if (!moved) return false;
  tx.run(sql::move_unread, tx.app(), channel.id, point.message_seq);
  tx.run(sql::queue_truncation, tx.app(), channel.id, point.message, hard, point.seq, now);
  channel.truncated_at = (*moved)[0].time(0);
  channel.last_seq += 1;                       // the number that this event takes
  json::Writer data;
  data.object().key("channel").raw(channels::channel_json(channel)).field("up_to_message_id", point.message.wire()).key("hard").boolean(hard);
  if (!user_id.empty()) data.field("user_id", user_id);
  data.end();
  channels::tell(tx, bus, channel, now, {{.type = kChannelTruncated, .data = data.take()}});
  return true;
}

Truncated truncate_channel(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const TruncationInput& input,
                           Timestamp now) {
  opened.require(channels::Action::truncate_channel);
  std::optional<UserId> author;
  if (input.text) author = author_of(tx, input);
  Truncated truncated{opened.channel, std::nullopt, std::nullopt};
  const auto point = wanted_point(tx, opened.channel, input);
  if (!point || !move_point(tx, bus, truncated.channel, *point, input.hard, opened.acting_user, now)) return truncated;
  truncated.up_to = point->message;
  if (!author) return truncated;
  truncated.message = messages::post_system_message(tx, bus, truncated.channel, {*author, input.author, *input.text, input.custom}, now);
  truncated.channel.last_seq = truncated.message->seq;
  truncated.channel.last_message_at = truncated.message->created_at;
  return truncated;
}

}  // namespace chat::truncation
