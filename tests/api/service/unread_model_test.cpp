#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>

#include "tests/support/service.h"
#include "tests/support/unread_model.h"
#include "tests/support/unread_watcher.h"

// Random histories, played on the service and on the slow model: what is asked for, and what was pushed, agree with it.
using namespace chat;
using namespace chat::test;

namespace {

struct Room {
  std::string type, id, team;
  bool direct = false, blocked = false;        // of u1 and u2; one blocks the other
  std::set<std::string> banned = {};
  UnreadModel model = {};
  [[nodiscard]] std::string cid() const { return type + ":" + id; }
  [[nodiscard]] std::string path() const { return "/v1/channels/" + type + "/" + id; }
  [[nodiscard]] std::string path(const std::string& message) const { return path() + "/messages/" + message; }
};

/// Plays random acts on the service and on the models: four channels of two types and two teams, five users who listen, and three who
/// only write: mallory in the shadow of a ban, ghost who is deactivated at times, and one who is deleted for good.
class Play {
 public:
  explicit Play(unsigned seed) : random_(seed) {
    app_.set({{"teams", true}});
    for (const char* team : {"red", "blue"}) REQUIRE(server_.post("/v1/teams", {{"team_id", team}}).status == 201);
    for (const auto& user : users_) put_into(user, Json::array({"red", "blue"}));
    for (const auto* user : {"mallory", "ghost", "goner"}) put_into(user, Json::array({"red", "blue"}));
    rooms_ = {{"messaging", "general", "red"}, {"messaging", "side", "blue"}, {"team", "board", "blue"}, {"messaging", "", "blue", true}};
    for (auto& room : rooms_) open(room);
    REQUIRE(server_.patch("/v1/channel_types/team", {{"settings", {{"pending", true}}}}).status == 200);
    for (const auto& user : users_) watchers_.emplace(user, UnreadWatcher(app_, user));
  }

  void step() {
    auto& room = rooms_[pick(rooms_.size())];
    const auto act = pick(40);
    if (act < 10) return say(room);
    if (act < 12) return act_on_members(room);
    if (act < 15) return act_on_users(room);
    if (act == 15) return truncate(room);
    if (act == 16) return say_later(room);
    if (room.model.said.empty()) return;
    const auto user = member(room);
    if (user.empty()) return;
    if (act < 24) return mark(room, user, act);
    if (act < 28) return act_in_thread(room, user, act);
    if (act < 31) return keep_for_itself(room, user);
    if (act < 34) return forget(room);
    if (act < 36) return bring_back(room);
    if (act < 39) return edit_mentions(room);
    REQUIRE(app_.user(user).post("/v1/read/all").status == 200);
    for (auto& each : rooms_)
      if (sees(each, user) && each.model.unread_of(user) > 0) each.model.read(user, each.model.said.size());
  }

  void compare() {
    for (const auto& user : users_) {
      INFO("user " << user);
      CHECK(numbers_of(app_.user(user).get("/v1/unread").body) == expected(user));
    }
  }
  /// What each user's connection was told, once everything was.
  void compare_pushed() {
    for (const auto& user : users_) {
      INFO("pushed to " << user);
      const auto wanted = expected(user);
      std::set<std::string> own;
      for (const auto& room : rooms_)
        if (sees(room, user)) own.insert(room.cid());
      CHECK(watchers_.at(user).settle(wanted, own) == wanted);
    }
  }
  void compare_receipts() {
    for (auto& room : rooms_) {
      for (std::size_t at = 0; at < room.model.said.size(); at += 1 + pick(6)) {
        if (room.model.said[at].erased) continue;
        for (const bool delivered : {false, true}) {
          std::set<std::string> found;
          const auto answer = server_.get(room.path(room.model.said[at].id) + "/receipts?kind=" + (delivered ? "delivered" : "read"));
          for (const auto& receipt : answer.body["receipts"]) found.insert(receipt["user_id"]);
          CHECK(found == room.model.readers_of(at, delivered));
        }
      }
    }
  }

 private:
  std::size_t pick(std::size_t below) { return random_() % below; }

  void open(Room& room) {
    if (room.direct) {
      const auto made = app_.user("u1").post("/v1/channels/messaging", {{"members", {"u2"}}, {"team", room.team}});
      REQUIRE(made.status == 201);
      room.id = made.body["channel"]["id"];
      for (const auto* user : {"u1", "u2"}) room.model.join(user);
      return;
    }
    REQUIRE(server_.post(room.path(), {{"team", room.team}, {"members", {"u0", "u1", "u2", "mallory", "ghost", "goner"}}}).status == 201);
    REQUIRE(server_.put(room.path() + "/bans/mallory", {{"shadow", true}}).status == 200);
    for (const auto* user : {"u0", "u1", "u2", "ghost", "goner"}) room.model.join(user);
    REQUIRE(server_.patch(room.path() + "/members/u0", {{"role", "moderator"}}).status == 200);
    room.model.members["u0"].role = "moderator";
  }

  [[nodiscard]] bool sees(const Room& room, const std::string& user) const {
    const auto found = room.model.members.find(user);
    return found != room.model.members.end() && found->second.inside && !room.blocked && !room.banned.contains(user) &&
           (room.team == "blue" || !suspended_.contains(user));
  }
  /// One of the listening users who may read and write there; "": nobody at present.
  std::string member(const Room& room) {
    std::vector<std::string> all;
    for (const auto& user : users_)
      if (sees(room, user)) all.push_back(user);
    return all.empty() ? "" : all[pick(all.size())];
  }

  [[nodiscard]] Json expected(const std::string& user) const {
    Json numbers{{"total", 0}, {"mentions", 0}, {"unread_channels", 0}, {"unread_threads", 0}};
    for (const char* part : {"types", "teams", "channels", "threads"}) numbers[part] = Json::object();
    const auto add = [](Json& to, const std::string& key, std::int64_t n, std::int64_t mentions, std::int64_t channels) {
      Json sum = to.value(key, Json{{"unread", 0}, {"mentions", 0}, {"channels", 0}});
      to[key] = {{"unread", sum["unread"].get<std::int64_t>() + n}, {"mentions", sum["mentions"].get<std::int64_t>() + mentions},
                 {"channels", sum["channels"].get<std::int64_t>() + channels}};
    };
    for (const auto& room : rooms_) {
      if (!sees(room, user)) continue;
      const auto n = room.model.unread_of(user), mentions = room.model.mentions_of(user);
      if (n > 0) {
        numbers["total"] = numbers["total"].get<std::int64_t>() + n;
        numbers["mentions"] = numbers["mentions"].get<std::int64_t>() + mentions;
        numbers["unread_channels"] = numbers["unread_channels"].get<int>() + 1;
        add(numbers["types"], room.type, n, mentions, 1);
        add(numbers["teams"], room.team, n, mentions, 1);
        numbers["channels"][room.cid()] = {{"unread", n}, {"mentions", mentions}};
      }
      if (const auto replies = room.model.replies_of(user); replies > 0) {
        numbers["unread_threads"] = numbers["unread_threads"].get<int>() + 1;
        numbers["threads"][room.cid()] = {{"unread", replies}, {"mentions", room.model.replies_of(user, true)}};
      }
    }
    return numbers;
  }

  void say(Room& room) {
    Said one;
    const bool by_others = !room.direct && pick(5) == 0;
    one.author = by_others ? (pick(2) == 0 || gone_ ? "ghost" : "goner") : member(room);
    if (one.author.empty() || (one.author == "ghost" && ghost_away_)) return;
    Json more{{"text", "x"}, {"user_id", one.author}};
    const auto kind = pick(10);
    if (kind == 0) more["silent"] = true;
    if (kind == 1) more["type"] = "system";
    const bool first_is_theirs = room.model.said.empty() || room.model.said.front().deleted;
    if (room.model.said.empty() && one.author == "goner") return;      // the thread's first message stays
    one.reply = kind > 1 && kind < 5 && !first_is_theirs;
    if (one.reply) more["parent_id"] = room.model.said.front().id;
    if (one.reply && kind == 4) more["show_in_channel"] = true;
    one.countable = kind > 1 && (!one.reply || kind == 4);
    mention(room, one, more);
    const auto sent = server_.post(room.path() + "/messages", more);
    REQUIRE(sent.status == 201);
    one.id = sent.body["message"]["id"];
    room.model.say(std::move(one));
  }
  void mention(const Room& room, Said& one, Json& more) {
    const auto how = pick(8);
    if (how < 2) {
      const auto whom = member(room);
      if (whom.empty()) return;
      more["mentions"] = {whom};
      one.mentioned.insert(whom);
    } else if (how == 2) {
      more["mention_roles"] = {"moderator"};
      one.roles.insert("moderator");
    } else if (how == 3) {
      more["mention_channel"] = true;
      one.everybody = true;
    }
  }

  /// Held for approval, or scheduled: it is said when it is sent.
  void say_later(Room& room) {
    Said one;
    one.author = member(room);
    if (one.author.empty()) return;
    one.countable = true;
    const bool held = room.type == "team" && room.model.members[one.author].role == "member";
    if (held) {
      const auto answer = app_.user(one.author).post(room.path() + "/messages", {{"text", "may I?"}});
      REQUIRE(answer.status == 202);
      const std::string pending = answer.body["pending_message"]["id"];
      compare_counts(room);
      REQUIRE(server_.post(room.path() + "/pending_messages/" + pending + "/approve").status == 202);
      run_until_none("send_approved", "pending_messages");
    } else {
      const auto at = format_time(system_clock().now() + std::chrono::hours(1));
      auto author = room.type == "team" ? server_ : app_.user(one.author);
      Json body{{"message", {{"text", "later"}}}, {"send_at", at}};
      if (room.type == "team") body["user_id"] = one.author;
      REQUIRE(author.post(room.path() + "/scheduled_messages", body).status == 201);
      Probe(superuser_database().dsn).run("update scheduled_messages set send_at = now() - interval '1 second' where app_id = '" +
                                          AppId::parse(app_.id())->text() + "'");
      run_until_none("send_scheduled", "scheduled_messages");
    }
    const auto newest = server_.get(room.path() + "/messages?limit=1").body["messages"][0];
    REQUIRE((newest["text"] == (held ? "may I?" : "later") && newest["user_id"] == one.author));
    one.id = newest["id"];
    room.model.say(std::move(one));
  }
  /// What waits counts for nobody.
  void compare_counts(const Room& room) {
    const auto answer = app_.user("u0").get("/v1/unread").body;
    if (sees(room, "u0")) CHECK(numbers_of(answer) == expected("u0"));
  }
  void run_until_none(const std::string& job, const std::string& table) {
    eventually(job, [&] {
      Service::get().node().run_job(job);
      return app_.rows(table) == 0;
    }, std::chrono::seconds(60));
  }

  void mark(Room& room, const std::string& user, std::size_t act) {
    const auto at = pick(room.model.said.size());
    const auto& said = room.model.said[at];
    const Json body{{"message_id", said.id}};
    const bool gone = said.erased || at < room.model.members[user].cleared;
    if (act < 19) {
      REQUIRE(app_.user(user).post(room.path() + "/read", body).status == (gone ? 404 : 200));
      if (!gone) room.model.read(user, at + 1);
    } else if (act < 21) {
      REQUIRE(app_.user(user).post(room.path() + "/unread", body).status == (gone ? 404 : 200));
      if (!gone) room.model.unread(user, at);
    } else if (!gone || said.erased) {
      const bool delivers = act == 21;
      const Json places = Json::array({{{"cid", room.cid()}, {"message_id", said.id}}});
      const auto answer = app_.user(user).post(delivers ? "/v1/delivered" : "/v1/read", {{"channels", places}});
      REQUIRE((answer.body["results"][0]["status"] == "refused") == gone);
      if (gone) return;
      if (delivers) room.model.deliver(user, at + 1);
      else room.model.read(user, at + 1);
    }
  }

  void act_in_thread(Room& room, const std::string& user, std::size_t act) {
    if (!room.model.shows_thread(user)) return;
    const auto path = room.path(room.model.said.front().id) + "/thread";
    if (act == 24) {
      REQUIRE(app_.user(user).post(path + "/follow").status == 200);
      room.model.follow(user);
    } else if (act == 25) {
      REQUIRE(app_.user(user).del(path + "/follow").status < 300);
      room.model.unfollow(user);
    } else {
      REQUIRE(app_.user(user).post(path + "/read").status == 200);
      room.model.read_thread(user);
    }
  }

  /// Muted, hidden, archived: counts as ever. A cleared history does not.
  void keep_for_itself(Room& room, const std::string& user) {
    Json body = Json::object();
    const auto what = pick(5);
    if (what == 0) body["clear_history"] = true;
    else body["set"] = {{std::array{"muted", "hidden", "archived", "pinned"}.at(what - 1), pick(2) == 0}};
    REQUIRE(app_.user(user).patch(room.path() + "/membership", body).status == 200);
    if (what == 0) room.model.clear(user);
  }

  void forget(Room& room) {
    const auto at = pick(room.model.said.size());
    auto& said = room.model.said[at];
    if (at == 0 || said.deleted) return;         // the first is the parent of replies
    const bool hard = pick(3) == 0;
    REQUIRE(server_.del(room.path(said.id) + (hard ? "?mode=hard" : "")).status == 200);
    said.deleted = true;
    said.erased = hard;
  }
  void bring_back(Room& room) {
    for (auto& said : room.model.said) {
      if (!said.deleted || said.erased || (said.reply && room.model.said.front().deleted)) continue;
      REQUIRE(server_.post(room.path(said.id) + "/undelete").status == 200);
      said.deleted = false;
      return;
    }
  }
  void edit_mentions(Room& room) {
    auto& said = room.model.said[pick(room.model.said.size())];
    const auto whom = member(room);
    if (said.deleted || whom.empty()) return;
    REQUIRE(server_.patch(room.path(said.id), {{"set", {{"mentions", {whom}}}}}).status == 200);
    said.mentioned = {whom};
  }

  /// What goes counts as deleted, and is not there any more.
  void truncate(Room& room) {
    if (room.model.said.size() < 8) return;
    const auto at = pick(room.model.said.size());
    Json body = {{"hard", pick(2) == 0}};
    if (pick(4) > 0) body["message_id"] = room.model.said[at].id;
    const auto answer = server_.post(room.path() + "/truncate", body);
    REQUIRE(answer.status == 200);
    if (!answer.body.contains("up_to_message_id")) return;
    for (std::size_t i = 0; i <= (body.contains("message_id") ? at : room.model.said.size() - 1); ++i)
      room.model.said[i].deleted = room.model.said[i].erased = true;
    if (pick(2) == 0) Service::get().node().run_job("finish_truncations");
  }

  /// Comes and goes, gets another role, is banned.
  void act_on_members(Room& room) {
    if (room.direct) return;
    const auto& user = users_[1 + pick(users_.size() - 1)];
    if (room.team == "red" && suspended_.contains(user)) return;
    auto& member = room.model.members[user];
    const auto what = pick(4);
    if (room.banned.contains(user)) {
      REQUIRE(server_.del(room.path() + "/bans/" + user).status == 204);
      room.banned.erase(user);
    } else if (member.inside && what == 0) {
      REQUIRE(server_.put(room.path() + "/bans/" + user, Json::object()).status == 200);
      room.banned.insert(user);
    } else if (member.inside && what == 1) {
      member.role = member.role == "member" ? "moderator" : "member";
      REQUIRE(server_.patch(room.path() + "/members/" + user, {{"role", member.role}}).status == 200);
    } else if (member.inside) {
      REQUIRE(server_.del(room.path() + "/members/" + user).status == 204);
      room.model.leave(user);
    } else {
      REQUIRE(server_.post(room.path() + "/members", {{"members", {user}}}).status == 200);
      room.model.join(user);
    }
  }

  void act_on_users(Room& room) {
    const auto what = pick(8);
    if (what < 2) return whisper(room);
    if (what < 4) return change_team();
    if (what < 6) return block();
    if (what == 6) {
      REQUIRE(server_.post(std::string("/v1/users/ghost/") + (ghost_away_ ? "reactivate" : "deactivate"),
                           ghost_away_ ? Json::object() : Json{{"hide_messages", true}}).status == 200);
      ghost_away_ = !ghost_away_;
    } else if (!gone_ && pick(3) == 0) {
      REQUIRE(server_.del("/v1/users/goner?mode=hard").status == 204);
      run_until_none("erase_deleted_users", "user_erasures");
      gone_ = true;
      for (auto& each : rooms_)                // its memberships and marks stay, so that receipts stay right
        for (auto& said : each.model.said)
          if (said.author == "goner") said.deleted = said.erased = true;
    }
  }
  /// In the shadow of a ban: for nobody's count.
  void whisper(Room& room) {
    if (room.direct || room.type == "team") return;
    Json message{{"text", "psst"}, {"mentions", {"u0"}}};
    if (pick(2) == 0 && !room.model.said.empty() && !room.model.said.front().deleted) message["parent_id"] = room.model.said.front().id;
    REQUIRE(app_.user("mallory").post(room.path() + "/messages", message).status == 201);
  }
  void change_team() {
    const auto& user = users_[1 + pick(users_.size() - 1)];
    if (suspended_.erase(user) > 0) return put_into(user, Json::array({"red", "blue"}));
    suspended_.insert(user);
    put_into(user, Json::array({"blue"}));
  }
  void block() {
    auto& direct = rooms_.back();
    if (direct.blocked) REQUIRE(app_.user("u1").del("/v1/users/u1/blocks/u2").status == 204);
    else REQUIRE(app_.user("u1").post("/v1/users/u1/blocks", {{"target_id", "u2"}}).status == 200);
    direct.blocked = !direct.blocked;
  }

  void put_into(const std::string& user, const Json& teams) {
    REQUIRE(server_.post("/v1/users", {{"users", {{{"user_id", user}, {"teams", teams}}}}}).body["results"][0]["status"] != "refused");
  }

  std::mt19937 random_;
  TestApp app_;
  Actor server_ = app_.server();
  const std::vector<std::string> users_{"u0", "u1", "u2", "u3", "u4"};
  std::vector<Room> rooms_;
  std::set<std::string> suspended_;              // not in team red at present
  bool ghost_away_ = false, gone_ = false;
  std::map<std::string, UnreadWatcher> watchers_;
};

unsigned first_seed() {
  const char* given = std::getenv("CHAT_TEST_SEED");
  return given ? static_cast<unsigned>(std::stoul(given)) : std::random_device()();
}

}  // namespace

TEST_CASE("reads: what is unread agrees with a slow model over random histories, asked for and pushed", "[api][reads][ws][property]") {
  const auto first = first_seed();
  WARN("CHAT_TEST_SEED=" << first << " plays these histories again");
  for (unsigned seed = first; seed != first + 4; ++seed) {
    INFO("seed " << seed);
    Play play(seed);
    for (int step = 1; step <= 100; ++step) {
      INFO("step " << step);
      play.step();
      if (step % 5 == 0) play.compare();
      if (step % 25 == 0) play.compare_pushed();
    }
    play.compare_receipts();
  }
}
