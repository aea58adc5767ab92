#pragma once
#include <string>
#include <string_view>

namespace chat::cli {

/// One YAML document as JSON text: plain scalars by YAML 1.2's core rules, quoted ones as strings.
///
/// Shape:   mappings keep their order. Aliases, tags, several documents and nesting beyond 32 are refused.
/// Errors:  Failure failure with `name:line:column: what`: no YAML, a key twice, a key that is no scalar.
std::string yaml_to_json(std::string_view yaml, const std::string& name);

/// Line of a JSON pointer ("#/plans/free/limits/0") in text that yaml_to_json took, or of its nearest ancestor that stands there.
/// Units:   from 1
int yaml_line(std::string_view yaml, std::string_view pointer);

}  // namespace chat::cli
