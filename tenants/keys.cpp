#include "tenants/keys.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "tenants/keys.sql.h"

namespace chat::tenants {
namespace {

constexpr std::chrono::minutes kUseNotedEvery{10};

void lock_application(storage::Transaction& tx, AppId app) {
  if (!tx.find(sql::lock_application, app)) throw not_found("application");
}

Secret read(const storage::Row& row) { return {SecretId{row.uuid(0)}, "", row.time(1), row.optional_time(2), row.optional_time(3)}; }

}  // namespace

Secret create_secret(storage::Transaction& tx, bus::Bus& bus, const crypto::Sealer& sealer, AppId app,
                     std::optional<std::chrono::seconds> expire_others, Timestamp now) {
  lock_application(tx, app);
  bool replaces_all = expire_others && expire_others->count() == 0;
  if (!replaces_all && list_secrets(tx, app, now).size() >= kMaxSecrets)
    throw Error(Code::limit_reached, "This application has 5 live secrets; delete one first.");
  Secret secret{SecretId::make(now), "sk_" + crypto::base64url(crypto::random_bytes(32)), now, std::nullopt};
  tx.run(sql::insert_secret, app, secret.id, crypto::hex(sealer.seal(secret.value, app.wire() + secret.id.wire())), now);
  if (expire_others) tx.run(sql::expire_other_secrets, app, secret.id, now + *expire_others);
  announce_change(tx, bus, app);
  return secret;
}

std::vector<Secret> list_secrets(storage::Transaction& tx, AppId app, Timestamp now) {
  std::vector<Secret> secrets;
  auto rows = tx.query(sql::list_secrets, app, now);
  for (auto row : rows) secrets.push_back(read(row));
  return secrets;
}

Secret expire_secret(storage::Transaction& tx, bus::Bus& bus, AppId app, SecretId id, std::chrono::seconds after, Timestamp now) {
  lock_application(tx, app);
  auto rows = tx.find(sql::expire_secret, app, id, now + after, now);
  if (!rows) throw not_found("secret");
  bool one_stays = false;
  for (const auto& secret : list_secrets(tx, app, now)) one_stays |= !secret.expires_at;
  if (!one_stays) throw Error(Code::conflict, "No other secret stays for good; create one first.");
  announce_change(tx, bus, app);
  return read((*rows)[0]);
}

void delete_secret(storage::Transaction& tx, bus::Bus& bus, AppId app, SecretId id, Timestamp now) {
  lock_application(tx, app);
  if (!tx.find(sql::delete_secret, app, id)) throw not_found("secret");
  if (list_secrets(tx, app, now).empty())
    throw Error(Code::conflict, "This is the application's last secret; create another one first.");
  announce_change(tx, bus, app);
}

std::string secret_json(const Secret& secret) {
  json::Writer out;
  out.object()
      .field("secret_id", secret.id.wire())
      .key("created_at").time(secret.created_at)
      .optional_time("expires_at", secret.expires_at)
      .optional_time("last_used_at", secret.last_used_at)
      .end();
  return out.take();
}

void note_used_secrets(storage::Connection& connection, Directory& directory) {
  for (const auto& used : directory.take_used_secrets(kUseNotedEvery))
    connection.transact(used.app, storage::Mode::write, [&](storage::Transaction& tx) { tx.run(sql::note_secret_use, used.app, used.secret, used.at); });
}

}  // namespace chat::tenants
