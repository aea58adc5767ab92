#pragma once
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace chat::test {

/// Checks JSON against the part of JSON Schema 2020-12 that openapi.yaml uses. No Debian package does: libvalijson stops at
/// draft 7 (no siblings of $ref, no formats), and none can see the members that a schema forgot to mention.
///
/// Keywords: $ref (with siblings) type enum const; properties required additionalProperties propertyNames minProperties;
///           items minItems maxItems uniqueItems; minLength maxLength pattern format (date-time);
///           minimum maximum; allOf anyOf oneOf. Any other is a mistake of the schema, see `unknown_keywords`.
/// Thread:   any.
class JsonSchema {
 public:
  /// `document` holds what `$ref: '#/…'` points into; it must outlive this.
  explicit JsonSchema(const nlohmann::json& document) : document_(document) {}

  /// What of `value` does not fit `schema`, each as "<pointer>: <what was expected>". Empty: it fits.
  /// Members that the schema does not mention are mistakes too, unless it says `additionalProperties: true`:
  /// what an answer holds and the contract does not tell is a secret of ours that customers will build on.
  [[nodiscard]] std::vector<std::string> mistakes(const nlohmann::json& schema, const nlohmann::json& value,
                                                  const std::string& pointer = "") const;

  /// Keywords below `schema` that this checker would pass over in silence, each with its place.
  [[nodiscard]] std::vector<std::string> unknown_keywords(const nlohmann::json& schema, const std::string& place) const;

  /// The node that a `$ref` of the form '#/a/b' means; the node itself when it is none. Throws when it points nowhere.
  [[nodiscard]] const nlohmann::json& resolve(const nlohmann::json& node) const;

 private:
  const nlohmann::json& document_;
};

}  // namespace chat::test
