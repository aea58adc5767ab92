#include "platform/matching/matcher.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <map>
#include <tuple>

#include "platform/matching/shard.h"
#include "platform/matching/words.h"

namespace chat::matching {
namespace {

/// How a literal's place in the text is proved.
struct Rule {
  std::uint32_t pattern = 0;
  Kind kind = Kind::words;
  bool open_start = false, open_end = false;
};

struct Part {
  std::shared_ptr<const Shard> shard;
  std::vector<std::uint32_t> sizes;            // of each literal; empty: regular expressions
  std::vector<std::uint32_t> first;            // of each literal's rules; one more: the end
  std::vector<Rule> rules;
};

using Literals = std::map<std::string, std::vector<Rule>>;

void add_words(Literals& literals, const Pattern& pattern, Rule rule) {
  auto core = pattern.text;
  rule.open_start = core.starts_with('*');
  if (rule.open_start) core.remove_prefix(1);
  rule.open_end = core.ends_with('*');
  if (rule.open_end) core.remove_suffix(1);
  auto literal = fold(core, pattern.folding).bytes;
  while (literal.starts_with(' ')) literal.erase(0, 1);
  while (literal.ends_with(' ')) literal.pop_back();
  if (!literal.empty()) literals[literal].push_back(rule);
}

void add_hosts(Literals& literals, const Pattern& pattern, const Rule& rule) {
  const auto sign = pattern.text.rfind('@');
  const auto user = sign == std::string_view::npos ? std::string_view() : pattern.text.substr(0, sign + 1);
  for (const auto& host : forms_of_host(pattern.text.substr(user.size()))) literals[fold(std::string(user) + host, pattern.folding).bytes].push_back(rule);
}

Part part_of(const std::vector<const Literals::value_type*>& members) {
  Part part;
  std::vector<std::string> texts;
  for (const auto* member : members) {
    texts.push_back(member->first);
    part.sizes.push_back(static_cast<std::uint32_t>(member->first.size()));
    part.first.push_back(static_cast<std::uint32_t>(part.rules.size()));
    part.rules.insert(part.rules.end(), member->second.begin(), member->second.end());
  }
  part.first.push_back(static_cast<std::uint32_t>(part.rules.size()));
  part.shard = Shard::of_literals(texts);
  return part;
}

std::vector<Part> parts_of(const Literals& literals) {
  const auto count = std::bit_ceil((literals.size() + Matcher::kPatternsPerShard - 1) / Matcher::kPatternsPerShard);
  std::vector<std::vector<const Literals::value_type*>> members(count);
  for (const auto& literal : literals) members[std::hash<std::string>{}(literal.first) % count].push_back(&literal);
  std::vector<Part> parts;
  for (const auto& some : members)
    if (!some.empty()) parts.push_back(part_of(some));
  return parts;
}

bool is_host_letter(char32_t point) { return point == '-' || point == '_' || is_word(point); }
bool is_mailbox_letter(char32_t point) { return is_host_letter(point) || point == '.' || point == '+' || point == '%'; }

/// Behind a host there is neither more of its last name nor another name above it.
bool ends_host(std::string_view bytes, std::size_t to) {
  if (to == bytes.size()) return true;
  const auto next = point_at(bytes, to);
  if (is_host_letter(next)) return false;
  return next != '.' || to + 1 == bytes.size() || !is_host_letter(point_at(bytes, to + 1));
}

struct Scene {
  const Text& text;
  const Folded& folded;
  const Folding& folding;
};

/// Whether bytes from..to are whole code points of the original.
bool is_whole(const Folded& folded, std::size_t from, std::size_t to) {
  const auto& source = folded.source;
  return (from == 0 || source[from - 1] != source[from]) && (to == source.size() || source[to - 1] != source[to]);
}

bool holds(const Scene& scene, const Rule& rule, std::size_t from, std::size_t to) {
  const std::string_view bytes = scene.folded.bytes;
  const auto start = scene.folded.source[from], end = scene.folded.source[to - 1] + 1;
  switch (rule.kind) {
    case Kind::words:
      return (rule.open_start || begins_word(scene.text, scene.folded, scene.folding, start, point_at(bytes, from))) &&
             (rule.open_end || ends_word(scene.text, scene.folded, scene.folding, end, point_before(bytes, to)));
    case Kind::domain: return (from == 0 || !is_host_letter(point_before(bytes, from))) && ends_host(bytes, to);
    case Kind::email:
      return (from == 0 || bytes[from] == '@' || !is_mailbox_letter(point_before(bytes, from))) && ends_host(bytes, to);
    case Kind::regex: return true;
  }
  return false;
}

}  // namespace

struct Matcher::Group {
  Folding folding;
  std::vector<Part> parts;

  bool find(const Text& text, std::vector<Found>& found, std::size_t limit) const;
};

Matcher::Matcher(const std::vector<Pattern>& patterns, std::vector<Failure>& failures) {
  struct Gathered {
    Folding folding;
    Literals literals;
    std::vector<std::string> expressions;
    std::vector<Rule> rules;
  };
  std::map<std::uint16_t, Gathered> gathered;
  for (std::uint32_t i = 0; i < patterns.size(); ++i) {
    const auto& pattern = patterns[i];
    auto& group = gathered[pattern.folding.bits()];
    group.folding = pattern.folding;
    const Rule rule{i, pattern.kind};
    if (pattern.kind == Kind::words) add_words(group.literals, pattern, rule);
    else if (pattern.kind != Kind::regex) add_hosts(group.literals, pattern, rule);
    else {
      group.expressions.emplace_back(pattern.text);
      group.rules.push_back(rule);
    }
  }
  for (auto& [bits, from] : gathered) {
    auto group = std::make_unique<Group>(Group{from.folding, parts_of(from.literals)});
    if (!from.expressions.empty()) {
      std::vector<Shard::Failure> failed;
      Part part{Shard::of_regexes(from.expressions, from.folding.letter_case, failed), {}, {}, std::move(from.rules)};
      for (auto& one : failed) failures.push_back({part.rules[one.expression].pattern, std::move(one.mistake)});
      if (part.shard) group->parts.push_back(std::move(part));
    }
    if (!group->parts.empty()) groups_.push_back(std::move(group));
  }
}

Matcher::~Matcher() = default;

bool Matcher::Group::find(const Text& text, std::vector<Found>& found, std::size_t limit) const {
  const auto folded = fold(text, folding);
  const Scene scene{text, folded, folding};
  bool all = true;
  for (const auto& part : parts) {
    part.shard->scan(folded.bytes, [&](std::uint32_t pattern, std::size_t from, std::size_t to) {
      const bool literal = !part.sizes.empty();
      if (literal) from = to - part.sizes[pattern];
      if (from == to || !is_whole(folded, from, to)) return true;
      const auto begin = literal ? part.first[pattern] : pattern, end = literal ? part.first[pattern + 1] : pattern + 1;
      for (auto i = begin; i < end; ++i) {
        const auto& rule = part.rules[i];
        if (!holds(scene, rule, from, to)) continue;
        all = found.size() < limit;
        if (!all) return false;
        found.push_back({rule.pattern, folded.source[from], folded.source[to - 1] + 1});
      }
      return true;
    });
  }
  return all;
}

bool Matcher::find(const Text& text, std::vector<Found>& found) const {
  bool all = true;
  for (const auto& group : groups_) all = group->find(text, found, kMaxFound) && all;
  const auto order = [](const Found& a, const Found& b) { return std::tie(a.pattern, a.start, a.end) < std::tie(b.pattern, b.start, b.end); };
  std::sort(found.begin(), found.end(), order);
  std::size_t kept = 0;                        // of what a pattern finds from one place on, the longest
  for (const auto& one : found) {
    if (kept > 0 && found[kept - 1].pattern == one.pattern && found[kept - 1].start == one.start) --kept;
    found[kept++] = one;
  }
  found.resize(kept);
  return all;
}

std::size_t Matcher::bytes() const {
  std::size_t sum = 0;
  for (const auto& group : groups_)
    for (const auto& part : group->parts) sum += part.shard->bytes() + part.rules.size() * sizeof(Rule) + (part.sizes.size() + part.first.size()) * 4;
  return sum;
}

}  // namespace chat::matching
