#pragma once
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/id.h"

/// What may be lost: who is here, who types, who watches. Everything that may not is in PostgreSQL.
namespace chat::ephemeral {

/// One use of the store, as a constant of the feature that owns it:
/// `inline constexpr ephemeral::Space kTyping{"typing"};`
struct Space {
  std::string_view word;                     // a literal of [a-z_]+, one per use; part of the keys in Redis
  bool tells_lapses = false;                 // `take_lapsed` is asked: holds that end by their time are remembered
};

/// What is held: a thing of one application. Nothing is shared between applications.
struct Key {
  AppId app;
  Space space;
  std::string name;                          // of the feature's choice: a user id, a cid; empty where the application is meant
};

/// Who holds it.
struct Holder {
  std::string member;                        // of the feature's choice: a user id, a connection
  std::string value;                         // what the member said when it held; may be empty
};

/// A hold that ended by its time: its node was killed, or the owner did not renew.
struct Lapsed {
  AppId app;
  std::string name;
  std::string member;
};

/// Sets of holders, each with a time to live, shared by all nodes of the service.
///
/// A hold belongs to the node that made it. The same member may be held by several nodes (a user with two devices) and is
/// there until the last of them releases it or stops renewing. A node that is killed says nothing more: what it held ends
/// by its time. So the owner holds again, well before the time is over, as long as it is true.
///
/// Shape:   bounded (Bounds): beyond, a hold is dropped and counted in chat_ephemeral_dropped_total.
/// Thread:  any. `hold` and `release` never wait and never fail: engine threads may call them.
///          The questions may wait for another process (at most 100 ms): for worker threads.
/// Fresh:   what this node did is seen by its next question; what others did, when it has arrived.
///          While the other process is away, questions are answered with what this node itself holds.
class Store {
 public:
  virtual ~Store() = default;

  /// `member` holds `key` from now on for `ttl`; again: the value and the time are replaced.
  virtual void hold(const Key& key, std::string_view member, std::string_view value, std::chrono::milliseconds ttl) = 0;
  /// Takes this node's hold back. Nothing happens when there is none. A release is no lapse.
  virtual void release(const Key& key, std::string_view member) = 0;

  /// Who holds each of the keys, in the order of the keys; members sorted, each once. Held with several values by several
  /// nodes: the one that ends last.
  /// Shape:   at most kMaxHolders of a key, those that end last; `count` knows the number.
  [[nodiscard]] virtual std::vector<std::vector<Holder>> holders(std::span<const Key> keys) = 0;
  [[nodiscard]] std::vector<Holder> holders(const Key& key) { return std::move(holders(std::span(&key, 1)).front()); }
  /// How many members hold each of the keys. Beyond kMaxHolders, a member held by two nodes counts twice.
  [[nodiscard]] virtual std::vector<std::size_t> count(std::span<const Key> keys) = 0;
  [[nodiscard]] std::size_t count(const Key& key) { return count(std::span(&key, 1)).front(); }

  /// Takes up to `most` holds of a space with `tells_lapses` that ended by their time, of whatever node; each is given to one
  /// caller only, all nodes together. Whoever takes one asks `holders` whether anybody else still holds the key.
  [[nodiscard]] virtual std::vector<Lapsed> take_lapsed(Space space, std::size_t most) = 0;

  static constexpr std::size_t kMaxHolders = 1'000;
};

struct Bounds {
  std::size_t max_holds = 1'000'000;         // of this node
  std::size_t max_lapsed = 100'000;          // waiting for take_lapsed, per space; beyond: the oldest are forgotten
};

/// In this process, for one node alone.
std::unique_ptr<Store> make_local_store(const Clock& clock, Bounds bounds = {});

}  // namespace chat::ephemeral
