#include <catch2/catch.hpp>

#include "platform/storage/pipeline.h"
#include "tests/db/storage/notes.h"

using namespace chat;
using namespace chat::test;
using storage::Params;
using storage::Rows;
using storage::Transaction;

namespace {

constexpr storage::Statement kEcho{
    "notes.echo",
    "select $1::text, $2::bigint, $3::boolean, $4::uuid, $5::timestamptz, $6::bytea, $7::text, 0.5::float8, 'x' as named"};
constexpr storage::Statement kTimes{
    "notes.times", "select timestamptz '2026-11-21 12:00:00+00', timestamptz '1969-12-31 23:59:59.5+00', "
                   "timestamptz '2026-02-03 04:05:06.00007+02'"};

Params echo_params(const Uuid& uuid, Timestamp at, const std::string& bytes) {
  return Params::of("Grüße 👋 'quoted' \\ \"x\"", INT64_MIN, true, uuid, at, storage::bytea(bytes),
                    std::optional<std::string>());
}

void check_echo(const Rows& rows, const Uuid& uuid, Timestamp at, const std::string& bytes) {
  REQUIRE(rows.size() == 1);
  auto row = rows[0];
  CHECK(row.text(0) == "Grüße 👋 'quoted' \\ \"x\"");
  CHECK(row.integer(1) == INT64_MIN);
  CHECK(row.boolean(2));
  CHECK(row.uuid(3) == uuid);
  CHECK(row.time(4) == at);
  CHECK(row.bytes(5) == bytes);
  CHECK(row.is_null(6));
  CHECK_FALSE(row.optional_text(6).has_value());
  CHECK(row.optional_integer(1) == INT64_MIN);
  CHECK(row.optional_uuid(3) == uuid);
  CHECK(row.optional_time(4) == at);
  CHECK(row.column("named") == 8);
}

}  // namespace

TEST_CASE("rows: every kind of value goes there and back, by both drivers", "[db][storage]") {
  const Uuid uuid = new_uuid7(system_clock().now());
  const Timestamp at = *parse_time("2026-11-21T12:00:00.120450Z");
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);

  Notes notes;
  std::optional<Rows> kept;
  notes.write([&](Transaction& tx) { kept = tx.execute(kEcho, echo_params(uuid, at, bytes)); });
  storage::Pipeline pipeline(notes_database().server());
  auto results = pipeline.transact(notes.app, {{&kEcho, echo_params(uuid, at, bytes)}});
  check_echo(*kept, uuid, at, bytes);
  check_echo(results.at(0), uuid, at, bytes);
}

TEST_CASE("rows: times keep their microseconds, whatever the fraction's length", "[db][storage]") {
  Notes notes;
  notes.write([&](Transaction& tx) {
    auto rows = tx.query(kTimes);
    CHECK(format_time(rows[0].time(0)) == "2026-11-21T12:00:00.000000Z");
    CHECK(rows[0].time(1).time_since_epoch().count() == -500'000);
    CHECK(format_time(rows[0].time(2)) == "2026-02-03T02:05:06.000070Z");
  });
}

TEST_CASE("rows: outlive the connection that read them", "[db][storage]") {
  std::optional<Rows> kept;
  {
    storage::Connection connection(notes_database().server());
    connection.transact(AppId{}, storage::Mode::read, [&](Transaction& tx) { kept = tx.query(kTimes); });
  }
  CHECK((*kept)[0].text(0) == "2026-11-21 12:00:00+00");
}
