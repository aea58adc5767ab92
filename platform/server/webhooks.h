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

/// What Bus::keep_with is given. The database says whether an endpoint wants the event: what this node knows of the application may be old.
void keep_event(storage::Transaction& tx, webhooks::Courier& courier, const bus::Event& event);

/// Wakes the courier when one of the numbered events may be wanted: those that another node wrote are found at once, too.
void wake_for(webhooks::Courier& courier, const tenants::Directory& directory, bus::Bus::Events events);

/// What became of pushes. There may be many: where no endpoint wants them, as far as this node knows, the database is not asked.
void tell_push(storage::Transaction& tx, bus::Bus& bus, const tenants::Directory& directory, bus::Event event);

/// The contract's example of an event, a whole frame. None: there is no such event.
std::optional<std::string> example_of(const std::string& type);

/// Forgets deliveries and logs in time.
void add_webhook_jobs(jobs::Schedule& schedule);

}  // namespace chat::server
