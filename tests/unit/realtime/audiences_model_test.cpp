#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

#include "tests/unit/realtime/stage.h"

namespace chat::realtime {

using namespace std::chrono_literals;

namespace {

const std::string kRoom = "messaging:room";
const std::vector<std::string> kUsers{"alice", "bob", "carol", "dave"};

/// The slow model: the whole history of a channel, and when each session came. What a session must, may and must not have heard
/// is read off it afterwards, event by event.
struct History {
  struct Step {
    std::set<std::string> hearers;             // members before, joined by or left by the event
    std::vector<std::string> left;
  };
  struct Visit {
    std::string user;
    std::int64_t from = 0;                     // committed when it connected
  };

  std::vector<Step> steps{{}};                 // by seq, from 1
  std::map<int, Visit> visits;

  bool hears(const std::string& user, std::int64_t seq) const {
    return user.empty() || steps[static_cast<std::size_t>(seq)].hearers.contains(user);
  }
  std::int64_t last() const { return static_cast<std::int64_t>(steps.size()) - 1; }
  // The user was a member at some time from `seq` on: being told early is no leak.
  bool hears_later(const std::string& user, std::int64_t seq) const {
    for (; seq <= last(); ++seq) {
      if (hears(user, seq)) return true;
    }
    return false;
  }
};

struct Random {
  std::mt19937 engine;
  bool one_in(unsigned n) { return engine() % n == 0; }
  std::size_t below(std::size_t n) { return engine() % n; }
};

// What is wrong with what a session heard; empty: nothing.
std::string judge(const History& history, const History::Visit& visit, const std::vector<Stage::Heard>& heard) {
  std::int64_t position = visit.from;
  std::int64_t resynced = 0;                       // everything up to here counts as told
  std::set<std::int64_t> told;
  for (const auto& one : heard) {
    if (one.is_resync) {
      if (one.reason != "not_found") resynced = std::max(resynced, one.seq);
      position = std::max(position, resynced);
      continue;
    }
    const std::string which = "event " + std::to_string(one.seq);
    if (!history.hears_later(visit.user, one.seq)) return which + " was heard after leaving";
    if (one.seq > visit.from && one.seq <= position) return which + " was heard twice or out of order";
    position = std::max(position, one.seq);
    told.insert(one.seq);
  }
  // A membership that changes within a hole is reported as a whole; the strict promise is for steady members. Who left and
  // returned at once is none, though nothing was committed between: a member list read there lacks it.
  const bool steady = std::all_of(history.steps.begin() + visit.from + 1, history.steps.end(), [&](const auto& step) {
    const bool leaves = std::find(step.left.begin(), step.left.end(), visit.user) != step.left.end();
    return visit.user.empty() || (step.hearers.contains(visit.user) && !leaves);
  });
  for (std::int64_t seq = visit.from + 1; steady && seq <= history.last(); ++seq) {
    if (seq > resynced && !told.contains(seq)) return "event " + std::to_string(seq) + " is missing, silently";
  }
  return {};
}

struct Chances {
  bool loses = false;            // the bus loses events of a hot channel
  bool fails = false;            // the database fails now and then
  bool forgets = false;          // events are purged before they can be loaded
};

void play(unsigned seed, const Chances& chances) {
  CAPTURE(seed);
  Random random{std::mt19937(seed)};
  Stage stage;
  stage.make_channel(kRoom, {"alice", "bob"});
  History history;
  std::vector<std::shared_ptr<const bus::Event>> unpublished;
  std::set<int> present;

  const auto commit = [&](std::vector<std::string> joined, std::vector<std::string> left) {
    History::Step step{stage.channel(kRoom).members, left};
    step.hearers.insert(joined.begin(), joined.end());
    history.steps.push_back(step);
    unpublished.push_back(stage.commit(kRoom, std::move(joined), std::move(left)));
  };
  const auto connect = [&](const std::string& user) {
    const int name = stage.connect(user);
    history.visits[name] = {user, history.last()};
    present.insert(name);
  };
  const auto publish_one = [&] {
    if (unpublished.empty()) return;
    const auto place = unpublished.begin() + static_cast<std::ptrdiff_t>(random.below(std::min<std::size_t>(unpublished.size(), 3)));
    const auto event = *place;
    unpublished.erase(place);
    const auto view = stage.audiences().view(stage.app(), kRoom, "", std::nullopt);
    if (chances.loses && view && view->last_seq + 1 < event->seq && random.one_in(4)) return;
    stage.publish(event);
  };

  connect("alice");
  for (int step = 0; step < 250; ++step) {
    switch (random.below(10)) {
      case 0: {
        const std::string& user = kUsers[random.below(kUsers.size())];
        if (stage.channel(kRoom).members.contains(user)) commit({}, {user});
        else commit({user}, {});
        break;
      }
      case 1:
      case 2:
      case 3:
        commit({}, {});
        if (chances.forgets && random.one_in(10)) stage.channel(kRoom).purged.insert(history.last());
        break;
      case 4:
        connect(random.one_in(6) ? "" : kUsers[random.below(kUsers.size())]);
        break;
      case 5:
        if (present.size() > 3 && unpublished.empty()) {
          // Whoever goes early is not judged on what came later.
          const int name = *std::next(present.begin(), static_cast<std::ptrdiff_t>(1 + random.below(present.size() - 1)));
          stage.disconnect(name);
          present.erase(name);
          history.visits.erase(name);
        }
        break;
      case 6:
        if (random.one_in(2)) {
          stage.begin_job();
          break;
        }
        stage.run_job(chances.fails && random.one_in(5));
        break;
      case 7:
        stage.read_mail(1 + random.below(6));
        break;
      case 8:
        stage.pass(std::chrono::milliseconds(random.below(120)));
        break;
      default:
        publish_one();
        publish_one();
    }
  }
  while (!unpublished.empty()) publish_one();
  stage.settle();
  commit({}, {});                                   // the last word: what the bus lost before it is found now
  stage.publish(unpublished.back());
  stage.settle();
  REQUIRE(stage.closed_applications.empty());
  for (const auto& [name, visit] : history.visits) {
    CAPTURE(name, visit.user, visit.from);
    REQUIRE(judge(history, visit, stage.heard(name)) == "");
  }
}

}  // namespace

TEST_CASE("audiences: random histories keep the promises of order, once and never silent", "[unit][realtime][order]") {
  for (unsigned seed = 1; seed <= 80; ++seed) play(seed, {});
}

TEST_CASE("audiences: so they do when the bus loses events", "[unit][realtime][order]") {
  for (unsigned seed = 1000; seed <= 1080; ++seed) play(seed, {.loses = true});
}

TEST_CASE("audiences: so they do when the database fails and forgets", "[unit][realtime][order]") {
  for (unsigned seed = 2000; seed <= 2080; ++seed) play(seed, {.loses = true, .fails = true, .forgets = true});
}

}  // namespace chat::realtime
