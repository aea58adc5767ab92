#pragma once
#include "platform/base/json.h"
#include "platform/webhooks/endpoints.h"

namespace chat::webhooks {

/// Reads what is given of the settings over those that there are, and gathers the mistakes in `body`.
void read_settings(json::Fields& body, const outbound::Client& client, EndpointSettings& settings);

/// `*`, message.new, message.*
bool is_event_pattern(std::string_view text);

}  // namespace chat::webhooks
