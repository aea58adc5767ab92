#pragma once
#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// The definitions of ops/docs/unread.md, written down slowly: everything is counted over the list of all messages.
namespace chat::test {

struct Said {
  std::string id, author;
  bool countable = false, deleted = false, reply = false;   // reply: to the first of all
  bool erased = false;                         // nobody can name it any more
  std::set<std::string> mentioned, roles;
  bool everybody = false;                      // mentions the whole channel
};

struct Member {
  bool inside = false;
  std::string role = "member";
  std::size_t joined = 0;                      // messages said before
  std::size_t cleared = 0;                     // messages before here are gone for it
  std::optional<std::size_t> read;             // messages up to here are read; absent: never opened
  std::size_t seen = 0, delivered = 0;         // the furthest
  bool follows = false, in_thread = false;     // the thread of the first message; has ever been in it
  std::size_t thread_read = 0;                 // its replies up to here are read
  [[nodiscard]] std::size_t mark() const { return std::max(read.value_or(joined), cleared); }
};

/// One channel as its definition says it.
class UnreadModel {
 public:
  std::vector<Said> said;
  std::map<std::string, Member> members;

  void join(const std::string& user) {
    auto& member = members[user];
    const auto before = member;
    member = {.inside = true, .joined = said.size(), .read = {}};
    member.follows = before.follows;           // what one follows outlives the membership
    member.in_thread = before.in_thread;
    member.thread_read = before.thread_read;
  }
  void leave(const std::string& user) { members[user].inside = false; }
  void say(Said one) {
    auto& author = members[one.author];
    const auto before = has_replies() ? said.size() : 0;
    said.push_back(one);
    if (one.countable) advance(author, said.size());
    if (!one.reply) return;
    author.follows = author.in_thread = true;
    author.thread_read = said.size();
    auto& asked = members[said.front().author];
    if (!std::exchange(asked.in_thread, true)) asked.follows = true;
    for (const auto& user : one.mentioned)
      if (user != one.author) begin_to_follow(members[user], before);
  }
  void read(const std::string& user, std::size_t up_to) { advance(members[user], up_to); }
  void unread(const std::string& user, std::size_t from) {
    auto& member = members[user];
    if (member.read && countable_between(from, *member.read) == 0) return;
    member.read = member.read ? std::max(from, member.joined) : member.joined;
  }
  void deliver(const std::string& user, std::size_t up_to) { members[user].delivered = std::max(members[user].delivered, up_to); }
  void clear(const std::string& user) { members[user].cleared = said.size(); }

  void follow(const std::string& user) {
    auto& member = members[user];
    if (member.follows) return;
    member.follows = member.in_thread = true;
    member.thread_read = has_replies() ? said.size() : 0;
  }
  void unfollow(const std::string& user) { members[user].follows = false; }
  void read_thread(const std::string& user) {
    if (!has_replies()) return;
    members[user].in_thread = true;
    members[user].thread_read = said.size();
  }
  [[nodiscard]] bool shows_thread(const std::string& user) const {
    return !said.empty() && !said.front().deleted && members.at(user).cleared == 0;
  }
  [[nodiscard]] std::int64_t replies_of(const std::string& user, bool that_mention = false) const {
    const auto& member = members.at(user);
    std::int64_t n = 0;
    for (std::size_t i = member.thread_read; i < said.size(); ++i)
      n += said[i].reply && !said[i].deleted && said[i].author != user && (!that_mention || mentions(said[i], user));
    return member.follows && shows_thread(user) ? n : 0;
  }
  [[nodiscard]] std::int64_t unread_of(const std::string& user) const { return count(user, false); }
  [[nodiscard]] std::int64_t mentions_of(const std::string& user) const { return count(user, true); }

  [[nodiscard]] std::set<std::string> readers_of(std::size_t at, bool delivered) const {
    const auto author = said[at].author;
    while (at < said.size() && !said[at].countable) ++at;
    std::set<std::string> users;
    if (at == said.size()) return users;
    for (const auto& [user, member] : members) {
      const auto reached = delivered ? std::max(member.seen, member.delivered) : member.seen;
      if (member.inside && user != author && member.joined <= at && reached > at) users.insert(user);
    }
    return users;
  }

 private:
  [[nodiscard]] bool has_replies() const {
    return std::any_of(said.begin(), said.end(), [](const Said& one) { return one.reply; });
  }
  [[nodiscard]] bool mentions(const Said& one, const std::string& user) const {
    return one.everybody || one.mentioned.contains(user) || one.roles.contains(members.at(user).role);
  }
  static void begin_to_follow(Member& member, std::size_t read) {
    if (member.follows) return;
    member.follows = member.in_thread = true;
    member.thread_read = std::max(member.thread_read, read);
  }
  static void advance(Member& member, std::size_t up_to) {
    if (!member.read || up_to > *member.read) member.read = std::max(up_to, member.joined);
    member.seen = std::max(member.seen, *member.read);
  }
  [[nodiscard]] std::int64_t countable_between(std::size_t from, std::size_t to) const {
    std::int64_t n = 0;
    for (std::size_t i = from; i < to && i < said.size(); ++i) n += said[i].countable;
    return n;
  }
  [[nodiscard]] std::int64_t count(const std::string& user, bool that_mention) const {
    std::int64_t n = 0;
    for (std::size_t i = members.at(user).mark(); i < said.size(); ++i)
      n += said[i].countable && !said[i].deleted && (!that_mention || mentions(said[i], user));
    return n;
  }
};

}  // namespace chat::test
