#pragma once
#include <string>

#include "platform/base/id.h"
#include "tests/support/service.h"

namespace chat::test {

/// Everything in the application's channels, as if it had happened so many days ago.
inline void age(TestApp& app, int days) {
  Probe probe(superuser_database().dsn);
  const auto of_app = " where app_id = '" + AppId::parse(app.id())->text() + "'";
  probe.run("set session_replication_role = replica");
  probe.run("create function pg_temp.aged(id uuid) returns uuid language sql immutable as $$ select (lpad(to_hex("
            "('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint - " + std::to_string(days) +
            " * 86400000::bigint), 12, '0') || substr(replace(id::text, '-', ''), 13))::uuid $$");
  probe.run("update messages set channel_id = pg_temp.aged(channel_id), id = pg_temp.aged(id), parent_id = pg_temp.aged(parent_id)" + of_app +
            "; update channel_heads set channel_id = pg_temp.aged(channel_id), last_message_id = pg_temp.aged(last_message_id)" + of_app +
            "; update channels set id = pg_temp.aged(id)" + of_app);
  for (const auto* table : {"channel_members", "channel_events", "message_nonces"})
    probe.run("update " + std::string(table) + " set channel_id = pg_temp.aged(channel_id)" + of_app);
}

}  // namespace chat::test
