#include "platform/chat/blocklists/loaded.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "platform/chat/blocklists/blocklists.sql.h"
#include "platform/storage/pool.h"

namespace chat::blocklists {
namespace {

using Known = std::vector<std::shared_ptr<const LoadedList>>;

std::int64_t version_of(storage::Transaction& tx) {
  const auto rows = tx.find(sql::block_list_version, tx.app());
  return rows ? (*rows)[0].integer(0) : 0;
}

std::shared_ptr<const LoadedList> load(storage::Transaction& tx, const BlockList& list, bool shared, const Known& known) {
  const auto same = std::ranges::find_if(known, [&](const auto& one) { return one->list.id == list.id && one->list.version == list.version; });
  if (same != known.end()) return *same;
  return std::make_shared<const LoadedList>(list, shared, tx.query(sql::load_entries, tx.app(), list.id));
}

/// The operator's lists that somebody of this process holds: all who use one hold the same.
class Held {
 public:
  Known all() {
    const std::lock_guard lock(mutex_);
    Known known;
    std::erase_if(lists_, [](const auto& one) { return one.expired(); });
    for (const auto& one : lists_)
      if (auto list = one.lock()) known.push_back(std::move(list));
    return known;
  }
  void keep(const std::shared_ptr<const LoadedList>& list) {
    const std::lock_guard lock(mutex_);
    const auto is_it = [&list](const auto& one) { return one.lock() == list; };
    if (std::ranges::none_of(lists_, is_it)) lists_.push_back(list);
  }

 private:
  std::mutex mutex_;
  std::vector<std::weak_ptr<const LoadedList>> lists_;
};
Held& held() {
  static Held one;
  return one;
}

void load_uses(storage::Transaction& tx, Loaded& loaded) {
  loaded.uses = list_uses(tx, std::nullopt);
  auto rows = tx.query(sql::list_type_uses, tx.app());
  for (auto row : rows) {
    Use use;
    use.list = row.text(1);
    use.channel_type = row.text(0);
    const auto said = std::ranges::find_if(loaded.uses, [&](const Use& one) {
      return one.list == use.list && one.channel_type == use.channel_type && one.channel_id.empty();
    });
    if (said == loaded.uses.end()) loaded.uses.push_back(std::move(use));
  }
}

std::set<std::string> shared_names(const Loaded& loaded) {
  std::set<std::string> names;
  for (const auto& use : loaded.uses)
    if (use.list.starts_with(kShared)) names.insert(use.list.substr(kShared.size()));
  return names;
}

}  // namespace

LoadedList::LoadedList(BlockList one, bool is_shared, const storage::Rows& entries) : list(std::move(one)), shared(is_shared) {
  ends_.reserve(static_cast<std::size_t>(entries.size()));
  for (auto row : entries) {
    const auto over = row.optional_time(1);
    if (list.kind == "ip") {
      if (const auto network = network_of(row.text(0))) networks_.add(*network, over);
      continue;
    }
    if (over) over_.resize(ends_.size(), Timestamp::max());
    if (over || !over_.empty()) over_.push_back(over.value_or(Timestamp::max()));
    texts_ += row.text(0);
    ends_.push_back(static_cast<std::uint32_t>(texts_.size()));
  }
}

std::size_t LoadedList::bytes() const { return texts_.capacity() + ends_.capacity() * 4 + over_.capacity() * sizeof(Timestamp) + networks_.bytes(); }

Loaded load_lists(storage::Connection& connection, AppId app, const Known& known) {
  Loaded loaded;
  connection.transact(app, storage::Mode::read, [&](storage::Transaction& tx) {
    loaded = Loaded{};
    loaded.own_version = version_of(tx);       // first: what changes while this reads makes it old
    if (loaded.own_version == 0) return;
    for (const auto& list : list_block_lists(tx)) loaded.lists.push_back(load(tx, list, false, known));
    load_uses(tx, loaded);
  });
  const auto names = shared_names(loaded);
  if (names.empty()) return loaded;
  const auto own = loaded.lists.size();
  const auto held_now = held().all();
  connection.transact(AppId{}, storage::Mode::read, [&](storage::Transaction& tx) {
    loaded.lists.resize(own);
    loaded.shared_version = version_of(tx);
    for (const auto& list : list_block_lists(tx))
      if (names.contains(list.name)) loaded.lists.push_back(load(tx, list, true, held_now));
  });
  for (std::size_t i = own; i < loaded.lists.size(); ++i) held().keep(loaded.lists[i]);
  return loaded;
}

}  // namespace chat::blocklists
