#include <catch2/catch.hpp>

#include "platform/outbound/queue.h"

namespace chat::outbound {
namespace {

using namespace std::chrono_literals;

std::unique_ptr<Errand> errand(const std::string& tenant, const std::string& host, const std::string& name = "") {
  auto one = std::make_unique<Errand>();
  one->call.tenant = tenant;
  one->call.body = name;
  one->host = host;
  return one;
}

bool push(Queue& queue, const std::string& tenant, const std::string& host, const std::string& name = "") {
  auto one = errand(tenant, host, name);
  return queue.push(one);
}

std::string started(Queue& queue, std::vector<std::unique_ptr<Errand>>& running) {
  std::string names;
  while (auto one = queue.next()) {
    names += one->call.body;
    running.push_back(std::move(one));
  }
  return names;
}

}  // namespace

TEST_CASE("outbound queue: hosts of all tenants take turns", "[unit][outbound]") {
  Queue queue({});
  for (const char* name : {"1", "2", "3"}) push(queue, "a", "x", name);
  push(queue, "a", "y", "4");
  push(queue, "b", "x", "5");
  std::vector<std::unique_ptr<Errand>> running;
  CHECK(started(queue, running) == "14523");
  CHECK(queue.active() == 5);
  CHECK(queue.waiting() == 0);
}

TEST_CASE("outbound queue: a host that hangs keeps its share only, and its own wait in order", "[unit][outbound]") {
  Client::Options options;
  options.max_active_per_host = 2;
  Queue queue(options);
  for (const char* name : {"1", "2", "3", "4"}) push(queue, "a", "hangs", name);
  push(queue, "a", "works", "5");
  std::vector<std::unique_ptr<Errand>> running;
  CHECK(started(queue, running) == "152");
  queue.finished(*running.front());
  CHECK(started(queue, running) == "3");
}

TEST_CASE("outbound queue: a tenant with many hosts leaves room for the others", "[unit][outbound]") {
  Client::Options options;
  options.max_active = 4;
  options.max_active_per_tenant = 3;
  Queue queue(options);
  for (const char* host : {"p", "q", "r", "s", "t"}) push(queue, "big", host, host);
  push(queue, "small", "z", "z");
  std::vector<std::unique_ptr<Errand>> running;
  CHECK(started(queue, running) == "pqrz");
  CHECK(queue.waiting() == 2);
}

TEST_CASE("outbound queue: full is full, and who waited too long is given back", "[unit][outbound]") {
  Client::Options options;
  options.max_waiting = 2;
  options.max_active = 0;
  Queue queue(options);
  const auto begin = std::chrono::steady_clock::now();
  auto early = errand("a", "x", "early"), late = errand("a", "x", "late"), third = errand("b", "y", "third");
  early->waits_since = begin;
  late->waits_since = begin + 10s;
  CHECK(queue.push(early));
  CHECK(queue.push(late));
  CHECK_FALSE(queue.push(third));
  REQUIRE(third != nullptr);
  const auto given_back = queue.take_waiting_since_before(begin + 5s);
  REQUIRE(given_back.size() == 1);
  CHECK(given_back.front()->call.body == "early");
  CHECK(queue.push(third));
}

}  // namespace chat::outbound
