#pragma once
#include <memory>
#include <string>
#include <string_view>

/// YAML files of data (plans), read as the JSON that the API would take. Configuration has a reader of its own: config.h.
namespace chat::yaml {

/// One document, and where each of its places stands in the file.
/// Shape:   plain scalars become numbers, booleans and null by JSON's rules; quoted ones stay text. A key twice stands twice,
///          and json::Document refuses it.
class File {
 public:
  /// Errors:  invalid_field with pointer `path:line` when the file can't be read or is no YAML
  static File read(const std::string& path);
  ~File();
  File(File&&) noexcept;
  [[nodiscard]] std::string json() const;
  /// Line of a JSON pointer ("#/plans/free/limits/0"), or of its nearest ancestor that stands in the file. Units: from 1.
  [[nodiscard]] int line_of(std::string_view pointer) const;

 private:
  File();
  struct Parsed;
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace chat::yaml
