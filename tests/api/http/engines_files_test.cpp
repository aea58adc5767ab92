#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "platform/base/error.h"
#include "platform/http/files.h"
#include "tests/api/http/engines.h"

namespace chat::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLargest = 20 * 1024 * 1024;

/// What became of the bodies that were taken.
struct Ledger {
  std::atomic<std::size_t> bytes{0}, largest_piece{0};
  std::atomic<int> finished{0}, dropped{0};
  std::atomic<bool> disk_full{false};
};

class Body final : public http::Upload {
 public:
  explicit Body(Ledger& ledger) : ledger_(ledger) {}
  ~Body() override {
    if (!finished_) ++ledger_.dropped;
  }
  [[nodiscard]] std::size_t max_bytes() const override { return kLargest; }
  void write(std::string_view bytes) override {
    if (ledger_.disk_full) throw Error(Code::unavailable, "No room.");
    ledger_.bytes += bytes.size();
    ledger_.largest_piece = std::max<std::size_t>(ledger_.largest_piece, bytes.size());
  }
  void finish() override {
    finished_ = true;
    ++ledger_.finished;
  }

 private:
  Ledger& ledger_;
  bool finished_ = false;
};

/// PUT /store is taken in pieces; GET /file answers with a file.
struct Store {
  explicit Store(const std::string& engine) {
    {
      std::ofstream out(path);
      for (int i = 0; i < 400'000; ++i) out << "0123456789";
    }
    auto options = options_of(engine);
    options.on_large_body = [this](const http::Request& head) -> std::shared_ptr<http::Upload> {
      if (head.path == "/forbidden") throw Error(Code::forbidden, "Not yours.");
      return head.path == "/store" ? std::make_shared<Body>(ledger) : nullptr;
    };
    server = http::make_server(options, [this](http::Request request, http::Responder respond) {
      http::Response response = http::json(200, "{}");
      if (request.path == "/file") {
        response.body.clear();
        http::with_file(response, {path, request.query.empty() ? 0U : 5U, request.query.empty() ? 4'000'000U : 7U});
      } else if (request.path == "/short") {
        response.body.clear();
        http::with_file(response, {path, 0, 5'000'000});
      } else {
        response.body = dynamic_cast<const Body*>(request.principal.get()) != nullptr ? "stored " + request.body : "held " + std::to_string(request.body.size());
      }
      respond(std::move(response));
    });
    server->start();
  }
  ~Store() {
    server->stop(std::chrono::milliseconds(1000));
    fs::remove(path);
  }
  [[nodiscard]] HttpClient connect(int receive_buffer = 0) const { return HttpClient(server->port(), receive_buffer); }

  const std::string path = (fs::temp_directory_path() / ("chat-files-test-" + std::to_string(::getpid()))).string();
  Ledger ledger;
  std::unique_ptr<http::Server> server;
};

void eventually(const std::function<bool()>& holds) {
  for (int i = 0; i < 500 && !holds(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(holds());
}

}  // namespace

TEST_CASE("engines: a large body is taken in pieces and its request handled when it is whole", "[api][http]") {
  Store store(each_engine());
  HttpClient client = store.connect();
  for (int i = 0; i < 2; ++i) {                  // the connection stays good
    const HttpAnswer answer = client.request("PUT", "/store", {}, std::string(5'000'000, 'x'));
    CHECK(answer.status == 200);
    CHECK(answer.body == "stored ");
  }
  CHECK(store.ledger.bytes == 10'000'000);
  CHECK(store.ledger.finished == 2);
  CHECK(store.ledger.largest_piece < 2 * http::kPieceBytes);
  CHECK(client.request("PUT", "/store", {}, "small").body == "stored ");
  CHECK(client.request("PUT", "/else", {}, "small").body == "held 5");
  CHECK(client.request("PUT", "/else", {}, std::string(1'100'000, 'x')).status == 413);
}

TEST_CASE("engines: a large body in chunks is taken too, and bounded", "[api][http]") {
  Store store(each_engine());
  HttpClient client = store.connect();
  client.send("PUT /store HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "40000\r\n" + std::string(0x40000, 'x') + "\r\n";
  for (int i = 0; i < 8; ++i) client.send(chunk);
  client.send("0\r\n\r\n");
  CHECK(client.read().body == "stored ");
  CHECK(store.ledger.bytes == 8 * 0x40000);
  HttpClient endless = store.connect();
  endless.send("PUT /store HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (std::size_t sent = 0; sent < kLargest + 2 * 0x40000 && endless.try_send(chunk); sent += 0x40000) {
  }
  CHECK(endless.read().status == 413);
}

TEST_CASE("engines: a large body that its head forbids is refused before it is sent", "[api][http]") {
  Store store(each_engine());
  HttpClient client = store.connect();
  client.send("PUT /forbidden HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\nExpect: 100-continue\r\n\r\n");
  const HttpAnswer refusal = client.read();
  CHECK(refusal.status == 403);
  CHECK(refusal.header("connection") == "close");
  HttpClient too_long = store.connect();
  too_long.send("PUT /store HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n");
  CHECK(too_long.read().status == 413);
  CHECK(store.ledger.bytes == 0);
}

TEST_CASE("engines: when a piece can't be stored the request is refused and the rest not read", "[api][http]") {
  Store store(each_engine());
  store.ledger.disk_full = true;
  HttpClient client = store.connect();
  client.send("PUT /store HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n" + std::string(600'000, 'x'));
  CHECK(client.read().status == 503);
  eventually([&] { return store.ledger.dropped == 1; });
}

TEST_CASE("engines: a client that goes away leaves no large body behind", "[api][http]") {
  Store store(each_engine());
  {
    HttpClient client = store.connect();
    client.send("PUT /store HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n" + std::string(900'000, 'x'));
    eventually([&] { return store.ledger.bytes > 0; });
    client.vanish();
  }
  eventually([&] { return store.ledger.dropped == 1; });
  CHECK(store.ledger.finished == 0);
}

TEST_CASE("engines: a file is sent as it is read, whole or a part of it", "[api][http]") {
  Store store(each_engine());
  HttpClient client = store.connect(8 * 1024);   // a slow reader
  for (int i = 0; i < 2; ++i) {
    const HttpAnswer whole = client.request("GET", "/file");
    CHECK(whole.body.size() == 4'000'000);
    CHECK(whole.body.substr(3'999'990) == "0123456789");
    CHECK_FALSE(whole.header("x-chat-file"));
  }
  CHECK(client.request("GET", "/file?part=1").body == "5678901");
  client.send("HEAD /file HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK(client.read(true).header("content-length") == "4000000");
  CHECK(client.request("GET", "/else").body == "held 0");
}

TEST_CASE("engines: a file that ends before its promised length ends the connection", "[api][http]") {
  Store store(each_engine());
  HttpClient client = store.connect();
  client.send("GET /short HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_THROWS_AS(client.read(), HttpClosed);
}

}  // namespace chat::test
