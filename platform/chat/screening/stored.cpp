#include "platform/base/error.h"
#include "platform/chat/screening/screening.h"
#include "platform/chat/screening/screening.sql.h"
#include "tenants/directory.h"

namespace chat::screening {
namespace {

std::string context_of(AppId app) { return app.wire() + "/classifier"; }

void announce(storage::Transaction& tx, bus::Bus& bus) { tenants::announce_change(tx, bus, tx.app(), "screening"); }

}  // namespace

std::optional<webhook::Key> open_key(AppId app, const crypto::Sealer& sealer, const std::string& sealed) {
  const auto text = sealer.open(sealed, context_of(app));
  return text ? webhook::parse_key(*text) : std::nullopt;
}

Stored get_stored(storage::Transaction& tx) {
  Stored stored;
  const auto rows = tx.find(sql::get_stored, tx.app());
  if (!rows) return stored;
  const auto row = (*rows)[0];
  stored.rules_version = row.integer(0);
  stored.rules = parse_rules(std::string(row.text(1)), stored.rules_version).list;
  stored.rules_at = row.optional_time(2);
  if (const auto classifier = row.optional_text(3)) {
    stored.classifier = parse_classifier(*classifier);
    stored.classifier->created_at = row.time(4);
    stored.classifier->updated_at = row.time(5);
  }
  return stored;
}

Stored put_rules(storage::Transaction& tx, bus::Bus& bus, const std::vector<Rule>& rules, const std::optional<std::int64_t>& expected, Timestamp now) {
  tx.query(sql::lock_stored, tx.app());
  if (const auto version = get_stored(tx).rules_version; expected && *expected != version)
    throw Error(Code::conflict, "The rules are at version " + std::to_string(version) + ": somebody changed them meanwhile.",
                {{"#/version", "Not the version that is stored."}});
  tx.run(sql::put_rules, tx.app(), rules_json(rules), now);
  announce(tx, bus);
  return get_stored(tx);
}

SavedClassifier put_classifier(storage::Transaction& tx, bus::Bus& bus, const crypto::Sealer& sealer, const Classifier& classifier, bool new_secret,
                               Timestamp now) {
  tx.query(sql::lock_stored, tx.app());
  SavedClassifier saved;
  saved.created = !get_stored(tx).classifier;
  std::optional<std::string> sealed;
  if (saved.created || new_secret) {
    saved.secret = webhook::make_key(webhook::Scheme::v1).text();
    sealed = crypto::hex(sealer.seal(saved.secret, context_of(tx.app())));
  }
  tx.run(sql::put_classifier, tx.app(), classifier_json(classifier), sealed, now);
  announce(tx, bus);
  saved.stored = get_stored(tx);
  return saved;
}

void delete_classifier(storage::Transaction& tx, bus::Bus& bus) {
  if (!tx.find(sql::delete_classifier, tx.app())) throw not_found("classifier");
  announce(tx, bus);
}

Author read_author(storage::Transaction& tx, std::string_view user_id, std::string_view channel_type, std::string_view channel_id) {
  const auto rows = tx.find(sql::read_author, tx.app(), user_id, channel_type, channel_id);
  if (!rows) return {};
  const auto row = (*rows)[0];
  return {row.optional_time(0), row.optional_time(1), row.optional_text(2).value_or(""), row.optional_text(3).value_or(""), row.boolean(4)};
}

bool is_banned(storage::Transaction& tx, std::string_view user_id, ChannelId channel) {
  return tx.find(sql::find_ban, tx.app(), user_id, channel).has_value();
}

}  // namespace chat::screening
