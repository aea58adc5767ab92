#pragma once
#include <optional>
#include <string>

#include "platform/base/config.h"
#include "platform/jobs/schedule.h"
#include "platform/outbound/client.h"
#include "platform/webhooks/courier.h"
#include "tenants/directory.h"

namespace chat::server {

outbound::Client::Options webhook_options(const config::Settings& settings);
outbound::Client::Options judge_options(const config::Settings& settings);   // of before_message_send

/// What Bus::keep_with is given: an application without an endpoint that wants the event pays nothing, if this node knows it.
void keep_event(storage::Transaction& tx, const tenants::Directory& directory, const bus::Event& event);

/// The contract's example of an event, a whole frame. None: there is no such event.
std::optional<std::string> example_of(const std::string& type);

/// Forgets deliveries and logs in time.
void add_webhook_jobs(jobs::Schedule& schedule);

}  // namespace chat::server
