#include "platform/server/uploads.h"

#include "billing/storage.h"
#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/files/s3.h"
#include "platform/server/node.h"

namespace chat::server {
namespace {

constexpr int kAccounts = 500;                 // settled in one transaction
constexpr int kMaxRounds = 20;                 // one run ends; the rest waits for the next

std::unique_ptr<files::Store> open_store(const config::Settings& settings) {
  const auto folder = settings.text("uploads.folder");
  if (settings.text("uploads.storage") == "disk") return files::open_disk(folder);
  files::S3Options options{settings.text("uploads.s3.endpoint"), settings.text("uploads.s3.region"), settings.text("uploads.s3.bucket"),
                           settings.text("uploads.s3.access_key"), settings.text("uploads.s3.secret_key"),
                           settings.boolean("uploads.s3.path_style"), {}, folder};
  for (const auto& range : settings.list("uploads.s3.networks")) {
    const auto network = outbound::Network::parse(range);
    if (!network) throw StartFailure(kExitConfiguration, "uploads.s3.networks: " + range + " is no range of addresses");
    options.networks.push_back(*network);
  }
  return files::open_s3(options);
}

}  // namespace

uploads::Depot::Options depot_options(const config::Settings& settings, const std::string& master_key) {
  using std::chrono::seconds;
  uploads::Depot::Options options;
  options.rules = {settings.bytes("uploads.max_size"), settings.integer("uploads.max_pixels"),
                   std::chrono::duration_cast<seconds>(settings.duration("uploads.upload_ttl")),
                   std::chrono::duration_cast<seconds>(settings.duration("uploads.link_ttl"))};
  options.key = crypto::hmac_sha256(master_key, "uploads");
  options.public_url = settings.text("uploads.public_url");
  while (options.public_url.ends_with('/')) options.public_url.pop_back();
  options.threads = static_cast<int>(settings.integer("uploads.threads"));
  if (settings.text("uploads.storage") == "off") return options;
  try {
    options.store = open_store(settings);
  } catch (const Error& error) {
    log::error("uploads.off", {{"folder", settings.text("uploads.folder")}, {"detail", error.log_detail()}});
  }
  return options;
}

void add_upload_jobs(jobs::Schedule& schedule, uploads::Depot& depot, const Clock& clock) {
  if (depot.is_open())
    schedule.add("remove_uploads", std::chrono::seconds(5), [&depot, &clock](storage::Connection& connection) {
      for (int i = 0; i < kMaxRounds && uploads::remove_due(connection, depot.store(), clock.now()) > 0; ++i) {
      }
    });
  schedule.add("settle_storage", std::chrono::minutes(10), [](storage::Connection& connection) {
    for (int i = 0; i < kMaxRounds; ++i) {
      std::int64_t settled = 0;
      connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) { settled = billing::settle_storage(tx, kAccounts); });
      if (settled == 0) return;
    }
  });
}

}  // namespace chat::server
