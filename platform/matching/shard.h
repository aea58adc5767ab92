#pragma once
#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "platform/matching/matcher.h"

/// One compiled database of Vectorscan. Private to the folder.
namespace chat::matching {

class Shard {
 public:
  /// Literals, sorted and each once; or regular expressions, which may be letter-case-blind.
  /// Gives the one that somebody holds with the same content, or compiles.
  static std::shared_ptr<const Shard> of_literals(const std::vector<std::string>& literals);
  /// Of literals that are not compiled: ready at once, and looked for in about 1 ms for 1 KB.
  static std::shared_ptr<const Shard> of_plain_literals(std::vector<std::string> literals);
  struct Failure {
    std::size_t expression = 0;
    Mistake mistake;
  };
  static std::shared_ptr<const Shard> of_regexes(const std::vector<std::string>& expressions, bool blind, std::vector<Failure>& failures);
  ~Shard();

  /// `hit` gets a pattern's place in what was compiled, and the bytes from and to; `from` is npos for literals. False from it ends the scan.
  using Hit = std::function<bool(std::uint32_t pattern, std::size_t from, std::size_t to)>;
  void scan(std::string_view bytes, const Hit& hit) const;
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] const std::vector<std::string>& literals() const { return literals_; }   // none of regular expressions

 private:
  Shard() = default;
  void scan_plain(std::string_view bytes, const Hit& hit) const;
  struct Database;
  std::unique_ptr<Database> database_;         // null: plain
  std::vector<std::string> literals_;
  std::array<std::uint32_t, 257> firsts_{};    // of plain ones: where those begin that begin with a byte
  std::size_t bytes_ = 0;
};

/// Nothing: Vectorscan can compile it.
std::optional<Mistake> find_regex_mistake(std::string_view expression, bool blind);

}  // namespace chat::matching
