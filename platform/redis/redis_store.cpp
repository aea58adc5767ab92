#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

#include "platform/base/metrics.h"
#include "platform/ephemeral/holdings.h"
#include "platform/redis/link.h"

namespace chat::redis {
namespace {

using ephemeral::Holder;
using ephemeral::Key;
using ephemeral::Lapsed;
using ephemeral::Space;
using ephemeral::Store;

constexpr std::chrono::milliseconds kDeadline{100};      // of a question
constexpr std::chrono::milliseconds kJobDeadline{1'000};
constexpr std::size_t kSwept = 16;
constexpr std::size_t kRestoredAtOnce = 200;

/// What stands in Redis:
///   <prefix>hold:<app>:<space>:<name>   sorted set: member NUL node NUL value, by its end (ms, Redis' clock)
///   <prefix>due:<space>                 sorted set of spaces that tell lapses: app name NUL member NUL node, by its end
std::string entry_of(std::string_view member, std::string_view node, std::string_view value) {
  std::string entry(member);
  return entry.append(1, '\0').append(node).append(1, '\0').append(value);
}

struct Entry {
  std::string_view member, node, value;
};
std::optional<Entry> read_entry(std::string_view text) {
  const auto first = text.find('\0');
  const auto second = first == std::string_view::npos ? first : text.find('\0', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  return Entry{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
}

std::string ms_of(Timestamp at) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch()).count());
}

struct Commands {
  std::string bytes;
  std::size_t count = 0;
  void add(std::initializer_list<std::string_view> words) {
    bytes += command(words);
    ++count;
  }
};

class RedisStore final : public Store, public std::enable_shared_from_this<RedisStore> {
 public:
  RedisStore(Link& link, ephemeral::Bounds bounds) : link_(link), holdings_(bounds) {}
  void join() {
    link_.listen({[self = weak_from_this()] { if (const auto there = self.lock()) there->restore(); }, {}, {}, {}});
  }

  void hold(const Key& key, std::string_view member, std::string_view value, std::chrono::milliseconds ttl) override;
  void release(const Key& key, std::string_view member) override;
  std::vector<std::vector<Holder>> holders(std::span<const Key> keys) override;
  std::vector<std::size_t> count(std::span<const Key> keys) override;
  std::vector<Lapsed> take_lapsed(Space space, std::size_t most) override;

 private:
  using Restoring = std::deque<std::pair<Key, std::string>>;
  [[nodiscard]] std::string key_of(const Key& key) const;
  [[nodiscard]] std::string due_of(Space space) const { return link_.prefix() + "due:" + std::string(space.word); }
  [[nodiscard]] std::string due_entry(const Key& key, std::string_view member) const;
  void add_hold(Commands& commands, const Key& key, const Holder& holder, std::chrono::milliseconds left) const;
  void tell(Commands commands);
  void restore();
  void restore_next(const std::shared_ptr<Restoring>& restoring);
  [[nodiscard]] std::map<std::string, std::string> merged(const Key& key, const Reply& reply, Timestamp now) const;

  metrics::Gauge& holds_ = metrics::gauge("chat_ephemeral_holds", "Holds of this node: presence, typing, watching.");
  metrics::Counter& dropped_ = metrics::counter("chat_ephemeral_dropped_total", "Holds that were dropped because there were too many.");
  metrics::Counter& refused_ = metrics::counter("chat_redis_refused_total", "Commands of the ephemeral store that Redis answered with an error.");
  metrics::Counter& alone_ = metrics::counter("chat_ephemeral_alone_total", "Questions answered with what this node itself holds: Redis did not answer.");
  Link& link_;
  mutable std::mutex mutex_;                       // also while commands are handed over, so that Redis hears them in our order
  ephemeral::Holdings holdings_;                   // guarded by mutex_
};

std::string RedisStore::key_of(const Key& key) const {
  return link_.prefix() + "hold:" + key.app.text() + ":" + std::string(key.space.word) + ":" + key.name;
}

std::string RedisStore::due_entry(const Key& key, std::string_view member) const {
  return entry_of(key.app.text() + key.name, member, link_.node());
}

// The key ends with its last hold: NX gives a first time, GT only lengthens it.
void RedisStore::add_hold(Commands& commands, const Key& key, const Holder& holder, std::chrono::milliseconds left) const {
  const auto now = link_.redis_now();
  const auto name = key_of(key), until = ms_of(now + left), time = std::to_string(left.count());
  commands.add({"ZADD", name, until, entry_of(holder.member, link_.node(), holder.value)});
  commands.add({"ZREMRANGEBYSCORE", name, "-inf", ms_of(now)});
  commands.add({"PEXPIRE", name, time, "NX"});
  commands.add({"PEXPIRE", name, time, "GT"});
  if (key.space.tells_lapses) commands.add({"ZADD", due_of(key.space), until, due_entry(key, holder.member)});
}

void RedisStore::tell(Commands commands) {
  const auto count = commands.count;
  // While Redis is away nothing waits: what is still held by then is told when it is back.
  (void)link_.commands().send(std::move(commands.bytes), count, [&refused = refused_](const std::vector<Reply>& replies) {
    for (const auto& reply : replies)
      if (reply.kind == Reply::Kind::error) refused.add();
  });
}

void RedisStore::hold(const Key& key, std::string_view member, std::string_view value, std::chrono::milliseconds ttl) {
  const auto now = link_.clock().now();
  const std::lock_guard lock(mutex_);
  holdings_.sweep(now, kSwept);
  const auto held = holdings_.hold(key, member, value, now + ttl);
  holds_.set(static_cast<double>(holdings_.size()));
  if (!held.taken) return dropped_.add();
  Commands commands;
  if (held.was_held && held.replaced != value) commands.add({"ZREM", key_of(key), entry_of(member, link_.node(), held.replaced)});
  add_hold(commands, key, {std::string(member), std::string(value)}, ttl);
  tell(std::move(commands));
}

void RedisStore::release(const Key& key, std::string_view member) {
  const std::lock_guard lock(mutex_);
  const auto value = holdings_.release(key, member);
  if (!value) return;
  holds_.set(static_cast<double>(holdings_.size()));
  Commands commands;
  commands.add({"ZREM", key_of(key), entry_of(member, link_.node(), *value)});
  if (key.space.tells_lapses) commands.add({"ZREM", due_of(key.space), due_entry(key, member)});
  tell(std::move(commands));
}

/// Of this node, what it knows itself; of the others, what Redis says. Those that end last come first there.
std::map<std::string, std::string> RedisStore::merged(const Key& key, const Reply& reply, Timestamp now) const {
  std::map<std::string, std::string> members;
  std::vector<Holder> own;
  {
    const std::lock_guard lock(mutex_);
    own = holdings_.holders(key, now);
  }
  const auto is_own = [&](std::string_view member) { return std::ranges::find(own, member, &Holder::member) != own.end(); };
  for (const auto& one : reply.list) {
    const auto entry = read_entry(one.text);
    if (!entry || (entry->node == link_.node() && !is_own(entry->member))) continue;
    members.try_emplace(std::string(entry->member), entry->value);
  }
  for (auto& holder : own) members.try_emplace(std::move(holder.member), std::move(holder.value));
  return members;
}

std::vector<std::vector<Holder>> RedisStore::holders(std::span<const Key> keys) {
  Commands commands;
  const auto now = link_.clock().now();
  const auto after = "(" + ms_of(link_.redis_now());
  const auto limit = std::to_string(kMaxHolders);
  for (const Key& key : keys) commands.add({"ZREVRANGEBYSCORE", key_of(key), "+inf", after, "LIMIT", "0", limit});
  std::optional<std::vector<Reply>> replies = std::vector<Reply>{};
  if (!keys.empty()) replies = link_.ask(std::move(commands.bytes), keys.size(), kDeadline);
  if (!replies) alone_.add();
  std::vector<std::vector<Holder>> answer;
  answer.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto& holders = answer.emplace_back();
    for (auto& [member, value] : merged(keys[i], replies ? (*replies)[i] : Reply{}, now)) holders.push_back({member, std::move(value)});
    if (holders.size() > kMaxHolders) holders.resize(kMaxHolders);
  }
  return answer;
}

std::vector<std::size_t> RedisStore::count(std::span<const Key> keys) {
  Commands commands;
  const auto now = link_.clock().now();
  const auto after = "(" + ms_of(link_.redis_now());
  const auto limit = std::to_string(kMaxHolders);
  for (const Key& key : keys) {
    const auto name = key_of(key);
    commands.add({"ZCOUNT", name, after, "+inf"});
    commands.add({"ZREVRANGEBYSCORE", name, "+inf", after, "LIMIT", "0", limit});
  }
  std::optional<std::vector<Reply>> replies = std::vector<Reply>{};
  if (!keys.empty()) replies = link_.ask(std::move(commands.bytes), commands.count, kDeadline);
  if (!replies) alone_.add();
  std::vector<std::size_t> answer;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto all = replies ? static_cast<std::size_t>((*replies)[2 * i].integer) : 0;
    if (all >= kMaxHolders) {
      answer.push_back(all);
    } else if (replies) {
      answer.push_back(merged(keys[i], (*replies)[2 * i + 1], now).size());
    } else {
      const std::lock_guard lock(mutex_);
      answer.push_back(holdings_.count(keys[i], now));
    }
  }
  return answer;
}

// Whoever removes the entry has it: of two nodes that found the same, one.
std::vector<Lapsed> RedisStore::take_lapsed(Space space, std::size_t most) {
  {
    const std::lock_guard lock(mutex_);
    holdings_.sweep(link_.clock().now(), most);
    (void)holdings_.take_lapsed(space, most);      // Redis knows them, too
  }
  Commands ask;
  ask.add({"ZRANGEBYSCORE", due_of(space), "-inf", ms_of(link_.redis_now()), "LIMIT", "0", std::to_string(most)});
  auto found = link_.ask(std::move(ask.bytes), 1, kJobDeadline);
  if (!found || found->front().list.empty()) return {};
  const auto& entries = found->front().list;
  Commands take;
  for (const auto& entry : entries) take.add({"ZREM", due_of(space), entry.text});
  const auto taken = link_.ask(std::move(take.bytes), entries.size(), kJobDeadline);
  if (!taken) return {};
  std::vector<Lapsed> lapsed;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if ((*taken)[i].integer != 1) continue;
    const auto entry = read_entry(entries[i].text);
    constexpr std::size_t kAppText = 36;
    if (!entry || entry->member.size() < kAppText) continue;
    const auto app = Uuid::parse(entry->member.substr(0, kAppText));
    if (app) lapsed.push_back({AppId{*app}, std::string(entry->member.substr(kAppText)), std::string(entry->node)});
  }
  return lapsed;
}

/// A Redis that began anew knows nothing: everything that is held is told again.
void RedisStore::restore() {
  auto restoring = std::make_shared<Restoring>();
  {
    const std::lock_guard lock(mutex_);
    holdings_.for_each([&](const Key& key, const Holder& holder, Timestamp) { restoring->emplace_back(key, holder.member); });
  }
  restore_next(restoring);
}

void RedisStore::restore_next(const std::shared_ptr<Restoring>& restoring) {
  if (restoring->empty()) return;
  const auto now = link_.clock().now();
  const std::lock_guard lock(mutex_);              // until it was sent: a release meanwhile comes behind it
  Commands commands;
  for (std::size_t i = 0; i < kRestoredAtOnce && !restoring->empty(); ++i) {
    const auto [key, member] = std::move(restoring->front());
    restoring->pop_front();
    const auto held = holdings_.find(key, member);
    if (held && held->second > now)
      add_hold(commands, key, {member, held->first}, std::chrono::duration_cast<std::chrono::milliseconds>(held->second - now) + std::chrono::milliseconds(1));
  }
  commands.add({"PING"});
  const auto count = commands.count;
  (void)link_.commands().send(std::move(commands.bytes), count, [self = weak_from_this(), restoring](const std::vector<Reply>& replies) {
    const auto there = self.lock();
    if (there && !replies.empty()) there->restore_next(restoring);   // otherwise the next connection begins again
  });
}

/// What make_store gives away; the link's callbacks hold the inside weakly.
class Handle final : public Store {
 public:
  Handle(Link& link, ephemeral::Bounds bounds) : inside_(std::make_shared<RedisStore>(link, bounds)) { inside_->join(); }
  void hold(const Key& key, std::string_view member, std::string_view value, std::chrono::milliseconds ttl) override {
    inside_->hold(key, member, value, ttl);
  }
  void release(const Key& key, std::string_view member) override { inside_->release(key, member); }
  std::vector<std::vector<Holder>> holders(std::span<const Key> keys) override { return inside_->holders(keys); }
  std::vector<std::size_t> count(std::span<const Key> keys) override { return inside_->count(keys); }
  std::vector<Lapsed> take_lapsed(Space space, std::size_t most) override { return inside_->take_lapsed(space, most); }

 private:
  std::shared_ptr<RedisStore> inside_;
};

}  // namespace

std::unique_ptr<Store> make_store(Link& link, ephemeral::Bounds bounds) { return std::make_unique<Handle>(link, bounds); }

}  // namespace chat::redis
