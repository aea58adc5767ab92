#pragma once
#include <string>
#include <string_view>

namespace chat::cli {

/// One YAML document as JSON text: plain scalars by YAML 1.2's core rules, quoted ones as strings.
///
/// Shape:   mappings keep their order. Aliases, tags, several documents and nesting beyond 32 are refused.
/// Errors:  Failure failure with `name:line:column: what`: no YAML, a key twice, a key that is no scalar.
std::string yaml_to_json(std::string_view yaml, const std::string& name);

}  // namespace chat::cli
