#pragma once
#include "platform/base/config.h"
#include "platform/chat/notifications/notifications.h"
#include "platform/jobs/schedule.h"
#include "platform/outbound/client.h"

/// What leads out of this node, as the operator configured it.
namespace chat::server {

outbound::Client::Options outbound_options(const config::Settings& settings);
notifications::ProviderUrls provider_urls(const config::Settings& settings);

/// The jobs of a worker that notify who is away.
void add_push_jobs(jobs::Schedule& schedule, const notifications::Notifying& notifying, notifications::Courier& courier);

}  // namespace chat::server
