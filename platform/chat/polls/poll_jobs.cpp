#include "platform/chat/polls/polls.h"

#include <functional>

#include "platform/chat/polls/polls.sql.h"
#include "platform/chat/polls/polls_events.h"
#include "platform/chat/polls/told.h"

namespace chat::polls {
namespace {

constexpr int kMaxPolls = 200;                 // one round

struct Place {
  AppId app;
  ChannelId channel;
  MessageId message;
};

template <class... Values>
std::vector<Place> find_places(storage::Connection& connection, const storage::Statement& statement, const Values&... values) {
  std::vector<Place> places;
  connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) {
    places.clear();
    auto rows = tx.query(statement, values...);
    for (auto row : rows) places.push_back({AppId{row.uuid(0)}, ChannelId{row.uuid(1)}, MessageId{row.uuid(2)}});
  });
  return places;
}

/// `change` is what makes it this node's: nothing to tell when it finds no row. False: told by another, or gone.
bool change_and_tell(storage::Transaction& tx, bus::Bus& bus, const Place& place, std::string_view event,
                     const std::function<bool()>& change, Timestamp now) {
  auto head = tx.find(sql::lock_poll_channel, tx.app(), place.channel);
  if (!head || !change()) return false;
  channels::Channel channel;
  channel.id = place.channel;
  channel.type = (*head)[0].text(0);
  channel.channel_id = (*head)[0].text(1);
  const auto found = messages::find_messages(tx, channel, {place.message});
  if (found.empty() || found.front().deleted_at) return false;   // kept quiet, and not looked at again
  tell_channel(tx, bus, channel, event, found.front(), now);
  return true;
}

}  // namespace

int tell_changed_polls(storage::Connection& connection, bus::Bus& bus, Timestamp now) {
  int told = 0;
  for (const auto& place : find_places(connection, sql::changed_polls, kMaxPolls)) {
    bool is_told = false;
    connection.transact(place.app, storage::Mode::write, [&](storage::Transaction& tx) {
      is_told = change_and_tell(tx, bus, place, kPollUpdated,
                                [&] { return tx.find(sql::take_change, tx.app(), place.channel, place.message).has_value(); }, now);
    });
    told += is_told;
    if (is_told) count_change("told");
  }
  return told;
}

int close_due_polls(storage::Connection& connection, bus::Bus& bus, Timestamp now) {
  int closed = 0;
  for (const auto& place : find_places(connection, sql::due_polls, now, kMaxPolls)) {
    bool is_closed = false;
    connection.transact(place.app, storage::Mode::write, [&](storage::Transaction& tx) {
      is_closed = change_and_tell(tx, bus, place, kPollClosed, [&] {
        return tx.find(sql::close_poll, tx.app(), place.channel, place.message, now, std::optional<UserId>()).has_value();
      }, now);
    });
    closed += is_closed;
    if (is_closed) count_change("closed");
  }
  return closed;
}

}  // namespace chat::polls
