#include "platform/chat/blocklists/rules.h"

#include <algorithm>
#include <set>
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

bool within(const Hit& inner, const Hit& outer) { return inner.text == outer.text && outer.start <= inner.start && inner.end <= outer.end; }

}  // namespace

Rules::Rules(Loaded loaded, const Rules* before)
    : own_version_(loaded.own_version), shared_version_(loaded.shared_version), loaded_(loaded.lists), lists_(std::move(loaded.lists)) {
  compile(before);
  place(loaded.uses);
}

void Rules::compile(const Rules* before) {
  std::set<std::uint32_t> failed;              // lists that were put back already
  for (;;) {
    origins_.clear();
    std::vector<matching::Pattern> patterns;
    for (std::uint32_t i = 0; i < lists_.size(); ++i) {
      const auto& list = *lists_[i];
      for (std::uint32_t entry = 0; entry < list.size(); ++entry) {
        patterns.push_back({list.entry(entry), kind_of(list.list), folding_of(list.list)});
        origins_.push_back({i, entry});
      }
    }
    std::vector<matching::Matcher::Failure> failures;
    matcher_ = std::make_unique<const matching::Matcher>(patterns, failures, before ? before->matcher_.get() : nullptr);
    bool again = false;
    for (const auto& failure : failures) {
      const auto origin = origins_[failure.pattern];
      if (!failed.insert(origin.list).second) continue;
      mistaken_.push_back({loaded_[origin.list], mistake_json(lists_[origin.list]->entry(origin.entry), failure.mistake)});
      if (!before) continue;
      const auto old = std::ranges::find_if(before->lists_, [&](const List& one) { return one->list.id == lists_[origin.list]->list.id; });
      if (old == before->lists_.end() || *old == lists_[origin.list]) continue;
      lists_[origin.list] = *old;
      again = true;
    }
    if (!again) return;
  }
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

void Rules::find(const Asked::Text& asked, std::size_t place, const Holdings& holdings, Timestamp now, Judgement& judgement) const {
  const matching::Text text(asked.text);
  std::vector<matching::Found> found;
  const bool all = matcher_->find(text, found);
  const auto first = judgement.hits.size();
  for (const auto& one : found) {
    const auto origin = origins_[one.pattern];
    const auto& list = *lists_[origin.list];
    if (!holdings[origin.list] || list.is_over(origin.entry, now) || (asked.links_only && !judges_links(list))) continue;
    judgement.hits.push_back({place, one.start, one.end, list.name(), std::string(list.entry(origin.entry)), *holdings[origin.list], list.list.allows, false});
  }
  const auto begin = judgement.hits.begin() + static_cast<std::ptrdiff_t>(first);
  std::sort(begin, judgement.hits.end(), [](const Hit& a, const Hit& b) { return std::tie(a.start, a.end) < std::tie(b.start, b.end); });
  std::vector<Hit> free;
  std::copy_if(begin, judgement.hits.end(), std::back_inserter(free), [](const Hit& hit) { return hit.allows; });
  std::vector<std::pair<std::uint32_t, std::uint32_t>> stars;
  for (auto hit = begin; hit != judgement.hits.end(); ++hit) {
    if (hit->allows) continue;
    hit->allowed = std::ranges::any_of(free, [&](const Hit& one) { return within(*hit, one); });
    if (hit->allowed) continue;
    judgement.behaviour = std::max(judgement.behaviour.value_or(hit->behaviour), hit->behaviour);
    if (hit->behaviour == Behaviour::mask) stars.emplace_back(hit->start, hit->end);
  }
  // More was found than is looked at: nothing behind the last find goes unmasked.
  if (!all && !stars.empty()) stars.emplace_back(stars.back().first, static_cast<std::uint32_t>(text.points.size()));
  if (!stars.empty()) judgement.masked[place] = masked(text, stars);
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
  for (const auto& list : loaded_) sum += list->bytes();
  return sum;
}

}  // namespace chat::blocklists
