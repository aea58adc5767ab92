#pragma once
#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "platform/base/clock.h"
#include "platform/base/id.h"
#include "platform/chat/screening/rules.h"
#include "platform/chat/screening/signs.h"

/// What users wrote lately, as far as rules count it. Pure. Private to the folder.
namespace chat::screening {

/// One message, for whoever counts.
struct Seen {
  Print print{};
  std::uint64_t nonce = 0;                     // a hash of what makes a repeated request the same message; 0: nothing does
  std::int64_t mentions = 0;
  std::uint32_t concerns = 0;                  // a bit for each rule, by its place in the list, that is about such a message
};
static_assert(kMaxRules <= 32);

/// Of one user, with this message: by the rule's place in the list.
struct Counts {
  std::array<std::int64_t, kMaxRules> of{};
};

/// What was seen on this node since the last time, as it is told to the others.
struct Told {
  AppId app;
  std::string user_id;
  Seen seen;
};

/// Shape:   kMaxPerShard users in each of 16 shards, those who wrote nothing for their rules' longest window go first, then arbitrary ones;
///          of each the last kKept messages. About 1.5 KB a user. At most kMaxTold messages wait to be told; more are not.
/// Thread:  any.
/// Cost:    one lock of a sixteenth; one allocation when a user is first seen.
class Watch {
 public:
  static constexpr std::size_t kMaxPerShard = 2'000, kKept = 32, kMaxTold = 20'000;

  /// Counts a message; the same request again is counted once in a rule's window. `is_told`: it was seen elsewhere.
  Counts see(AppId app, std::string_view user_id, const Rules& rules, const Seen& seen, Timestamp now, bool is_told = false);
  /// What see() would say, counting nothing.
  Counts look(AppId app, std::string_view user_id, const Rules& rules, const Seen& seen, Timestamp now);

  void remember_told() { tells_ = true; }      // before the first message
  std::vector<Told> take_told();
  [[nodiscard]] std::size_t users();

 private:
  struct Written {
    Seen seen;
    Timestamp at{};
  };
  /// Messages, or mentions, in the window that runs and in the one before.
  struct Window {
    Timestamp begins{};
    std::int64_t current = 0, before = 0;
    void roll(std::chrono::seconds length, Timestamp now);
    [[nodiscard]] std::int64_t sum(std::chrono::seconds length, Timestamp now) const;
  };
  struct User {
    std::array<Written, kKept> written;
    std::size_t next = 0;
    std::int64_t version = 0;                  // of the rules that `windows` belong to
    std::array<Window, kMaxCounted> windows;
    Timestamp ends{};                          // when nothing of it counts any more
  };
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, User> users;
  };
  static void remember(User& user, std::array<Written, kKept>::iterator earlier, const Written& written);
  static Counts count(User& user, const Rules& rules, const Seen& seen, Timestamp now, bool adds);
  User* user_of(Shard& shard, const std::string& key, Timestamp now, bool makes);
  Counts ask(AppId app, std::string_view user_id, const Rules& rules, const Seen& seen, Timestamp now, bool adds);

  std::array<Shard, 16> shards_;
  bool tells_ = false;
  std::mutex told_mutex_;
  std::vector<Told> told_;
};

}  // namespace chat::screening
