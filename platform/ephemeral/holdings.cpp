#include "platform/ephemeral/holdings.h"

#include <algorithm>
#include <utility>

namespace chat::ephemeral {

std::string Holdings::text_of(const Key& key) {
  std::string text(reinterpret_cast<const char*>(key.app.uuid.bytes.data()), key.app.uuid.bytes.size());
  return text.append(key.space.word).append(1, '\0').append(key.name);
}

const Holdings::Thing* Holdings::thing_of(const Key& key) const {
  const auto found = things_.find(text_of(key));
  return found == things_.end() ? nullptr : &found->second;
}

Holdings::Held Holdings::hold(const Key& key, std::string_view member, std::string_view value, Timestamp until) {
  auto text = text_of(key);
  auto place = things_.find(text);
  if (place != things_.end()) {
    auto& holds = place->second.holds;
    if (const auto held = holds.find(member); held != holds.end()) {
      auto node = by_end_.extract(held->second.by_end);
      node.key() = until;
      held->second.by_end = by_end_.insert(std::move(node));
      return {true, std::exchange(held->second.value, std::string(value)), true};
    }
  }
  if (by_end_.size() >= bounds_.max_holds) return {false, "", false};
  if (place == things_.end()) place = things_.emplace(std::move(text), Thing{key, {}}).first;
  const auto added = place->second.holds.emplace(std::string(member), Hold{std::string(value), {}}).first;
  added->second.by_end = by_end_.emplace(until, Place{&place->second, added->first});
  return {true, "", false};
}

void Holdings::erase(Thing& thing, std::map<std::string, Hold, std::less<>>::iterator hold) {
  by_end_.erase(hold->second.by_end);
  thing.holds.erase(hold);
  if (thing.holds.empty()) things_.erase(text_of(thing.key));
}

std::optional<std::string> Holdings::release(const Key& key, std::string_view member) {
  const auto place = things_.find(text_of(key));
  if (place == things_.end()) return std::nullopt;
  const auto held = place->second.holds.find(member);
  if (held == place->second.holds.end()) return std::nullopt;
  std::string value = std::move(held->second.value);
  erase(place->second, held);
  return value;
}

std::vector<Holder> Holdings::holders(const Key& key, Timestamp now) const {
  std::vector<std::pair<Timestamp, Holder>> found;
  if (const Thing* thing = thing_of(key))
    for (const auto& [member, hold] : thing->holds)
      if (hold.by_end->first > now) found.emplace_back(hold.by_end->first, Holder{member, hold.value});
  if (found.size() > Store::kMaxHolders) {
    std::ranges::nth_element(found, found.begin() + Store::kMaxHolders, std::greater{}, [](const auto& one) { return one.first; });
    found.resize(Store::kMaxHolders);
    std::ranges::sort(found, {}, [](const auto& one) { return one.second.member; });
  }
  std::vector<Holder> holders;
  holders.reserve(found.size());
  for (auto& one : found) holders.push_back(std::move(one.second));
  return holders;
}

std::size_t Holdings::count(const Key& key, Timestamp now) const {
  const Thing* thing = thing_of(key);
  if (thing == nullptr) return 0;
  return static_cast<std::size_t>(std::ranges::count_if(thing->holds, [&](const auto& one) { return one.second.by_end->first > now; }));
}

std::optional<std::pair<std::string, Timestamp>> Holdings::find(const Key& key, std::string_view member) const {
  const Thing* thing = thing_of(key);
  if (thing == nullptr) return std::nullopt;
  const auto held = thing->holds.find(member);
  if (held == thing->holds.end()) return std::nullopt;
  return std::pair(held->second.value, held->second.by_end->first);
}

void Holdings::remember_lapse(const Thing& thing, std::string_view member) {
  if (!thing.key.space.tells_lapses) return;
  auto& lapsed = lapsed_[std::string(thing.key.space.word)];
  if (lapsed.size() >= bounds_.max_lapsed) lapsed.pop_front();
  lapsed.push_back({thing.key.app, thing.key.name, std::string(member)});
}

void Holdings::sweep(Timestamp now, std::size_t most) {
  for (; most > 0 && !by_end_.empty() && by_end_.begin()->first <= now; --most) {
    const Place place = by_end_.begin()->second;
    remember_lapse(*place.thing, place.member);
    erase(*place.thing, place.thing->holds.find(place.member));
  }
}

std::vector<Lapsed> Holdings::take_lapsed(Space space, std::size_t most) {
  std::vector<Lapsed> taken;
  const auto place = lapsed_.find(space.word);
  if (place == lapsed_.end()) return taken;
  auto& waiting = place->second;
  const auto last = waiting.begin() + static_cast<std::ptrdiff_t>(std::min(most, waiting.size()));
  taken.assign(std::make_move_iterator(waiting.begin()), std::make_move_iterator(last));
  waiting.erase(waiting.begin(), last);
  return taken;
}

void Holdings::for_each(const Each& tell) const {
  for (const auto& [text, thing] : things_)
    for (const auto& [member, hold] : thing.holds) tell(thing.key, {member, hold.value}, hold.by_end->first);
}

}  // namespace chat::ephemeral
