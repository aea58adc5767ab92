#include "tenants/keys.h"

#include "platform/base/error.h"
#include "tenants/directory.h"
#include "tenants/keys.sql.h"

namespace chat::tenants {
namespace {

void lock_application(storage::Transaction& tx, AppId app) {
  if (!tx.find(sql::lock_application, app)) throw not_found("application");
}

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
  for (auto row : rows) secrets.push_back({SecretId{row.uuid(0)}, "", row.time(1), row.optional_time(2)});
  return secrets;
}

void delete_secret(storage::Transaction& tx, bus::Bus& bus, AppId app, SecretId id, Timestamp now) {
  lock_application(tx, app);
  if (!tx.find(sql::delete_secret, app, id)) throw not_found("secret");
  if (list_secrets(tx, app, now).empty())
    throw Error(Code::conflict, "This is the application's last secret; create another one first.");
  announce_change(tx, bus, app);
}

}  // namespace chat::tenants
