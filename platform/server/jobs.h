#pragma once
#include <chrono>

#include "billing/metering.h"
#include "billing/plans.h"
#include "platform/bus/feed.h"
#include "platform/chat/messages/later.h"
#include "platform/chat/previews/previews.h"
#include "platform/jobs/schedule.h"
#include "platform/transfers/transfers.h"
#include "tenants/directory.h"

namespace chat::server {

/// The recurring work of a node with the role `worker`, and the flush of usage, which every node does for itself.
void add_jobs(jobs::Schedule& schedule, bool worker, billing::Metering& metering, billing::PlanBook& plans, bus::Bus& bus,
              const Clock& clock, std::chrono::milliseconds flush_interval);

/// Messages whose time has come, every second, and those that were approved.
struct SendJob {
  bus::Bus& bus;
  const Clock& clock;
  messages::LaterServices later;
  std::function<bool(storage::Pool::Task)> run;
};
void add_send_job(jobs::Schedule& schedule, const SendJob& job);

/// Statements of the months that are over, every ten minutes.
void add_statement_job(jobs::Schedule& schedule, bus::Bus& bus, const Clock& clock, std::chrono::milliseconds delay);

/// Ends deletions and writes down when secrets were used; the latter every node for itself.
void add_application_jobs(jobs::Schedule& schedule, bool worker, tenants::Directory& directory, const Clock& clock);

/// Takes in the files of applications, every second.
void add_import_jobs(jobs::Schedule& schedule, const transfers::ImportServices& services);

/// Pages that messages name, every 500 ms. The fetcher must outlive the schedule.
void add_preview_jobs(jobs::Schedule& schedule, previews::Fetcher& fetcher);

/// At the start too: a message must never find its month without a partition.
void create_partitions(storage::Connection& connection, Timestamp now);

}  // namespace chat::server
