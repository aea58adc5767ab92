#include <random>

#include "tests/api/http/engines.h"

namespace chat::test {
namespace {

using std::chrono::milliseconds;

/// Pieces of HTTP, shuffled, cut and mistyped: closer to the parser's edges than plain noise.
std::string garbage(std::mt19937& random) {
  static const std::vector<std::string> pieces = {
      "GET ", "POST ", "/echo", "/big?x=%", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "Host: a\r\n", "\r\n", "\r\n\r\n", "\n", "\r",
      "Content-Length: 5\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n", "5\r\nabcde\r\n", "0\r\n\r\n", "0\r\n",
      "ffffffffffffffff\r\n", "5;", "Connection: close\r\n", "Upgrade: websocket\r\nConnection: upgrade\r\n",
      "Expect: 100-continue\r\n", ":", " ", "\t", "X: y\r\n", std::string(1, '\0'), "\xff\xfe", "Cookie: ;;;\r\n"};
  const auto pick = [&](std::size_t below) { return static_cast<std::size_t>(random() % below); };
  std::string text;
  for (std::size_t i = pick(14); i > 0; --i) text += pieces[pick(pieces.size())];
  for (std::size_t i = pick(4); i > 0 && !text.empty(); --i) text[pick(text.size())] = static_cast<char>(random());
  if (pick(3) == 0)
    for (std::size_t i = pick(60); i > 0; --i) text += static_cast<char>(random());
  return text;
}

TEST_CASE("engines: 10,000 garbage inputs neither crash nor hang", "[api][http][slow]") {
  const Engine engine(options_of(each_engine()), [](http::Upgrade&) { return false; });
  std::mt19937 random(20261121);
  for (int i = 0; i < 10'000; ++i) {
    HttpClient client = engine.connect();
    const std::string text = garbage(random);
    const std::size_t cut = text.empty() ? 0 : random() % text.size();
    client.try_send(text.substr(0, cut));
    client.try_send(text.substr(cut));
    if (i % 4 == 0) client.vanish();
    else if (i % 4 == 1) client.end_sending();
    if (i % 100 == 0) REQUIRE(engine.connect().request("GET", "/echo").status == 200);
    if (i % 4 == 1) REQUIRE(client.closes());
  }
}

TEST_CASE("engines: clients that vanish in the middle of an answer do no harm", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  for (int i = 0; i < 300; ++i) {
    HttpClient client = engine.connect(4096);
    client.send(i % 3 == 0   ? "GET /big HTTP/1.1\r\nHost: a\r\n\r\n"
                : i % 3 == 1 ? "GET /later HTTP/1.1\r\nHost: a\r\n\r\n"
                             : "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    if (i % 2 == 0 && i % 3 == 0) client.hears(milliseconds(1000));
    client.vanish();
  }
  CHECK(engine.connect().request("GET", "/later").body == "GET /later  ");
}

TEST_CASE("engines: connection churn never gives one client's answer to another", "[api][http]") {
  const Engine engine(options_of(each_engine()));
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 250; ++i) {
        const std::string mine = "n=" + std::to_string(t * 1000 + i);
        HttpClient gone = engine.connect();
        gone.send("GET /later?stolen=1 HTTP/1.1\r\nHost: a\r\n\r\n");
        gone.vanish();   // its descriptor is free again before its answer is ready
        HttpClient client = engine.connect();
        if (client.request("GET", "/later?" + mine).body != "GET /later " + mine + "; ") ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
}

TEST_CASE("engines: a client that sends far ahead is held back, not collected", "[api][http]") {
  std::vector<http::Responder> kept;
  std::mutex mutex;
  auto server = http::make_server(options_of(each_engine()), [&](http::Request, http::Responder respond) {
    const std::lock_guard lock(mutex);
    kept.push_back(std::move(respond));
  });
  server->start();
  HttpClient client(server->port());
  const std::string many = [] {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n";
    return text;
  }();
  std::atomic<bool> blocked{true};
  std::thread sending([&] {
    try {
      for (int i = 0; i < 2000; ++i) client.send(many);   // 64 MB
      blocked = false;
    } catch (const std::exception&) {
    }
  });
  while ([&] {
    const std::lock_guard lock(mutex);
    return kept.empty();
  }())
    std::this_thread::yield();
  CHECK(blocked);
  server->stop(milliseconds(100));
  sending.join();
  const std::lock_guard lock(mutex);
  CHECK(kept.size() == 1);
  CHECK(blocked);
}

}  // namespace
}  // namespace chat::test
