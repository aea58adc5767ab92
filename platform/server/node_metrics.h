#pragma once
#include <atomic>

#include "billing/accounts.h"

namespace chat::server {

/// Series of applications: the `top` busiest by name, the rest added up under app="__other__". And build and start facts.
void collect_node_metrics(const billing::Accounts& accounts, const std::atomic<int>& top);

/// After a load of the configuration.
void note_reload(bool successful, Timestamp at);

}  // namespace chat::server
