#include "tenants/directory.h"

#include <algorithm>

#include "tenants/directory.sql.h"
#include "platform/base/json.h"
#include "platform/base/log.h"
#include "platform/base/text.h"

namespace chat::tenants {
namespace {

constexpr auto kLookAgainAfter = std::chrono::seconds(60);
constexpr std::string_view kKeyPrefix = "key";

bool is_due(const SecretUse& use, std::chrono::milliseconds throttle) {
  const auto seen = use.seen_ms.load(std::memory_order_relaxed);
  const auto noted = use.noted_ms.load(std::memory_order_relaxed);
  return seen != 0 && (noted == 0 || seen - noted >= throttle.count());
}

}  // namespace

Status parse_status(std::string_view text) {
  for (const auto status : {Status::active, Status::suspended, Status::deleting})
    if (text == word(status)) return status;
  return Status::deleted;
}

ApplicationSettings parse_settings(const std::string& text) {
  ApplicationSettings settings;
  auto document = json::Document::parse(text);
  auto read = [&](std::string_view name, bool& setting) {
    if (auto value = document.root().find(name)) setting = value->boolean();
  };
  read("guests", settings.guests);
  read("unique_usernames", settings.unique_usernames);
  read("unique_emails", settings.unique_emails);
  auto read_types = [&](std::string_view name, std::vector<std::string>& types) {
    if (auto value = document.root().find(name))
      for (const auto& type : value->items()) types.emplace_back(type.text());
  };
  read_types("upload_types", settings.upload_types);
  read_types("blocked_upload_types", settings.blocked_upload_types);
  if (auto language = document.root().find("search_language")) settings.search_language = language->text();
  if (auto days = document.root().find("guest_days")) settings.guest_days = days->integer();
  read("teams", settings.teams);
  if (auto across = document.root().find("cross_team")) settings.cross_team = across->text();
  return settings;
}

bool Application::wants_event(std::string_view type) const {
  return std::ranges::any_of(webhooks, [type](std::string_view pattern) {
    return pattern == "*" || pattern == type || (pattern.ends_with(".*") && type.starts_with(pattern.substr(0, pattern.size() - 1)));
  });
}

std::string_view word(Status status) {
  switch (status) {
    case Status::active: return "active";
    case Status::suspended: return "suspended";
    case Status::deleting: return "deleting";
    case Status::deleted: return "deleted";
  }
  return "deleted";
}

std::string api_key_of(AppId app) { return typeid_text(kKeyPrefix, app.uuid); }

std::optional<AppId> app_of_api_key(std::string_view api_key) {
  auto uuid = parse_typeid(kKeyPrefix, api_key);
  return uuid ? std::optional<AppId>(AppId{*uuid}) : std::nullopt;
}

std::shared_ptr<Application> read_application(storage::Transaction& tx, AppId app, const crypto::Sealer& sealer, Timestamp now) {
  auto found = tx.find(sql::read_application, app);
  if (!found) return nullptr;
  auto row = (*found)[0];
  auto application = std::make_shared<Application>();
  application->id = app;
  application->name = row.text(0);
  application->status = parse_status(row.text(1));
  application->status_reason = row.optional_text(2).value_or("");
  application->plan_id = row.text(3);
  application->settings_json = row.text(4);
  application->limits_json = row.text(5);
  application->settings = parse_settings(application->settings_json);
  application->revoked_before = row.optional_time(6);
  application->created_at = row.time(7);
  application->updated_at = row.time(8);
  application->pushes = row.boolean(9);
  application->plan_version = row.integer(10);
  if (const auto patterns = row.text(11); !patterns.empty()) application->webhooks = text::split(patterns, ',');
  application->screening_version = row.optional_integer(12).value_or(0);
  application->screening = row.optional_text(13).value_or("");
  application->loaded_at = now;
  auto secrets = tx.query(sql::read_secrets, app, now);
  for (auto secret : secrets) {
    SecretId id{secret.uuid(0)};
    auto value = sealer.open(secret.bytes(1), app.wire() + id.wire());
    if (!value) {
      log::error("secret.unreadable", {{"app_id", app.wire()}, {"secret_id", id.wire()}});
      continue;
    }
    application->secrets.push_back({id, std::move(*value), secret.time(2), secret.optional_time(3), std::nullopt, std::make_shared<SecretUse>()});
  }
  auto revocations = tx.query(sql::read_revocations, app, kMaxRevocations);
  for (auto revoked : revocations)
    application->revocations[std::string(revoked.text(0))] = {revoked.time(1), revoked.boolean(2), revoked.optional_time(3)};
  auto tokens = tx.query(sql::read_revoked_tokens, app, now - kTokenLeeway, kMaxRevokedTokens);
  for (auto token : tokens) application->revoked_tokens[std::string(token.text(0))] = token.optional_time(1);
  return application;
}

Directory::Directory(const crypto::Sealer& sealer, const Clock& clock, std::size_t capacity)
    : sealer_(sealer), clock_(clock), capacity_(capacity) {}

std::shared_ptr<const Application> Directory::find(AppId app) {
  std::lock_guard lock(mutex_);
  auto entry = entries_.find(app);
  if (entry == entries_.end()) return nullptr;
  bool due = clock_.now() - entry->second.application->loaded_at > kLookAgainAfter;
  if (due && !entry->second.refreshing) {
    entry->second.refreshing = true;
    return nullptr;
  }
  return entry->second.application;
}

std::shared_ptr<const Application> Directory::load(storage::Connection& connection, AppId app) {
  std::uint64_t forgotten = 0;
  {
    std::lock_guard lock(mutex_);
    forgotten = forgotten_;
  }
  std::shared_ptr<Application> application;
  try {
    connection.transact(app, storage::Mode::read, [&](storage::Transaction& tx) {
      application = read_application(tx, app, sealer_, clock_.now());
    });
    if (application) share_uses(*application);
  } catch (...) {
    std::lock_guard lock(mutex_);
    if (auto entry = entries_.find(app); entry != entries_.end()) entry->second.refreshing = false;   // the next one looks
    throw;
  }
  std::lock_guard lock(mutex_);
  if (!application) entries_.erase(app);
  if (!application || forgotten != forgotten_) return application;   // read before a change: good for this request alone
  if (entries_.size() >= capacity_ && !entries_.contains(app)) entries_.erase(entries_.begin());
  entries_[app] = {application, false};
  return application;
}

/// What is known of its secrets' uses goes on in the new snapshot.
void Directory::share_uses(Application& application) {
  std::lock_guard lock(uses_mutex_);
  const auto known = uses_.find(application.id);
  if (known == uses_.end() && uses_.size() >= 2 * capacity_) return;   // their uses are not noted until the job has made room
  auto& uses = known == uses_.end() ? uses_[application.id] : known->second;
  std::unordered_map<SecretId, std::shared_ptr<SecretUse>> live;
  for (auto& secret : application.secrets) {
    if (const auto use = uses.find(secret.id); use != uses.end()) secret.use = use->second;
    live.emplace(secret.id, secret.use);
  }
  for (const auto& [id, use] : uses)
    if (is_due(*use, std::chrono::milliseconds(1))) live.emplace(id, use);   // ended meanwhile, and used before
  uses = std::move(live);
}

std::vector<Directory::Used> Directory::used_secrets(std::chrono::milliseconds throttle, std::size_t limit) {
  const auto recent = std::chrono::duration_cast<std::chrono::milliseconds>((clock_.now() - throttle).time_since_epoch()).count();
  std::lock_guard lock(uses_mutex_);
  std::vector<Used> used;
  for (auto app = uses_.begin(); app != uses_.end();) {
    bool kept = false;                         // in a snapshot, not noted, or noted so lately that it must not be again
    for (const auto& [id, use] : app->second) {
      if (used.size() < limit && is_due(*use, throttle))
        used.push_back({app->first, id, Timestamp(std::chrono::milliseconds(use->seen_ms.load(std::memory_order_relaxed))), use});
      kept |= use.use_count() > 1 || is_due(*use, std::chrono::milliseconds(1)) || use->seen_ms.load(std::memory_order_relaxed) > recent;
    }
    app = kept ? std::next(app) : uses_.erase(app);
  }
  return used;
}

std::shared_ptr<const Application> Directory::peek(AppId app) const {
  std::lock_guard lock(mutex_);
  const auto entry = entries_.find(app);
  return entry == entries_.end() ? nullptr : entry->second.application;
}

void Directory::forget(AppId app) {
  std::lock_guard lock(mutex_);
  ++forgotten_;
  entries_.erase(app);
}

void Directory::forget_all() {
  std::lock_guard lock(mutex_);
  ++forgotten_;
  entries_.clear();
}

void announce_change(storage::Transaction& tx, bus::Bus& bus, AppId app, std::string detail) {
  tx.after_commit([&bus, app, detail = std::move(detail)] { bus.control({"application.changed", app, detail, true}); });
}

}  // namespace chat::tenants
