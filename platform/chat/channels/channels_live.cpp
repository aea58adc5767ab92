#include "platform/chat/channels/channels_live.h"

#include "platform/base/text.h"
#include "platform/chat/channels/channels_live.sql.h"

namespace chat::channels {

std::optional<realtime::Audience> load_audience(storage::Connection& connection, AppId app, ChannelId channel) {
  std::optional<realtime::Audience> audience;
  connection.transact(app, storage::Mode::read, [&](storage::Transaction& tx) {
    audience.reset();
    auto rows = tx.find(sql::load_audience, app, channel);
    if (!rows) return;
    auto row = (*rows)[0];
    audience = {std::string(row.text(0)), row.integer(1), text::parse_array_literal(row.text(4)), row.boolean(2), row.boolean(3)};
  });
  return audience;
}

std::vector<realtime::Position> locate(storage::Connection& connection, const realtime::Identity& identity,
                                       const std::vector<std::string>& cids) {
  text::ArrayLiteral types, ids;
  for (const auto& cid : cids) {
    auto colon = cid.find(':');
    if (colon == std::string::npos) continue;
    types.add(cid.substr(0, colon));
    ids.add(cid.substr(colon + 1));
  }
  const auto type_list = types.take(), id_list = ids.take();
  std::vector<realtime::Position> positions;
  connection.transact(identity.app, storage::Mode::read, [&](storage::Transaction& tx) {
    positions.clear();
    auto rows = tx.query(sql::locate_channels, identity.app, type_list, id_list, identity.user_id);
    for (auto row : rows)
      positions.push_back({ChannelId{row.uuid(0)}, std::string(row.text(1)), std::string(row.text(2)), row.integer(3),
                           row.optional_integer(4), row.integer(5), row.boolean(6)});
  });
  return positions;
}

}  // namespace chat::channels
