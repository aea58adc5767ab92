#include <future>

#include "tests/db/redis/stage.h"

namespace chat::redis {
namespace {

using namespace std::chrono_literals;
using test::ScratchRedis;
using test::soon;

struct Commands {
  Connection connection;
  explicit Commands(const Options& options) : connection(options, {"commands", "", {}, {}, {}}) { connection.start(); }
  std::future<std::vector<Reply>> ask(const std::string& bytes, std::size_t count) {
    auto answer = std::make_shared<std::promise<std::vector<Reply>>>();
    auto future = answer->get_future();
    if (!connection.send(bytes, count, [answer](std::vector<Reply> replies) { answer->set_value(std::move(replies)); })) answer->set_value({});
    return future;
  }
  void wait_up() {
    soon("it is connected", [&] { return connection.is_up(); });
  }
};

}  // namespace

TEST_CASE("redis: answers come in the order of the questions, from many threads", "[db][redis]") {
  ScratchRedis server;
  Commands commands(server.options());
  commands.wait_up();
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const auto word = std::to_string(t) + ":" + std::to_string(i);
        const auto replies = commands.ask(command({"ECHO", word}) + command({"ECHO", "x" + word}), 2).get();
        right += replies.size() == 2 && replies[0].text == word && replies[1].text == "x" + word ? 1 : 0;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(right == 800);
}

TEST_CASE("redis: a refused command is an answer, not the end of the connection", "[db][redis]") {
  ScratchRedis server;
  Commands commands(server.options());
  commands.wait_up();
  CHECK(commands.ask(command({"NOSUCH"}), 1).get().at(0).kind == Reply::Kind::error);
  CHECK(commands.ask(command({"PING"}), 1).get().at(0).text == "PONG");
}

TEST_CASE("redis: a killed Redis answers nothing, and is found again when it is back", "[db][redis]") {
  ScratchRedis server;
  Commands commands(server.options());
  commands.wait_up();
  server.kill();
  soon("it is noticed", [&] { return !commands.connection.is_up(); });
  CHECK(commands.ask(command({"PING"}), 1).get().empty());
  server.start();
  commands.wait_up();
  CHECK(commands.ask(command({"PING"}), 1).get().size() == 1);
}

TEST_CASE("redis: a Redis that hangs is given up in time, and what waited for it is answered with nothing", "[db][redis]") {
  ScratchRedis server;
  Commands commands(server.options());
  commands.wait_up();
  server.pause();
  auto waiting = commands.ask(command({"PING"}), 1);
  REQUIRE(waiting.wait_for(5s) == std::future_status::ready);
  CHECK(waiting.get().empty());
  CHECK_FALSE(commands.connection.is_up());
  server.go_on();
  commands.wait_up();
}

TEST_CASE("redis: too much for a Redis that hangs is dropped, not kept", "[db][redis][limits]") {
  ScratchRedis server;
  auto options = server.options();
  options.answer_timeout = 10s;
  options.max_pending_bytes = 1'000'000;
  Commands commands(options);
  commands.wait_up();
  server.pause();
  const auto big = command({"ECHO", std::string(100'000, 'x')});
  int taken = 0;
  while (taken < 1'000 && commands.connection.send(big, 1, {})) ++taken;
  CHECK(taken >= 9);
  CHECK(taken < 100);
  server.go_on();
  soon("it takes commands again", [&] { return commands.connection.send(command({"PING"}), 1, {}); });
}

TEST_CASE("redis: with a wrong password it never is up, with the right one it is", "[db][redis]") {
  ScratchRedis server;
  Commands first(server.options());
  first.wait_up();
  REQUIRE(first.ask(command({"CONFIG", "SET", "requirepass", "open sesame"}), 1).get().at(0).text == "OK");
  auto options = server.options();
  options.password = "open sesame";
  Commands right(options);
  right.wait_up();
  options.password = "guess";
  Commands wrong(options);
  std::this_thread::sleep_for(300ms);          // an absence can only be waited for
  CHECK_FALSE(wrong.connection.is_up());
}

TEST_CASE("redis: it stops at once while Redis is away", "[db][redis]") {
  ScratchRedis server;
  server.kill();
  const auto begin = std::chrono::steady_clock::now();
  { Commands commands(server.options()); }
  CHECK(std::chrono::steady_clock::now() - begin < 1s);
}

TEST_CASE("redis: the difference of the clocks is known", "[db][redis]") {
  ScratchRedis server;
  Commands commands(server.options());
  commands.wait_up();
  CHECK(std::chrono::abs(commands.connection.clock_offset()) < 1s);   // one machine
}

}  // namespace chat::redis
