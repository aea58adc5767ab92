#include "platform/chat/notifications/preferences.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/notifications/preferences.sql.h"

namespace chat::notifications {
namespace {

std::string clock_of(int minute) {
  const auto two = [](int n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return two(minute / 60) + ":" + two(minute % 60);
}

storage::Rows rows_of(storage::Transaction& tx, const std::string& user_id) {
  auto rows = tx.find(sql::get_push_preferences, tx.app(), user_id);
  if (!rows) throw not_found("user");
  return *rows;
}

std::optional<std::string> days_literal(const std::vector<int>& days) {
  if (days.empty()) return std::nullopt;
  text::ArrayLiteral array;
  for (const int day : days) array.add(std::to_string(day));
  return array.take();
}

}  // namespace

std::string preferences_json(const Preferences& preferences) {
  json::Writer out;
  out.object().field("level", preferences.level).optional_time("muted_until", preferences.muted_until);
  if (const auto& quiet = preferences.quiet) {
    out.key("quiet").object().field("from", clock_of(quiet->from)).field("to", clock_of(quiet->to)).field("time_zone", quiet->time_zone);
    if (!quiet->days.empty()) {
      out.key("days").array();
      for (const int day : quiet->days) out.integer(day);
      out.end();
    }
    out.end();
  }
  out.optional_field("language", preferences.language).optional_time("updated_at", preferences.updated_at).end();
  return out.take();
}

Preferences get_preferences(storage::Transaction& tx, const std::string& user_id) {
  const auto rows = rows_of(tx, user_id);
  const auto row = rows[0];
  Preferences preferences;
  if (row.is_null(1)) return preferences;
  preferences.level = row.text(1);
  preferences.muted_until = row.optional_time(2);
  if (const auto from = row.optional_integer(3)) {
    Quiet quiet{static_cast<int>(*from), static_cast<int>(row.integer(4)), {}, row.optional_text(6).value_or("UTC")};
    if (const auto days = row.optional_text(5))
      for (const auto& day : text::parse_array_literal(*days)) quiet.days.push_back(std::stoi(day));
    preferences.quiet = std::move(quiet);
  }
  preferences.language = row.optional_text(7);
  preferences.updated_at = row.time(8);
  return preferences;
}

Preferences set_preferences(storage::Transaction& tx, const std::string& user_id, const Preferences& preferences, Timestamp now) {
  const auto rows = rows_of(tx, user_id);
  const auto& quiet = preferences.quiet;
  std::optional<int> from, to;
  std::optional<std::string> days, zone;
  if (quiet) {
    if (!tx.query(sql::is_time_zone, quiet->time_zone)[0].boolean(0))
      throw invalid_field("#/quiet/time_zone", "Must be a time zone of the IANA database: Europe/Berlin.");
    from = quiet->from;
    to = quiet->to;
    days = days_literal(quiet->days);
    zone = quiet->time_zone;
  }
  tx.run(sql::set_push_preferences, tx.app(), rows[0].uuid(0), preferences.level, preferences.muted_until, from, to, days, zone,
         preferences.language, now);
  return get_preferences(tx, user_id);
}

std::string channel_preference_json(const std::string& cid, const ChannelPreference& preference) {
  json::Writer out;
  out.object().field("cid", cid).optional_field("level", preference.level).optional_time("muted_until", preference.muted_until).end();
  return out.take();
}

ChannelPreference get_channel_preference(storage::Transaction& tx, const channels::Opened& opened) {
  auto rows = tx.find(sql::get_channel_push_preference, tx.app(), *opened.acting_id, opened.channel.id);
  if (!rows) return {};
  return {(*rows)[0].optional_text(0), (*rows)[0].optional_time(1)};
}

ChannelPreference set_channel_preference(storage::Transaction& tx, const channels::Opened& opened, const ChannelPreference& preference, Timestamp now) {
  if (preference.level || preference.muted_until)
    tx.run(sql::set_channel_push_preference, tx.app(), *opened.acting_id, opened.channel.id, preference.level, preference.muted_until, now);
  else
    tx.run(sql::delete_channel_push_preference, tx.app(), *opened.acting_id, opened.channel.id);
  return preference;
}

}  // namespace chat::notifications
