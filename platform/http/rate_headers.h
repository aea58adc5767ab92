#pragma once
#include <string>

#include "platform/http/gate.h"

namespace chat::http {

/// Shape:   RateLimit-Policy: "app";q=1000;w=60, "user";q=60;w=60     every policy
///          RateLimit: "user";r=12;t=34                              the nearest to exhaustion: the first
/// Units:   w and t are seconds, t from now.
/// Source:  draft-ietf-httpapi-ratelimit-headers-10
std::string rate_limit_policy(const RateDecision& decision);
std::string rate_limit(const RateDecision& decision);       // empty without policies

}  // namespace chat::http
