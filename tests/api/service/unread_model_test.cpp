#include <catch2/catch.hpp>
#include <map>
#include <random>
#include <set>
#include <utility>

#include "tests/support/service.h"

// The definitions of ops/docs/unread.md, written down slowly: everything is counted over the list of all messages.
using namespace chat;
using namespace chat::test;

namespace {

struct Said {
  Json message;
  std::string author;
  bool countable = false, deleted = false, reply = false;   // reply: to the first of all
  std::set<std::string> mentioned;
};

struct Member {
  bool inside = false;
  std::size_t joined = 0;                      // messages said before
  std::optional<std::size_t> read;             // messages up to here are read; absent: never opened
  std::size_t seen = 0, delivered = 0;         // the furthest
  bool suspended = false;                      // not in the channel's team at present
  bool follows = false, in_thread = false;     // the thread of the first message; has ever been in it
  std::size_t thread_read = 0;                 // its replies up to here are read
  [[nodiscard]] std::size_t mark() const { return read.value_or(joined); }
};

/// One channel as its definition says it.
class Model {
 public:
  std::vector<Said> said;
  std::map<std::string, Member> members;

  void join(const std::string& user) {
    auto& member = members[user];
    const auto before = member;
    member = {.inside = true, .joined = said.size(), .read = {}};
    member.follows = before.follows;             // what one follows outlives the membership
    member.in_thread = before.in_thread;
    member.thread_read = before.thread_read;
  }
  void leave(const std::string& user) { members[user].inside = false; }
  void say(Said one) {
    auto& author = members[one.author];
    const bool counts = one.countable;
    const bool is_reply = one.reply;
    const auto mentioned = one.mentioned;
    const auto writer = one.author;
    const auto before = has_replies() ? said.size() : 0;
    said.push_back(std::move(one));
    if (counts) advance(author, said.size());
    if (!is_reply) return;
    author.follows = author.in_thread = true;
    author.thread_read = said.size();
    auto& asked = members[said.front().author];
    if (!std::exchange(asked.in_thread, true)) asked.follows = true;
    for (const auto& user : mentioned)
      if (user != writer) begin_to_follow(members[user], before);
  }
  void read(const std::string& user, std::size_t up_to) { advance(members[user], up_to); }
  void unread(const std::string& user, std::size_t from) {
    auto& member = members[user];
    const bool counts_between = countable_between(from, member.mark()) > 0;
    if (member.read && !counts_between) return;
    member.read = member.read ? std::max(from, member.joined) : member.joined;
  }
  void deliver(const std::string& user, std::size_t up_to) { members[user].delivered = std::max(members[user].delivered, up_to); }

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
  [[nodiscard]] std::int64_t replies_of(const std::string& user, bool that_mention = false) const {
    const auto& member = members.at(user);
    std::int64_t n = 0;
    for (std::size_t i = member.thread_read; i < said.size(); ++i)
      n += said[i].reply && !said[i].deleted && said[i].author != user && (!that_mention || said[i].mentioned.contains(user));
    return member.follows && !said.empty() && !said.front().deleted ? n : 0;
  }

  [[nodiscard]] std::int64_t unread_of(const std::string& user) const {
    return count(members.at(user), [](const Said&) { return true; });
  }
  [[nodiscard]] std::int64_t mentions_of(const std::string& user) const {
    return count(members.at(user), [&](const Said& one) { return one.mentioned.contains(user); });
  }
  [[nodiscard]] std::set<std::string> readers_of(std::size_t at, bool delivered) const {
    while (at < said.size() && !said[at].countable) ++at;
    std::set<std::string> users;
    if (at == said.size()) return users;
    for (const auto& [user, member] : members) {
      const auto reached = delivered ? std::max(member.seen, member.delivered) : member.seen;
      if (member.inside && member.joined <= at && reached > at) users.insert(user);
    }
    return users;
  }

 private:
  [[nodiscard]] bool has_replies() const {
    return std::any_of(said.begin(), said.end(), [](const Said& one) { return one.reply; });
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
  template <class Which>
  [[nodiscard]] std::int64_t count(const Member& member, Which which) const {
    std::int64_t n = 0;
    for (std::size_t i = member.mark(); i < said.size(); ++i) n += said[i].countable && !said[i].deleted && which(said[i]);
    return n;
  }
};

/// Plays random acts on the service and on the model.
class Play {
 public:
  explicit Play(unsigned seed) : random_(seed) {
    app_.set({{"teams", true}});
    REQUIRE(app_.server().post("/v1/teams", {{"team_id", "red"}}).status == 201);
    for (const auto& user : users_) put_into(user, Json::array({"red"}));
    put_into("mallory", Json::array({"red"}));
    app_.add_channel("general", {"u0", "u1", "u2", "mallory"});
    REQUIRE(app_.server().put(base_ + "/bans/mallory", {{"shadow", true}}).status == 200);
    for (const auto* user : {"u0", "u1", "u2"}) model_.join(user);
  }

  void step() {
    const auto act = pick(27);
    if (act == 20) return truncate();
    if (act < 9) return say();
    if (act == 9) return come_or_go();
    if (act == 21) return change_team();
    if (act == 22) return whisper();
    if (model_.said.empty()) return;
    const auto user = member();
    const auto at = pick(model_.said.size());
    const std::string id = model_.said[at].message["id"];
    if (act < 12) return forget(at);
    const bool erased = erased_.contains(at);
    const Json body = {{"message_id", id}};
    if (act < 15) {
      REQUIRE(app_.user(user).post(base_ + "/read", body).status == (erased ? 404 : 200));
      if (!erased) model_.read(user, at + 1);
    } else if (act < 17) {
      REQUIRE(app_.user(user).post(base_ + "/unread", body).status == (erased ? 404 : 200));
      if (!erased) model_.unread(user, at);
    } else if (act < 19) {
      const Json places = Json::array({{{"cid", "messaging:general"}, {"message_id", id}}});
      auto result = app_.user(user).post("/v1/delivered", {{"channels", places}}).body["results"][0];
      REQUIRE((result["status"] == "refused") == erased);
      if (!erased) model_.deliver(user, at + 1);
    } else if (act >= 23) {
      return act_in_thread(user, act);
    } else {
      REQUIRE(app_.user(user).post("/v1/read/all").status == 200);
      if (model_.unread_of(user) > 0) model_.read(user, model_.said.size());
    }
  }

  void compare() {
    for (const auto& user : users_) {
      if (!model_.members[user].inside) continue;
      const auto unread = app_.user(user).get("/v1/unread").body;
      if (model_.members[user].suspended) {
        CHECK((unread["total"] == 0 && unread["unread_threads"] == 0 && !unread.contains("teams")));
        continue;
      }
      CHECK(unread["total"] == model_.unread_of(user));
      if (model_.unread_of(user) > 0) CHECK((unread["teams"][0]["team"] == "red" && unread["teams"][0]["unread"] == unread["total"]));
      CHECK(unread["unread_threads"] == (model_.replies_of(user) > 0 ? 1 : 0));
      if (model_.replies_of(user) > 0) CHECK(unread["threads"][0]["unread"] == model_.replies_of(user));
      if (model_.replies_of(user) > 0) CHECK(unread["threads"][0]["mentions"] == model_.replies_of(user, true));
      CHECK(unread["mentions"] == model_.mentions_of(user));
      CHECK(app_.user(user).get(base_).body["membership"]["unread"] == model_.unread_of(user));
    }
    for (std::size_t at = 0; at < model_.said.size(); at += 1 + pick(4)) {
      if (erased_.contains(at)) continue;
      for (const bool delivered : {false, true}) {
        auto expected = model_.readers_of(at, delivered);
        expected.erase(model_.said[at].author);
        std::set<std::string> found;
        const auto path = base_ + "/messages/" + model_.said[at].message["id"].get<std::string>() + "/receipts?kind=";
        const auto answer = app_.server().get(path + (delivered ? "delivered" : "read"));
        for (const auto& receipt : answer.body["receipts"]) found.insert(receipt["user_id"]);
        CHECK(found == expected);
      }
    }
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }
  std::string member() {
    while (true)
      if (const auto& user = users_[pick(users_.size())]; model_.members[user].inside && !model_.members[user].suspended) return user;
  }

  void say() {
    Said one;
    one.author = member();
    Json more = Json::object();
    const auto kind = pick(10);
    if (kind == 0) more["silent"] = true;
    if (kind == 1) more["type"] = "system";
    if (kind < 4 && kind > 1 && !model_.said.empty() && !model_.said.front().deleted) {
      more["parent_id"] = model_.said.front().message["id"];
      if (kind == 3) more["show_in_channel"] = true;
    }
    one.reply = more.contains("parent_id");
    one.countable = kind > 1 && (!more.contains("parent_id") || more.contains("show_in_channel"));
    if (pick(3) == 0) {
      const auto whom = member();
      more["mentions"] = {whom};
      one.mentioned.insert(whom);
    }
    more["text"] = "x";
    more["user_id"] = one.author;
    auto sent = app_.server().post(kMessages, more);
    REQUIRE(sent.status == 201);
    one.message = sent.body["message"];
    model_.say(std::move(one));
  }

  void put_into(const std::string& user, const Json& teams) {
    REQUIRE(app_.server().post("/v1/users", {{"users", {{{"user_id", user}, {"teams", teams}}}}}).body["results"][0]["status"] != "refused");
  }

  void change_team() {
    const auto& user = users_[1 + pick(users_.size() - 1)];
    auto& suspended = model_.members[user].suspended;
    suspended = !suspended;
    put_into(user, suspended ? Json::array() : Json::array({"red"}));
  }

  /// In the shadow of a ban: for nobody's count.
  void whisper() {
    Json message{{"text", "psst"}, {"mentions", {"u0"}}};
    if (pick(2) == 0 && !model_.said.empty() && !model_.said.front().deleted) message["parent_id"] = model_.said.front().message["id"];
    REQUIRE(app_.user("mallory").post(kMessages, message).status == 201);
  }

  void act_in_thread(const std::string& user, std::size_t act) {
    const auto path = base_ + "/messages/" + model_.said.front().message["id"].get<std::string>() + "/thread";
    if (model_.said.front().deleted) return;
    if (act == 23) {
      REQUIRE(app_.user(user).post(path + "/follow").status == 200);
      model_.follow(user);
    } else if (act == 24) {
      REQUIRE(app_.user(user).del(path + "/follow").status < 300);
      model_.unfollow(user);
    } else {
      REQUIRE(app_.user(user).post(path + "/read").status == 200);
      model_.read_thread(user);
    }
  }

  void forget(std::size_t at) {
    if (at == 0 || model_.said[at].deleted) return;         // the first is the parent of replies
    const bool hard = pick(2) == 0;
    REQUIRE(app_.server().del(kMessages + "/" + model_.said[at].message["id"].get<std::string>() + (hard ? "?mode=hard" : "")).status == 200);
    model_.said[at].deleted = true;
    if (hard) erased_.insert(at);
  }

  /// What goes counts as deleted, and is not there any more.
  void truncate() {
    if (model_.said.size() < 8) return;
    const auto at = pick(model_.said.size());
    Json body = {{"hard", pick(2) == 0}};
    if (pick(4) > 0) body["message_id"] = model_.said[at].message["id"];
    const auto answer = app_.server().post(base_ + "/truncate", body);
    REQUIRE(answer.status == 200);
    if (!answer.body.contains("up_to_message_id")) return;
    for (std::size_t i = 0; i <= (body.contains("message_id") ? at : model_.said.size() - 1); ++i) {
      model_.said[i].deleted = true;
      erased_.insert(i);
    }
    if (pick(2) == 0) Service::get().node().run_job("finish_truncations");
  }

  void come_or_go() {
    const auto& user = users_[1 + pick(users_.size() - 1)];
    if (model_.members[user].suspended) return;
    if (model_.members[user].inside) {
      REQUIRE(app_.server().del(base_ + "/members/" + user).status == 204);
      model_.leave(user);
    } else {
      REQUIRE(app_.server().post(base_ + "/members", {{"members", {user}}}).status == 200);
      model_.join(user);
    }
  }

  std::mt19937 random_;
  TestApp app_;
  const std::vector<std::string> users_{"u0", "u1", "u2", "u3", "u4"};
  const std::string base_ = "/v1/channels/messaging/general";
  Model model_;
  std::set<std::size_t> erased_;
};

}  // namespace

TEST_CASE("reads: unread, mentions and receipts agree with a slow model over random histories", "[api][reads][property]") {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    INFO("seed " << seed);
    Play play(seed);
    for (int step = 1; step <= 90; ++step) {
      play.step();
      if (step % 30 == 0) play.compare();
    }
  }
}
