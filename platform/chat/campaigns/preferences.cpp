#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/chat/campaigns/campaigns.h"
#include "platform/chat/campaigns/campaigns.sql.h"

namespace chat::campaigns {

std::string preferences_json(const Preferences& preferences) {
  json::Writer out;
  out.object().key("campaigns").boolean(preferences.campaigns).key("categories_off").array();
  for (const auto& category : preferences.categories_off) out.text(category);
  out.end().end();
  return out.take();
}

Preferences get_preferences(storage::Transaction& tx, const std::string& user_id) {
  const auto rows = tx.query(sql::get_opt_outs, tx.app(), user_id);
  if (rows.empty()) throw not_found("user");
  Preferences preferences;
  for (auto row : rows) {
    const auto category = row.optional_text(1);
    if (!category) continue;
    if (category->empty()) preferences.campaigns = false;
    else preferences.categories_off.push_back(*category);
  }
  return preferences;
}

Preferences set_preferences(storage::Transaction& tx, const std::string& user_id, const Preferences& preferences, Timestamp now) {
  const auto rows = tx.query(sql::get_opt_outs, tx.app(), user_id);
  if (rows.empty()) throw not_found("user");
  const UserId user{rows[0].uuid(0)};
  text::ArrayLiteral categories;
  if (!preferences.campaigns) categories.add("");
  for (const auto& category : preferences.categories_off) categories.add(category);
  tx.query(sql::hold_opt_outs, tx.app(), user);
  tx.run(sql::delete_opt_outs, tx.app(), user);
  tx.run(sql::insert_opt_outs, tx.app(), user, categories.take(), now);
  return get_preferences(tx, user_id);
}

}  // namespace chat::campaigns
