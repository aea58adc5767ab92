#include "tenants/keys.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "tenants/keys.sql.h"

namespace chat::tenants {
namespace {

constexpr std::chrono::minutes kUseNotedEvery{10};
constexpr std::chrono::hours kDeadKept{30 * 24};
constexpr std::size_t kUsesAtOnce = 1'000;     // the others in the job's next turn

void lock_application(storage::Transaction& tx, AppId app) {
  if (!tx.find(sql::lock_application, app)) throw not_found("application");
}

/// Those that end would leave it without one that day.
void check_one_stays(storage::Transaction& tx, AppId app, Timestamp now) {
  for (const auto& secret : list_secrets(tx, app, now))
    if (!secret.expires_at) return;
  throw Error(Code::conflict, "No other secret stays for good; create one first.");
}

Secret read(const storage::Row& row) { return {SecretId{row.uuid(0)}, "", row.time(1), row.optional_time(2), row.optional_time(3)}; }

}  // namespace

Secret create_secret(storage::Transaction& tx, bus::Bus& bus, const crypto::Sealer& sealer, AppId app,
                     std::optional<std::chrono::seconds> expire_others, Timestamp now) {
  lock_application(tx, app);
  tx.run(sql::forget_dead_secrets, app, now - kDeadKept);
  bool replaces_all = expire_others && expire_others->count() == 0;
  if (!replaces_all && list_secrets(tx, app, now).size() >= kMaxSecrets)
    throw Error(Code::limit_reached, "This application has 5 live secrets; delete one first.");
  Secret secret{SecretId::make(now), "sk_" + crypto::base64url(crypto::random_bytes(32)), now, std::nullopt};
  tx.run(sql::insert_secret, app, secret.id, crypto::hex(sealer.seal(secret.value, app.wire() + secret.id.wire())), now);
  std::string ended;
  for (const auto& other : list_secrets(tx, app, now))
    if (replaces_all && other.id != secret.id) ended += " " + other.id.text();
  if (expire_others) tx.run(sql::expire_other_secrets, app, secret.id, now + *expire_others);
  announce_change(tx, bus, app, ended.empty() ? "" : "secrets_ended" + ended);
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
  check_one_stays(tx, app, now);
  announce_change(tx, bus, app, after.count() == 0 ? "secrets_ended " + id.text() : "");
  return read((*rows)[0]);
}

void delete_secret(storage::Transaction& tx, bus::Bus& bus, AppId app, SecretId id, Timestamp now) {
  lock_application(tx, app);
  if (!tx.find(sql::delete_secret, app, id)) throw not_found("secret");
  check_one_stays(tx, app, now);
  announce_change(tx, bus, app, "secrets_ended " + id.text());
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
  const auto used = directory.used_secrets(kUseNotedEvery, kUsesAtOnce);
  for (std::size_t from = 0, to = 0; from < used.size(); from = to) {
    text::ArrayLiteral ids, times;
    for (; to < used.size() && used[to].app == used[from].app; ++to) {
      ids.add(used[to].secret.text());
      times.add(format_time(used[to].at));
    }
    const auto id_list = ids.take(), time_list = times.take();
    connection.transact(used[from].app, storage::Mode::write,
                        [&](storage::Transaction& tx) { tx.run(sql::note_secret_uses, used[from].app, id_list, time_list); });
    for (auto noted = from; noted < to; ++noted) used[noted].noted();
  }
}

}  // namespace chat::tenants
