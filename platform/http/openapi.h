#pragma once
#include <string_view>

namespace chat::embedded {

/// The contract (openapi.yaml) as minified JSON, made at build time by ops/dev/openapi_to_json. Served at /v1/openapi.json.
/// Link chat::openapi.
extern const std::string_view openapi_json;

}  // namespace chat::embedded
