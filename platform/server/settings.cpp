#include "platform/server/settings.h"

#include <algorithm>

#include "platform/http/cors.h"
#include "platform/outbound/address.h"
#include "platform/redis/options.h"

namespace chat::server {
namespace {

using config::Entry;
using config::Reload;
using config::Type;

constexpr std::int64_t kSecond = 1'000;
constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;

std::vector<Entry> door(const std::string& name, const std::string& port, const std::string& engine, const std::string& who) {
  return {
      {.key = name + ".address", .fallback = "127.0.0.1", .meaning = "Address that the " + who + " listens on."},
      {.key = name + ".port", .type = Type::integer, .fallback = port, .meaning = "Its port; 0 takes any free one.", .min = 0, .max = 65535},
      {.key = name + ".engine", .type = Type::word, .fallback = engine,
       .meaning = "Its HTTP engine. Only beast carries WebSockets; put a buffering proxy before a public pistache.",
       .words = {"beast", "pistache"}},
      {.key = name + ".threads", .type = Type::integer, .fallback = "2", .meaning = "Its event loops.", .min = 1, .max = 64},
      {.key = name + ".max_connections", .type = Type::integer, .fallback = "20000",
       .meaning = "Open HTTP connections; further ones are answered 503. WebSockets count apart, by the plans.", .min = 1, .max = 1'000'000},
      {.key = name + ".trusted_proxies", .type = Type::list, .fallback = "[]",
       .meaning = "Networks of proxies before this door whose X-Forwarded-For is believed: audits then name the address behind them."},
  };
}

std::vector<Entry> make_schema() {
  std::vector<Entry> schema = door("public", "8080", "beast", "customers' door");
  schema.push_back({.key = "public.allowed_origins", .type = Type::list, .fallback = "[*]", .meaning = "Origins whose pages may call the API in browsers: https://app.example.com; * is any. Tokens prove who calls, no cookies; WebSockets are not held to it."});
  for (auto& entry : door("operator", "8081", "pistache", "operator's door")) schema.push_back(entry);
  const std::vector<Entry> rest{
      {.key = "operator.token", .meaning = "Bearer token of the operator's API; at least 16 characters.", .secret = true},
      {.key = "database.dsn", .fallback = "host=/run/postgresql dbname=chat user=chat_server",
       .meaning = "libpq's connection string, with the role chat_server.", .secret = true},
      {.key = "database.workers", .type = Type::integer, .fallback = "8", .meaning = "Threads with a connection each, for requests.", .min = 1, .max = 256},
      {.key = "database.queue", .type = Type::integer, .fallback = "4096", .meaning = "Requests that may wait for a worker; further ones are answered 503.", .min = 1, .max = 1'000'000},
      {.key = "database.lanes", .type = Type::integer, .fallback = "2", .meaning = "Lanes that send messages, each with a thread and a connection.", .min = 1, .max = 64},
      {.key = "database.statement_timeout", .type = Type::duration, .fallback = "10s", .meaning = "Deadline of one statement.", .min = 100, .max = 600 * kSecond},
      {.key = "redis.url", .meaning = "Makes several chatd on one database one service: redis://host:port/database or unix:///path. Empty: this chatd is alone."},
      {.key = "redis.password", .meaning = "Its password. Empty: none is asked for.", .secret = true},
      {.key = "redis.prefix", .fallback = "chat:", .meaning = "Before all keys and channels; services that share a Redis must differ in it."},
      {.key = "secrets.master_key", .meaning = "Base64 of 32 random bytes; seals the customers' secrets. Lose it and they are lost.", .secret = true},
      {.key = "plans.file", .meaning = "YAML file of plans, written to the database at the start and on reload. Empty: none.", .reload = Reload::yes},
      {.key = "realtime.threads", .type = Type::integer, .fallback = "2", .meaning = "Event loops for WebSockets.", .min = 1, .max = 64},
      {.key = "realtime.heartbeat", .type = Type::duration, .fallback = "25s", .meaning = "A ping this often; silent for 2.5 of them: closed.", .min = 1 * kSecond, .max = 300 * kSecond},
      {.key = "realtime.max_queue", .type = Type::bytes, .fallback = "1MiB", .meaning = "Pending for one socket; beyond, it is closed and resumes.", .min = 16 * kKiB, .max = 64 * kMiB},
      {.key = "realtime.presence_ttl", .type = Type::duration, .fallback = "45s", .meaning = "How long users of a node that was killed still look present; told to Redis three times in it.", .min = 3 * kSecond, .max = 600 * kSecond},
      {.key = "outbound.allowed_networks", .type = Type::list, .fallback = "[]", .meaning = "Networks that calls to customers' addresses may reach although they are not public: 10.0.0.0/8."},
      {.key = "outbound.allow_http", .type = Type::boolean, .fallback = "false", .meaning = "Calls over plain http, too."},
      {.key = "outbound.ca_file", .meaning = "Certificates to trust instead of the system's."},
      {.key = "push.delay", .type = Type::duration, .fallback = "3s", .meaning = "Who is connected, or has read a message, so long after it was sent is not notified of it.", .min = 0, .max = 600 * kSecond},
      {.key = "push.fcm_url", .fallback = "https://fcm.googleapis.com", .meaning = "Where Firebase Cloud Messaging is."},
      {.key = "push.apns_url", .fallback = "https://api.push.apple.com", .meaning = "Where Apple's push service is."},
      {.key = "push.apns_sandbox_url", .fallback = "https://api.sandbox.push.apple.com", .meaning = "The same for providers that say sandbox."},
      {.key = "applications.deletion_wait", .type = Type::duration, .fallback = "7d", .meaning = "Between deleting an application and the purge of its data; until then it can be restored.", .min = 0, .max = 90 * 86'400 * kSecond},
      {.key = "transfers.settle", .type = Type::duration, .fallback = "75s", .meaning = "Between suspending an application and the first row of its export: what was under way ends, and every node has heard of it.", .min = 0, .max = 3600 * kSecond},
      {.key = "transfers.max_bytes", .type = Type::bytes, .fallback = "64GiB", .meaning = "Of the file of an application that comes in.", .min = 1 * kMiB, .max = 16LL * 1024 * 1024 * kMiB},
      {.key = "usage.flush_interval", .type = Type::duration, .fallback = "5s", .meaning = "How often counts in memory go to the ledger; a crash loses one interval at most.", .min = 100, .max = 60 * kSecond},
      {.key = "billing.finalize", .type = Type::word, .fallback = "automatic", .meaning = "Who makes a month's statements final: a job, or an operator by hand.", .words = {"automatic", "by_hand"}},
      {.key = "billing.finalize_after", .type = Type::duration, .fallback = "48h", .meaning = "How long after its end a month's statements become final; usage that comes later is on the next ones.", .min = 0, .max = 20LL * 86'400 * kSecond},
      {.key = "uploads.storage", .type = Type::word, .fallback = "disk", .meaning = "Where uploaded files are kept: a folder of this machine, a store that speaks S3, or nowhere.", .words = {"disk", "s3", "off"}},
      {.key = "uploads.folder", .fallback = "/var/lib/chatd/uploads", .meaning = "With disk: where files are kept; every node needs the same one. With s3: where they are looked at."},
      {.key = "uploads.public_url", .meaning = "Address of the customers' door as clients reach it, before /v1 in links to files. Empty: links begin with /v1."},
      {.key = "uploads.max_size", .type = Type::bytes, .fallback = "100MiB", .meaning = "Of one file; a plan's upload_bytes may say less.", .min = 1, .max = 5LL * 1024 * 1024 * kMiB},
      {.key = "uploads.max_pixels", .type = Type::integer, .fallback = "50000000", .meaning = "Of one image; looking at one takes up to 6 bytes of memory for each.", .min = 1, .max = 1'000'000'000},
      {.key = "uploads.threads", .type = Type::integer, .fallback = "1", .meaning = "Threads that look at files, one at a time each.", .min = 1, .max = 64},
      {.key = "uploads.upload_ttl", .type = Type::duration, .fallback = "1h", .meaning = "How long a link to bring a file is good.", .min = 1 * kSecond, .max = 86'400 * kSecond},
      {.key = "uploads.link_ttl", .type = Type::duration, .fallback = "1h", .meaning = "How long a link to fetch a file is good.", .min = 1 * kSecond, .max = 604'800 * kSecond},
      {.key = "uploads.s3.endpoint", .meaning = "Address of the store, as clients reach it: https://s3.eu-central-1.amazonaws.com."},
      {.key = "uploads.s3.region", .fallback = "us-east-1", .meaning = "Its region."},
      {.key = "uploads.s3.bucket", .meaning = "The bucket; private."},
      {.key = "uploads.s3.access_key", .meaning = "Id of the key that signs.", .secret = true},
      {.key = "uploads.s3.secret_key", .meaning = "The key that signs; may read, write and delete in the bucket.", .secret = true},
      {.key = "uploads.s3.path_style", .type = Type::boolean, .fallback = "false", .meaning = "The bucket in the path, not in the host's name: MinIO and others."},
      {.key = "uploads.s3.networks", .type = Type::list, .fallback = "[]", .meaning = "Addresses (CIDR) of the store that are not public: [10.0.0.0/8]."},
      {.key = "metrics.top_applications", .type = Type::integer, .fallback = "50", .meaning = "Applications with series of their own; the others add up in __other__. 0: none.", .min = 0, .max = 500, .reload = Reload::yes},
      {.key = "log.level", .type = Type::word, .fallback = "info", .meaning = "debug, info, warn, error or off.", .words = {"debug", "info", "warn", "error", "off"}, .reload = Reload::yes},
      {.key = "node.roles", .type = Type::list, .fallback = "[api, realtime, worker]", .meaning = "What this process does."},
      {.key = "shutdown.deadline", .type = Type::duration, .fallback = "10s", .meaning = "Time to finish what runs when asked to stop.", .min = 100, .max = 300 * kSecond},
  };
  schema.insert(schema.end(), rest.begin(), rest.end());
  return schema;
}

}  // namespace

const std::vector<Entry>& settings_schema() {
  static const std::vector<Entry> schema = make_schema();
  return schema;
}

std::vector<config::Mistake> check_together(const config::Settings& settings) {
  std::vector<config::Mistake> mistakes;
  auto mistake = [&](const char* key, std::string text) { mistakes.push_back({settings.origin(key), key, std::move(text)}); };
  const auto roles = settings.list("node.roles");
  const std::vector<std::string> known{"api", "realtime", "worker"};
  for (const auto& role : roles)
    if (std::find(known.begin(), known.end(), role) == known.end())
      mistake("node.roles", "unknown role " + role + "; there are api, realtime and worker");
  if (roles.empty()) mistake("node.roles", "at least one of api, realtime and worker");
  const bool realtime = std::find(roles.begin(), roles.end(), "realtime") != roles.end();
  if (realtime && settings.text("public.engine") != "beast")
    mistake("public.engine", "pistache carries no WebSockets; use beast, or leave realtime out of node.roles");
  for (const char* key : {"outbound.allowed_networks", "public.trusted_proxies", "operator.trusted_proxies"})
    for (const auto& network : settings.list(key))
      if (!outbound::Network::parse(network)) mistake(key, network + " is no network; write 10.0.0.0/8");
  for (const auto& origin : settings.list("public.allowed_origins"))
    if (!http::Cors::is_origin(origin)) mistake("public.allowed_origins", origin + " is no origin; write https://app.example.com, or *");
  if (const auto url = settings.text("redis.url"); !url.empty() && !redis::parse_url(url))
    mistake("redis.url", "must be redis://host:port/database or unix:///path; a password goes into redis.password_file");
  if (settings.text("redis.prefix").empty()) mistake("redis.prefix", "must not be empty");
  if (settings.text("operator.token").size() < 16)
    mistake("operator.token", "required, 16 characters or more; give operator.token_file");
  if (settings.text("uploads.storage") == "s3")
    for (const char* key : {"uploads.s3.endpoint", "uploads.s3.bucket", "uploads.s3.access_key", "uploads.s3.secret_key"})
      if (settings.text(key).empty()) mistake(key, "required with uploads.storage: s3");
  const auto endpoint = settings.text("uploads.s3.endpoint");
  if (!endpoint.empty() && !endpoint.starts_with("https://") && !endpoint.starts_with("http://"))
    mistake("uploads.s3.endpoint", "must begin with https:// or http://");
  if (settings.text("secrets.master_key").empty())
    mistake("secrets.master_key", "required: base64 of 32 random bytes; give secrets.master_key_file");
  return mistakes;
}

}  // namespace chat::server
