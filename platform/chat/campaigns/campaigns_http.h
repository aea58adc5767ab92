#pragma once
#include <functional>
#include <memory>

#include "platform/bus/feed.h"
#include "platform/chat/campaigns/progress.h"
#include "platform/http/router.h"
#include "platform/storage/page.h"
#include "tenants/auth.h"

namespace chat::campaigns {

struct Services {
  bus::Bus& bus;
  const storage::Cursors& cursors;
  const Clock& clock;
  /// Whether the caller's plan has room for so many more recipients this month. Errors: quota_exceeded
  std::function<void(const tenants::Caller&, std::int64_t recipients)> check_quota;
  std::shared_ptr<ProgressMemory> progress = std::make_shared<ProgressMemory>();
};
void add_routes(http::Router& router, const Services& services);             // /v1/campaigns
void add_recipient_routes(http::Router& router, const Services& services);   // …/recipients, …/dry_run, /v1/users/…/campaign_preferences

}  // namespace chat::campaigns
