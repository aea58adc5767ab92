#pragma once
#include <memory>

#include "cli/remote/api.h"

namespace chat::cli {

/// Talks to the operator API over HTTP(S) with libcurl, one connection kept for the life of the process.
///
/// Shape:   bodies JSON; an answer beyond 32 MiB is refused. Redirects are not followed: the token stays
/// where it was meant to go. Errors:  Failure unavailable: not reachable, TLS refused, too slow. Failure
/// usage: not an http(s) URL. Every POST carries an Idempotency-Key of its own. Thread:  one.
std::unique_ptr<Api> make_api_client(ApiOptions options);

}  // namespace chat::cli
