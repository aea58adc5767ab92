#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/matching/folding.h"

/// Many words, phrases, hosts, addresses and regular expressions looked for in one pass. ICU folds, Vectorscan finds.
namespace chat::matching {

enum class Kind {
  words,                                       // a word or several; "*" at an end: the word may go on there
  domain,                                      // a host and all below it
  email,                                       // an address; "@example.com": all of a host
  regex,                                       // as Vectorscan has them: no back references, no looking around
};

struct Mistake {
  std::string detail;
  std::uint32_t at = 0;                        // code point of the entry
};

inline constexpr std::size_t kMaxRegexPlaces = 1'000;   // letters and classes, each as often as it may repeat
/// Of an expression that find_mistake let pass. What scanning costs grows with their sum.
std::size_t places_of(std::string_view expression);

/// Nothing: it can be looked for.
/// Cost:    of a regular expression, compiling it: some ms
std::optional<Mistake> find_mistake(Kind kind, std::string_view text, const Folding& folding);

/// How patterns of a kind are folded: what makes no sense for the kind is taken away.
Folding folding_of(Kind kind, Folding wanted);

struct Pattern {
  std::string_view text;
  Kind kind = Kind::words;
  Folding folding;                             // as folding_of gave it
};

struct Found {
  std::uint32_t pattern = 0;                   // its place among those that were compiled
  std::uint32_t start = 0, end = 0;            // code points of the text as it was written
  friend bool operator==(const Found&, const Found&) = default;
};

/// Immutable. Thread: any.
class Matcher {
 public:
  static constexpr std::size_t kMaxFound = 10'000;        // in one text; what comes behind is not looked at
  static constexpr std::size_t kPatternsPerShard = 65'536;
  static constexpr std::size_t kMaxDelta = 4'096;
  static constexpr std::size_t kMaxQuick = 1'000;

  /// A pattern that can't be compiled is left out and named in `failures`.
  ///
  /// Shape:   patterns lie in shards by their content; one that another matcher of this process holds is taken from it. What `before` had
  ///          stays compiled, and up to kMaxDelta new ones stand beside it, so that a change of a few among many costs little.
  /// `quickly`: of more than kMaxQuick new ones none is compiled but the regular expressions; they are looked for all the same, at about
  ///          1 ms for 1 KB, until a matcher after this one has compiled them.
  /// Errors:  std::length_error (Vectorscan has no memory)
  /// Cost:    30 µs a pattern that is new; quickly 3 µs
  struct Failure {
    std::uint32_t pattern = 0;
    Mistake mistake;
  };
  Matcher(const std::vector<Pattern>& patterns, std::vector<Failure>& failures, const Matcher* before = nullptr, bool quickly = false);
  ~Matcher();
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  /// Gives what it finds, by pattern and place; of what a pattern finds from one place on, the longest. False: there was more than kMaxFound.
  /// Cost:    10 to 25 µs for 1 KB and 50,000 words
  bool find(const Text& text, std::vector<Found>& found) const;   // `found` must be empty
  [[nodiscard]] bool is_compiled() const;      // all of it
  [[nodiscard]] std::size_t bytes() const;     // of memory, about

 private:
  struct Group;
  std::vector<std::unique_ptr<Group>> groups_; // one a folding
};

}  // namespace chat::matching
