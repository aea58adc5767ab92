#pragma once
#include "platform/base/config.h"
#include "platform/chat/uploads/depot.h"
#include "platform/jobs/schedule.h"

namespace chat::server {

/// What the settings say about files. A folder that can't be used is said in the log; then this node takes no files.
/// Errors:  StartFailure (an uploads.s3.networks that is no range of addresses)
uploads::Depot::Options depot_options(const config::Settings& settings, const std::string& master_key);

/// Removes files that are due, and keeps what storage costs up to date.
void add_upload_jobs(jobs::Schedule& schedule, uploads::Depot& depot, const Clock& clock);

}  // namespace chat::server
