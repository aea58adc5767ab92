#include "platform/chat/devices/devices.h"

#include "platform/base/crypto.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/chat/devices/devices.sql.h"

namespace chat::devices {
namespace {

constexpr std::size_t kShownOfToken = 6;
constexpr int kExpireAtOnce = 5'000;
constexpr int kMaxSlices = 20;                 // one run ends; the rest waits for the next

std::string key_of(const std::string& token) { return crypto::hex(crypto::sha256(token)); }

void count_removed(const char* reason, int count) {
  if (count > 0) metrics::counter("chat_devices_removed_total", "Devices that were forgotten, by reason.", {{"reason", reason}}).add(count);
}

Device read_row(const storage::Row& row) {
  return {std::string(row.text(0)), std::string(row.text(1)), std::string(row.text(2)), std::string(row.text(3)), std::string(row.text(4)),
          row.time(5),              row.time(6)};
}

}  // namespace

std::string device_json(const Device& device) {
  json::Writer out;
  const auto& token = device.token;
  out.object().field("device_id", device.device_id).field("provider", device.provider).field("provider_name", device.provider_name)
      .field("platform", device.platform)
      .field("token_end", device.provider == "web" ? key_of(token).substr(0, kShownOfToken)
                                                   : token.substr(token.size() - std::min(token.size(), kShownOfToken)))
      .key("created_at").time(device.created_at).key("seen_at").time(device.seen_at).end();
  return out.take();
}

Registered register_device(storage::Transaction& tx, const std::string& user_id, const DeviceInput& input, Timestamp now) {
  const auto owner = tx.find(sql::lock_device_owner, tx.app(), user_id);
  if (!owner) throw not_found("user");
  const UserId user{(*owner)[0].uuid(0)};
  const auto key = key_of(input.token);
  tx.query(sql::lock_token, tx.app().text(), key);
  const int moved = tx.run(sql::take_token, tx.app(), key, user, input.device_id);
  const bool created = tx.query(sql::save_device, tx.app(), user, input.device_id, input.provider, input.provider_name, input.platform,
                                input.token, key, now)[0].boolean(0);
  const int evicted = created ? tx.run(sql::evict_devices, tx.app(), user, kMaxDevices) : 0;
  tx.after_commit([moved, evicted] {
    count_removed("moved", moved);
    count_removed("evicted", evicted);
  });
  return {created, get_device(tx, user_id, input.device_id)};
}

std::vector<Device> list_devices(storage::Transaction& tx, const std::string& user_id) {
  auto rows = tx.query(sql::list_devices, tx.app(), user_id, std::optional<std::string>());
  if (rows.empty()) throw not_found("user");
  std::vector<Device> devices;
  for (auto row : rows)
    if (row.optional_text(0)) devices.push_back(read_row(row));
  return devices;
}

Device get_device(storage::Transaction& tx, const std::string& user_id, const std::string& device_id) {
  auto rows = tx.query(sql::list_devices, tx.app(), user_id, std::optional<std::string>(device_id));
  if (rows.empty() || !rows[0].optional_text(0)) throw not_found("device");
  return read_row(rows[0]);
}

void delete_device(storage::Transaction& tx, const std::string& user_id, const std::string& device_id) {
  if (tx.run(sql::delete_device, tx.app(), user_id, device_id) == 0) throw not_found("device");
}

void forget_dead(storage::Transaction& tx, UserId user, const std::string& device_id, const std::string& token) {
  const int removed = tx.run(sql::forget_dead_device, tx.app(), user, device_id, key_of(token));
  tx.after_commit([removed] { count_removed("dead", removed); });
}

void expire_devices(storage::Connection& connection) {
  for (int i = 0; i < kMaxSlices; ++i) {
    int expired = 0;
    connection.transact(AppId{}, storage::Mode::write,
                        [&](storage::Transaction& tx) { expired = static_cast<int>(tx.query(sql::expire_devices, kExpireAtOnce)[0].integer(0)); });
    count_removed("expired", expired);
    if (expired == 0) return;
  }
}

}  // namespace chat::devices
