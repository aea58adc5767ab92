#pragma once
#include "platform/push/provider.h"

namespace chat::push {

/// What an answer means where the providers agree: 2xx sent, 429 and 5xx and no answer later, other 4xx refused.
Receipt judge(const outbound::Answer& answer);

}  // namespace chat::push
