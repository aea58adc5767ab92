#include "platform/chat/truncation/truncation.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/truncation/truncation.sql.h"
#include "platform/chat/truncation/truncation_events.h"
#include "platform/chat/users/users.h"

namespace chat::truncation {
namespace {

struct Point {
  MessageId message;                           // it goes, and all before it
  std::int64_t message_seq = 0, seq = 0;       // the newest numbers that go
};

/// Errors:  not_found (`up_to` names no message)
std::optional<Point> find_point(storage::Transaction& tx, const channels::Channel& channel, const TruncationInput& input) {
  if (!channel.last_message_id) {
    if (input.up_to) throw not_found("message");
    return std::nullopt;
  }
  Uuid bound = channel.last_message_id->uuid;
  if (input.up_to) bound = std::min(bound, input.up_to->uuid);
  if (input.before) bound = std::min(bound, first_uuid7_at(*input.before));
  auto rows = tx.find(sql::find_point, tx.app(), channel.id, bound, channel.id);
  if (input.up_to && (!rows || (*rows)[0].uuid(0) != input.up_to->uuid)) throw not_found("message");
  if (!rows) return std::nullopt;
  auto row = (*rows)[0];
  const bool all = !input.up_to && !input.before;
  return Point{MessageId{row.uuid(0)}, row.optional_integer(1).value_or(0), all ? channel.last_seq : row.optional_integer(2).value_or(0)};
}

void tell_truncated(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const Truncated& truncated, bool hard,
                    Timestamp now) {
  json::Writer data;
  data.object().key("channel").raw(channels::channel_json(truncated.channel))
      .field("up_to_message_id", truncated.up_to->wire()).key("hard").boolean(hard);
  if (!opened.acting_user.empty()) data.field("user_id", opened.acting_user);
  data.end();
  channels::tell(tx, bus, truncated.channel, now, {{.type = kChannelTruncated, .data = data.take()}});
}

UserId author_of(storage::Transaction& tx, const TruncationInput& input) {
  const auto found = users::find_users(tx, {input.author});
  if (found.empty()) throw Error(Code::not_found, "No such user: " + input.author + ".", {{"#/message/user_id", "No such user."}});
  return found.front().id;
}

}  // namespace

Truncated truncate_channel(storage::Transaction& tx, bus::Bus& bus, const channels::Opened& opened, const TruncationInput& input,
                           Timestamp now) {
  opened.require(channels::Action::truncate_channel);
  std::optional<UserId> author;
  if (input.text) author = author_of(tx, input);
  Truncated truncated{opened.channel, std::nullopt, std::nullopt};
  const auto point = find_point(tx, opened.channel, input);
  if (!point) return truncated;
  auto moved = tx.find(sql::move_point, tx.app(), opened.channel.id, point->message, input.hard, now);
  if (!moved) return truncated;
  tx.run(sql::move_unread, tx.app(), opened.channel.id, point->message_seq);
  tx.run(sql::queue_truncation, tx.app(), opened.channel.id, point->message, input.hard, point->seq, now);
  truncated.up_to = point->message;
  truncated.channel.truncated_at = (*moved)[0].time(0);
  truncated.channel.last_seq += 1;             // the number that this event takes
  tell_truncated(tx, bus, opened, truncated, input.hard, now);
  if (!author) return truncated;
  truncated.message = messages::post_system_message(tx, bus, truncated.channel, {*author, input.author, *input.text, input.custom}, now);
  truncated.channel.last_seq = truncated.message->seq;
  truncated.channel.last_message_at = truncated.message->created_at;
  return truncated;
}

}  // namespace chat::truncation
