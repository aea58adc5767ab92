#pragma once
#include "platform/jobs/schedule.h"
#include "platform/tasks/work.h"
#include "platform/transfers/transfers.h"

namespace chat::server {

/// What the lines of a user's export can be, in their order.
std::vector<std::string> user_export_kinds();
/// What this service's workers can do: every feature's long work.
tasks::Kinds task_kinds(const transfers::Rules& rules);
/// The jobs of a worker that do it.
void add_task_jobs(jobs::Schedule& schedule, const tasks::Kinds& kinds, const Clock& clock);

}  // namespace chat::server
