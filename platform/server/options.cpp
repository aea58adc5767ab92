#include "platform/server/options.h"

#include "platform/base/crypto.h"
#include "platform/server/node.h"

namespace chat::server {

std::string master_key_of(const config::Settings& settings) {
  auto key = crypto::parse_base64(settings.text("secrets.master_key"));
  if (!key || key->size() != 32)
    throw StartFailure(kExitConfiguration, "secrets.master_key must be base64 of 32 bytes; make one with: openssl rand -base64 32");
  return *key;
}

realtime::Options realtime_options(const config::Settings& settings) {
  realtime::Options options;
  options.shards = static_cast<int>(settings.integer("realtime.threads"));
  options.heartbeat = settings.duration("realtime.heartbeat");
  options.max_queue_bytes = static_cast<std::size_t>(settings.bytes("realtime.max_queue"));
  return options;
}

transfers::Rules transfer_rules(const config::Settings& settings) {
  return {settings.duration("transfers.settle"), settings.bytes("transfers.max_bytes")};
}

std::unique_ptr<redis::Link> make_link(const config::Settings& settings, const Clock& clock) {
  const auto url = settings.text("redis.url");
  if (url.empty()) return nullptr;
  const auto address = redis::parse_url(url);
  if (!address) throw StartFailure(kExitConfiguration, "redis.url must be redis://host:port/database or unix:///path");
  redis::Options options;
  options.address = *address;
  options.password = settings.text("redis.password");
  options.prefix = settings.text("redis.prefix");
  return std::make_unique<redis::Link>(options, clock);
}

storage::DatabaseOptions database_options(const config::Settings& settings) {
  storage::DatabaseOptions options;
  options.dsn = settings.text("database.dsn");
  options.statement_timeout = settings.duration("database.statement_timeout");
  return options;
}

/// Planning their few long statements anew costs more than all that they do (ops/decisions/0024); a plan made for a small table must do for a large one (0027).
storage::DatabaseOptions lane_options(const config::Settings& settings) {
  auto options = database_options(settings);
  options.plan_cache_mode = "force_generic_plan";
  options.reads_whole_tables = false;
  return options;
}

}  // namespace chat::server
