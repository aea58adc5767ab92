#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/base/error.h"
#include "platform/storage/pool.h"
#include "platform/storage/transaction.h"

/// Devices: where a user is reached by push when it has no connection.
namespace chat::devices {

inline constexpr int kMaxDevices = 25;         // of one user; beyond, the one that registered longest ago goes
inline constexpr std::size_t kMaxTokenBytes = 4'096;

struct Device {
  std::string device_id;                       // the customer's own, of this user
  std::string provider;                        // fcm | apns | web
  std::string provider_name;                   // which of the application's credentials
  std::string platform;                        // android | ios | web
  std::string token;                           // what the provider is called with; never shown whole
  Timestamp created_at, seen_at;
};
/// Shape:   as openapi.yaml's Device: of the token only the end.
std::string device_json(const Device& device);

struct DeviceInput {
  std::string device_id, provider, provider_name, platform, token;
};
struct Registered {
  bool created = false;
  Device device;
};
/// Registers, or says that it is still there. A token belongs to one device: where it stood before, of whichever user, it goes.
/// Errors:  not_found (user)
Registered register_device(storage::Transaction& tx, const std::string& user_id, const DeviceInput& input, Timestamp now);

/// Last registered first. Errors: not_found (user)
std::vector<Device> list_devices(storage::Transaction& tx, const std::string& user_id);

/// Errors:  not_found
void delete_device(storage::Transaction& tx, const std::string& user_id, const std::string& device_id);

/// Errors:  not_found
Device get_device(storage::Transaction& tx, const std::string& user_id, const std::string& device_id);

/// The provider says that the token is dead. Nothing happens when the device has another one by now.
void forget_dead(storage::Transaction& tx, UserId user, const std::string& device_id, const std::string& token);

/// Forgets devices that did not register for 60 days. For the job.
void expire_devices(storage::Connection& connection);

}  // namespace chat::devices
