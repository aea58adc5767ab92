#include "platform/outbound/queue.h"

namespace chat::outbound {
namespace {

std::string line_key(const Errand& errand) { return errand.call.tenant + "\n" + errand.host; }

std::size_t count_in(const std::unordered_map<std::string, std::size_t>& counts, const std::string& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

void count_down(std::unordered_map<std::string, std::size_t>& counts, const std::string& key) {
  const auto found = counts.find(key);
  if (--found->second == 0) counts.erase(found);
}

}  // namespace

bool Queue::push(std::unique_ptr<Errand>& errand) {
  if (waiting_ >= options_.max_waiting) return false;
  const std::string key = line_key(*errand);
  auto place = by_key_.find(key);
  if (place == by_key_.end()) place = by_key_.emplace(key, lines_.insert(lines_.end(), Line{key, {}})).first;
  place->second->errands.push_back(std::move(errand));
  ++waiting_;
  return true;
}

bool Queue::may_start(const Errand& errand) const {
  return count_in(active_by_host_, errand.host) < options_.max_active_per_host &&
         count_in(active_by_tenant_, errand.call.tenant) < options_.max_active_per_tenant;
}

std::unique_ptr<Errand> Queue::next() {
  if (active_ >= options_.max_active) return nullptr;
  for (auto line = lines_.begin(); line != lines_.end(); ++line) {
    if (!may_start(*line->errands.front())) continue;
    auto errand = std::move(line->errands.front());
    line->errands.pop_front();
    lines_.splice(lines_.end(), lines_, line);       // its turn is over
    drop_if_empty(line);
    --waiting_;
    ++active_;
    ++active_by_host_[errand->host];
    ++active_by_tenant_[errand->call.tenant];
    return errand;
  }
  return nullptr;
}

void Queue::finished(const Errand& errand) {
  --active_;
  count_down(active_by_host_, errand.host);
  count_down(active_by_tenant_, errand.call.tenant);
}

std::vector<std::unique_ptr<Errand>> Queue::take_waiting_since_before(std::chrono::steady_clock::time_point then) {
  std::vector<std::unique_ptr<Errand>> late;
  for (auto line = lines_.begin(); line != lines_.end();) {
    const auto current = line++;
    while (!current->errands.empty() && current->errands.front()->waits_since < then) {
      late.push_back(std::move(current->errands.front()));
      current->errands.pop_front();
      --waiting_;
    }
    drop_if_empty(current);
  }
  return late;
}

void Queue::drop_if_empty(std::list<Line>::iterator line) {
  if (!line->errands.empty()) return;
  by_key_.erase(line->key);
  lines_.erase(line);
}

}  // namespace chat::outbound
