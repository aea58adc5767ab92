#include "platform/chat/blocklists/rules.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <tuple>

#include "platform/base/json.h"

namespace chat::blocklists {
namespace {

using List = std::shared_ptr<const LoadedList>;

std::string mistake_json(std::string_view entry, const matching::Mistake& mistake) {
  json::Writer out;
  return out.object().field("entry", entry).field("detail", mistake.detail).field("at", static_cast<std::int64_t>(mistake.at)).end().take();
}

bool judges_links(const LoadedList& list) { return list.list.kind == "domain" || list.list.kind == "email"; }

/// As many code points, each a star.
std::string masked(const matching::Text& text, const std::vector<std::pair<std::uint32_t, std::uint32_t>>& places) {
  std::string out;
  std::uint32_t at = 0;
  for (const auto& [start, end] : places) {
    if (end <= at) continue;
    const auto from = std::max(start, at);
    out += text.bytes.substr(text.offsets[at], text.offsets[from] - text.offsets[at]);
    out.append(end - from, '*');
    at = end;
  }
  return out + std::string(text.bytes.substr(text.offsets[at]));
}

std::vector<matching::Pattern> patterns_of(const LoadedList& list) {
  std::vector<matching::Pattern> patterns;
  patterns.reserve(list.size());
  for (std::uint32_t entry = 0; entry < list.size(); ++entry) patterns.push_back({list.entry(entry), kind_of(list.list), folding_of(list.list)});
  return patterns;
}

/// The operator's lists, each compiled once for all applications of this process.
class SharedMatchers {
 public:
  struct Made {
    std::shared_ptr<const matching::Matcher> matcher;
    std::vector<matching::Matcher::Failure> failures;
  };
  Made of(const LoadedList& list, bool quickly) {
    std::shared_ptr<const matching::Matcher> before;
    {
      const std::lock_guard lock(mutex_);
      const auto found = kept_.find(list.list.id);
      if (found != kept_.end()) before = found->second.matcher.lock();
      if (before && found->second.version == list.list.version && (quickly || before->is_compiled())) return {before, found->second.failures};
    }
    Made made;
    made.matcher = std::make_shared<const matching::Matcher>(patterns_of(list), made.failures, before.get(), quickly);
    const std::lock_guard lock(mutex_);
    std::erase_if(kept_, [](const auto& one) { return one.second.matcher.expired(); });
    auto& kept = kept_[list.list.id];
    const bool is_newer = kept.matcher.expired() || kept.version < list.list.version || (kept.version == list.list.version && !quickly);
    if (is_newer) kept = {list.list.version, made.matcher, made.failures};
    return made;
  }

 private:
  struct Kept {
    std::int64_t version = 0;
    std::weak_ptr<const matching::Matcher> matcher;
    std::vector<matching::Matcher::Failure> failures;
  };
  std::mutex mutex_;
  std::map<BlockListId, Kept> kept_;
};
SharedMatchers& shared_matchers() {
  static SharedMatchers one;
  return one;
}

}  // namespace

Rules::Rules(Loaded loaded, const Rules* before)
    : own_version_(loaded.own_version), shared_version_(loaded.shared_version), loaded_(loaded.lists), lists_(std::move(loaded.lists)) {
  compile(before);
  place(loaded.uses);
}

std::vector<matching::Pattern> Rules::gather_own() {
  origins_.clear();
  std::vector<matching::Pattern> patterns;
  for (std::uint32_t i = 0; i < lists_.size(); ++i) {
    if (lists_[i]->shared) continue;
    for (std::uint32_t entry = 0; entry < lists_[i]->size(); ++entry) origins_.push_back({i, entry});
    const auto some = patterns_of(*lists_[i]);
    patterns.insert(patterns.end(), some.begin(), some.end());
  }
  return patterns;
}

/// Says that a list holds what can't be compiled. True: it was put back to what it was before.
bool Rules::put_back(std::uint32_t list, std::uint32_t entry, const matching::Mistake& mistake, const Rules* before) {
  const bool is_said = std::ranges::any_of(mistaken_, [&](const Mistaken& one) { return one.list == loaded_[list]; });
  if (is_said) return false;
  mistaken_.push_back({loaded_[list], mistake_json(lists_[list]->entry(entry), mistake)});
  if (!before) return false;
  const auto old = std::ranges::find_if(before->lists_, [&](const List& one) { return one->list.id == lists_[list]->list.id; });
  if (old == before->lists_.end() || *old == lists_[list]) return false;
  lists_[list] = *old;
  return true;
}

void Rules::compile(const Rules* before) {
  for (bool again = true; again;) {
    again = false;
    std::vector<matching::Matcher::Failure> failures;
    matcher_ = std::make_shared<const matching::Matcher>(gather_own(), failures, before ? before->matcher_.get() : nullptr, true);
    for (const auto& failure : failures) {
      const auto origin = origins_[failure.pattern];
      again = put_back(origin.list, origin.entry, failure.mistake, before) || again;
    }
  }
  for (std::uint32_t i = 0; i < lists_.size(); ++i)
    if (lists_[i]->shared && lists_[i]->list.kind != "ip") compile_shared(i, before);
}

void Rules::compile_shared(std::uint32_t list, const Rules* before) {
  auto made = shared_matchers().of(*lists_[list], true);
  bool again = false;
  for (const auto& failure : made.failures) again = again || put_back(list, failure.pattern, failure.mistake, before);
  if (again) made = shared_matchers().of(*lists_[list], true);
  shared_.push_back({list, std::move(made.matcher)});
}

bool Rules::is_compiled() const {
  return matcher_->is_compiled() && std::ranges::all_of(shared_, [](const Shared& one) { return one.matcher->is_compiled(); });
}

std::shared_ptr<const Rules> Rules::compiled(const Rules* before) const {
  auto whole = std::make_shared<Rules>(*this);
  std::vector<matching::Matcher::Failure> failures;   // they are said already
  const auto& held = before ? *before : *this;
  if (!matcher_->is_compiled()) whole->matcher_ = std::make_shared<const matching::Matcher>(whole->gather_own(), failures, held.matcher_.get());
  for (auto& one : whole->shared_) one.matcher = shared_matchers().of(*lists_[one.list], false).matcher;
  return whole;
}

void Rules::place(const std::vector<Use>& uses) {
  std::unordered_map<std::string, std::uint32_t> by_name;
  for (std::uint32_t i = 0; i < lists_.size(); ++i) by_name[lists_[i]->name()] = i;
  for (const auto& use : uses) {
    uses_shared_ = uses_shared_ || use.list.starts_with(kShared);
    const auto found = by_name.find(use.list);
    if (found == by_name.end()) continue;
    const auto& list = *lists_[found->second];
    judges_addresses_ = judges_addresses_ || list.list.kind == "ip";
    const auto scope = use.channel_id.empty() ? use.channel_type : use.channel_type + ":" + use.channel_id;
    uses_[scope].push_back({found->second, use.behaviour.value_or(list.list.behaviour), use.server_calls.value_or(list.list.server_calls)});
  }
}

Rules::Holdings Rules::holding(const Asked& asked, bool everywhere) const {
  Holdings holdings(lists_.size());
  if (everywhere)
    for (std::size_t i = 0; i < lists_.size(); ++i) holdings[i] = lists_[i]->list.behaviour;
  // The nearer place comes later and decides.
  for (const std::string_view scope : {std::string_view(), asked.channel_type, asked.cid}) {
    if (scope.empty() && scope.data() != nullptr) continue;
    const auto found = uses_.find(std::string(scope));
    if (found == uses_.end()) continue;
    for (const auto& one : found->second) {
      holdings[one.list].reset();
      if (asked.by_server && !one.server_calls && !everywhere) continue;
      if (asked.profile && !lists_[one.list]->list.profiles) continue;
      holdings[one.list] = one.behaviour;
    }
  }
  return holdings;
}

/// Of those that lead to something here.
std::optional<std::uint32_t> Rules::most_severe(const Holdings& holdings) const {
  std::optional<std::uint32_t> worst;
  for (std::uint32_t i = 0; i < lists_.size(); ++i)
    if (holdings[i] && !lists_[i]->list.allows && lists_[i]->list.kind != "ip" && (!worst || *holdings[i] > *holdings[*worst])) worst = i;
  return worst;
}

/// By place. False: there was more than is looked at.
bool Rules::find_hits(const Asked::Text& asked, std::size_t place, const matching::Text& text, const Holdings& holdings, Timestamp now, std::vector<Hit>& hits) const {
  std::uint32_t seen = 0;                      // up to here
  const auto add = [&](const matching::Found& one, std::uint32_t of, std::uint32_t entry) {
    const auto& list = *lists_[of];
    seen = std::max(seen, one.start);
    if (!holdings[of] || list.is_over(entry, now) || (asked.links_only && !judges_links(list))) return;
    hits.push_back({place, one.start, one.end, list.name(), std::string(list.entry(entry)), *holdings[of], list.list.allows, false});
  };
  std::vector<matching::Found> found;
  bool all = matcher_->find(text, found);
  for (const auto& one : found) add(one, origins_[one.pattern].list, origins_[one.pattern].entry);
  for (const auto& one : shared_) {
    if (!holdings[one.list]) continue;
    found.clear();
    all = one.matcher->find(text, found) && all;
    for (const auto& each : found) add(each, one.list, each.pattern);
  }
  // What is not looked at any more counts as a find of the list that is most severe here: nobody hides behind thousands of finds.
  if (const auto worst = all ? std::nullopt : most_severe(holdings))
    hits.push_back({place, seen, static_cast<std::uint32_t>(text.points.size()), lists_[*worst]->name(), "", *holdings[*worst], false, false});
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return std::tie(a.start, a.end) < std::tie(b.start, b.end); });
  return all;
}

void Rules::find(const Asked::Text& asked, std::size_t place, const Holdings& holdings, Timestamp now, Judgement& judgement) const {
  const matching::Text text(asked.text);
  std::vector<Hit> hits;
  const bool all = find_hits(asked, place, text, holdings, now, hits);
  std::uint32_t free_until = 0;                // an allowing find that began reaches so far
  auto next = hits.begin();
  std::vector<std::pair<std::uint32_t, std::uint32_t>> stars;
  for (auto& hit : hits) {
    for (; next != hits.end() && next->start <= hit.start; ++next)
      if (next->allows && all) free_until = std::max(free_until, next->end);
    if (hit.allows) continue;
    hit.allowed = hit.end <= free_until;
    if (hit.allowed) continue;
    judgement.behaviour = std::max(judgement.behaviour.value_or(hit.behaviour), hit.behaviour);
    if (hit.behaviour == Behaviour::mask) stars.emplace_back(hit.start, hit.end);
  }
  if (!stars.empty()) judgement.masked[place] = masked(text, stars);
  judgement.hits.insert(judgement.hits.end(), std::make_move_iterator(hits.begin()), std::make_move_iterator(hits.end()));
}

bool Rules::concern(const Asked& asked) const {
  const auto holdings = holding(asked, false);
  return most_severe(holdings).has_value();
}

Judgement Rules::judge(const Asked& asked, Timestamp now, bool everywhere) const {
  Judgement judgement;
  judgement.masked.resize(asked.texts.size());
  const auto holdings = holding(asked, everywhere);
  if (std::ranges::none_of(holdings, [](const auto& one) { return one.has_value(); })) return judgement;
  for (std::size_t i = 0; i < asked.texts.size(); ++i)
    if (!asked.texts[i].text.empty()) find(asked.texts[i], i, holdings, now, judgement);
  return judgement;
}

bool Rules::refuses(const outbound::Address& address, bool by_server, Timestamp now) const {
  const auto everywhere = uses_.find("");
  if (!judges_addresses_ || everywhere == uses_.end()) return false;
  bool refused = false;
  for (const auto& one : everywhere->second) {
    const auto& list = *lists_[one.list];
    if (list.list.kind != "ip" || (by_server && !one.server_calls) || !list.networks().hold(address, now)) continue;
    if (list.list.allows) return false;
    refused = true;
  }
  return refused;
}

std::size_t Rules::bytes() const {
  std::size_t sum = sizeof(Rules) + matcher_->bytes() + origins_.capacity() * sizeof(Origin);
  for (const auto& list : loaded_)
    if (!list->shared) sum += list->bytes();
  return sum;
}

}  // namespace chat::blocklists
