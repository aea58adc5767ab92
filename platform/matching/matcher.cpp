#include "platform/matching/matcher.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
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
  struct Literal {
    std::uint32_t size, first_rule;
  };
  std::vector<Literal> literals;               // and one more, for its first rule; empty: regular expressions
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

/// What each literal of the shard stands for now; some may stand for nothing any more.
Part part_of(std::shared_ptr<const Shard> shard, const Literals& literals) {
  Part part;
  for (const auto& text : shard->literals()) {
    part.literals.push_back({static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(part.rules.size())});
    if (const auto found = literals.find(text); found != literals.end()) part.rules.insert(part.rules.end(), found->second.begin(), found->second.end());
  }
  part.literals.push_back({0, static_cast<std::uint32_t>(part.rules.size())});
  part.shard = std::move(shard);
  return part;
}

using Shards = std::vector<std::shared_ptr<const Shard>>;

/// What is among `literals` and in none of the shards, sorted.
std::vector<std::string> find_rest(const Literals& literals, const Shards& shards) {
  std::vector<std::string> rest;
  for (const auto& [text, rules] : literals) {
    const auto holds = [&text = text](const auto& shard) { return std::ranges::binary_search(shard->literals(), text); };
    if (std::ranges::none_of(shards, holds)) rest.push_back(text);
  }
  return rest;
}

/// Whether enough of the shards is left that they may stay.
bool is_worth_keeping(const Shards& shards, const Literals& literals) {
  std::size_t held = 0;
  for (const auto& shard : shards) held += shard->literals().size();
  return held > Matcher::kMaxQuick && held <= 2 * literals.size();
}

Shards shards_of(const Literals& literals) {
  const auto count = (literals.size() + Matcher::kPatternsPerShard - 1) / Matcher::kPatternsPerShard;
  std::vector<std::vector<std::string>> members(count);
  for (const auto& [text, rules] : literals) members[std::hash<std::string>{}(text) % count].push_back(text);
  Shards shards;
  for (const auto& some : members)
    if (!some.empty()) shards.push_back(Shard::of_literals(some));
  return shards;
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
  Borders& borders;
};

/// Whether bytes from..to are whole code points of the original.
bool is_whole(const Folded& folded, std::size_t from, std::size_t to) {
  const auto& source = folded.source;
  return (from == 0 || source[from - 1] != source[from]) && (to == source.size() || source[to - 1] != source[to]);
}

bool holds(Scene& scene, const Rule& rule, std::size_t from, std::size_t to) {
  const std::string_view bytes = scene.folded.bytes;
  const auto start = scene.folded.source[from], end = scene.folded.source[to - 1] + 1;
  switch (rule.kind) {
    case Kind::words:
      return (rule.open_start || begins_word(scene.text, scene.folded, scene.folding, scene.borders, start, point_at(bytes, from))) &&
             (rule.open_end || ends_word(scene.text, scene.folded, scene.folding, scene.borders, end, point_before(bytes, to)));
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
  Shards base = {};                            // of literals: compiled once, for this matcher or one before it
  std::vector<Part> parts = {};
  bool waits = false;                          // more is to be compiled

  void add_literals(const Literals& literals, const Group* before, bool quickly);
  bool find(const Text& text, Borders& borders, std::vector<Found>& found, std::size_t limit) const;
};

void Matcher::Group::add_literals(const Literals& literals, const Group* before, bool quickly) {
  if (literals.empty()) return;
  const Shards held = before ? before->base : Shards{};
  auto rest = find_rest(literals, held);
  const bool is_little = rest.size() <= kMaxDelta && is_worth_keeping(held, literals);
  waits = quickly && (is_little ? rest.size() : literals.size()) > kMaxQuick;
  if (is_little || waits) {
    base = held;
  } else {
    base = shards_of(literals);
    rest.clear();
  }
  for (const auto& shard : base) parts.push_back(part_of(shard, literals));
  if (!rest.empty()) parts.push_back(part_of(waits ? Shard::of_plain_literals(std::move(rest)) : Shard::of_literals(rest), literals));
}

Matcher::Matcher(const std::vector<Pattern>& patterns, std::vector<Failure>& failures, const Matcher* before, bool quickly) {
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
    auto group = std::make_unique<Group>(Group{from.folding});
    const auto same = [&from = from](const auto& one) { return one->folding == from.folding; };
    const auto old = before ? std::ranges::find_if(before->groups_, same) : groups_.end();
    group->add_literals(from.literals, before && old != before->groups_.end() ? old->get() : nullptr, quickly);
    if (!from.expressions.empty()) {
      std::vector<Shard::Failure> failed;
      Part part{Shard::of_regexes(from.expressions, from.folding.letter_case, failed), {}, std::move(from.rules)};
      for (auto& one : failed) failures.push_back({part.rules[one.expression].pattern, std::move(one.mistake)});
      if (part.shard) group->parts.push_back(std::move(part));
    }
    if (!group->parts.empty()) groups_.push_back(std::move(group));
  }
}

Matcher::~Matcher() = default;

bool Matcher::Group::find(const Text& text, Borders& borders, std::vector<Found>& found, std::size_t limit) const {
  const auto folded = fold(text, folding);
  Scene scene{text, folded, folding, borders};
  bool all = true;
  for (const auto& part : parts) {
    part.shard->scan(folded.bytes, [&](std::uint32_t pattern, std::size_t from, std::size_t to) {
      const bool literal = !part.literals.empty();
      if (literal) from = to - part.literals[pattern].size;
      if (from == to || !is_whole(folded, from, to)) return true;
      const auto begin = literal ? part.literals[pattern].first_rule : pattern, end = literal ? part.literals[pattern + 1].first_rule : pattern + 1;
      for (auto i = begin; i < end; ++i) {
        const auto& rule = part.rules[i];
        if (!holds(scene, rule, from, to)) continue;
        all = found.size() < limit;
        if (!all) return false;
        found.push_back({rule.pattern, folded.source[from], folded.end_of(to - 1)});
      }
      return true;
    });
  }
  return all;
}

bool Matcher::find(const Text& text, std::vector<Found>& found) const {
  bool all = true;
  Borders borders(text);
  for (const auto& group : groups_) all = group->find(text, borders, found, kMaxFound) && all;
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

bool Matcher::is_compiled() const {
  return std::ranges::none_of(groups_, [](const auto& group) { return group->waits; });
}

std::size_t Matcher::bytes() const {
  std::size_t sum = 0;
  for (const auto& group : groups_)
    for (const auto& part : group->parts) sum += part.shard->bytes() + part.rules.size() * sizeof(Rule) + part.literals.size() * sizeof(Part::Literal);
  return sum;
}

}  // namespace chat::matching
