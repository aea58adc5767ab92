#include "platform/chat/reads/here.h"

#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/text.h"
#include "platform/chat/reads/here.sql.h"
#include "platform/chat/reads/reads_events.h"

namespace chat::reads {
namespace {

struct Place {
  AppId app;
  ChannelId channel;
  MessageId message;
  std::string cid;
};

void mention(storage::Connection& connection, const Here& here, const Place& place) {
  std::vector<std::string> members;
  connection.transact(place.app, storage::Mode::read, [&](storage::Transaction& tx) {
    members.clear();
    auto rows = tx.query(sql::members_to_ask, place.app, place.channel, place.message, kMaxAskedHere);
    for (auto row : rows) members.emplace_back(row.text(0));
  });
  if (members.empty()) return;
  text::ArrayLiteral online;
  bool any = false;
  for (const auto& user : here.online(place.app, members)) {
    online.add(user);
    any = true;
  }
  if (!any) return;
  const auto users = online.take();
  connection.transact(place.app, storage::Mode::write, [&](storage::Transaction& tx) {
    if (tx.run(sql::mention_those, place.app, place.channel, place.message, users) > 0)
      tell_channel_unread_moved(tx, here.bus, place.app, place.cid);
  });
}

void lost(const Place& place, const char* why) {
  log::warn("mention_here.lost", {{"app_id", place.app.wire()}, {"detail", why}});
}

}  // namespace

void mention_here(const Here& here, AppId app, ChannelId channel, const messages::Message& message) {
  const Place place{app, channel, message.id, message.cid};
  const bool taken = here.run([here, place](storage::Connection& connection) {
    try {
      mention(connection, here, place);
    } catch (const Error& error) {
      lost(place, error.what());
    }
  });
  if (!taken) lost(place, "the pool is full");
}

}  // namespace chat::reads
