#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "platform/base/crypto.h"
#include "tests/api/process/child.h"
#include "tests/api/process/customer.h"
#include "tests/support/database.h"
#include "tests/support/http_client.h"
#include "tests/support/pictures.h"

using namespace chat;
using namespace chat::test;
using Json = nlohmann::json;

namespace {

/// tests/support/s3_store, as a process of its own.
class S3Store {
 public:
  S3Store() {
    std::array<int, 2> in{}, out{};
    REQUIRE((::pipe2(in.data(), O_CLOEXEC) == 0 && ::pipe2(out.data(), O_CLOEXEC) == 0));
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execl(CHAT_SOURCE_DIR "/tests/support/s3_store", "s3_store", nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    std::string line;
    for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) line += c;
    ::close(out[0]);
    REQUIRE_FALSE(line.empty());
    port_ = static_cast<std::uint16_t>(std::stoi(line));
  }
  ~S3Store() { stop(); }
  S3Store(const S3Store&) = delete;
  S3Store& operator=(const S3Store&) = delete;
  void stop() {
    if (pid_ <= 0) return;
    ::close(input_);                            // it ends with its input
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// What a client sends to a link of the store.
  HttpAnswer call(const std::string& method, const std::string& link, const HttpHeaders& headers = {}, const std::string& body = "") const {
    REQUIRE(link.substr(0, url().size()) == url());
    HttpClient client(port_);
    std::string head = method + " " + link.substr(url().size()) + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) + "\r\n";
    for (const auto& [name, value] : headers) head += name + ": " + value + "\r\n";
    client.send(head + "\r\n" + body);
    return client.read();
  }
  [[nodiscard]] std::vector<std::string> names() const {
    auto listed = HttpClient(port_).request("GET", "/names").body;
    std::vector<std::string> names;
    for (std::size_t at = 0; at < listed.size();) {
      const auto end = std::min(listed.find('\n', at), listed.size());
      names.push_back(listed.substr(at, end - at));
      at = end + 1;
    }
    return names;
  }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  std::uint16_t port_ = 0;
};

struct Reply {
  int status = 0;
  Json body;
  [[nodiscard]] std::string code() const { return body.value("code", ""); }
};

/// A chatd with an application, alice, and a channel of hers.
struct House {
  explicit House(const std::vector<std::string>& flags) : child(flags) {
    child.wait_ready();
    customer = make_customer(child, "files", {"general"});
  }
  Reply call(const std::string& method, const std::string& path, const Json& body, const std::string& user = "alice") const {
    const auto answer = HttpClient(child.public_port()).request(method, path, customer.headers(user), body.dump());
    return {answer.status, Json::parse(answer.body, nullptr, false)};
  }
  [[nodiscard]] Json begin(const std::string& name, std::size_t size) const {
    auto begun = call("POST", "/v1/channels/messaging/general/uploads", {{"name", name}, {"size_bytes", size}});
    INFO(begun.body);
    REQUIRE(begun.status == 201);
    return begun.body;
  }
  [[nodiscard]] Reply complete(const Json& begun) const {
    return call("POST", "/v1/uploads/" + begun["upload"]["id"].get<std::string>() + "/complete", Json::object());
  }
  [[nodiscard]] std::string of_app() const { return " where app_id = '" + AppId::parse(customer.app_id)->text() + "'"; }

  Child child;
  Customer customer;
};

std::string scratch() { return (std::filesystem::temp_directory_path() / ("chatd-scratch-" + crypto::hex(crypto::random_bytes(6)))).string(); }

/// A chatd whose files lie in a store of their own.
struct S3House {
  S3Store store;
  std::string folder = scratch();
  House house{{"uploads.storage=s3", "uploads.folder=" + folder, "uploads.s3.endpoint=" + store.url(), "uploads.s3.region=eu-test-1",
               "uploads.s3.bucket=files", "uploads.s3.access_key=AKIATESTKEY", "uploads.s3.secret_key=secret/of+the=tests",
               "uploads.s3.path_style=true", "uploads.s3.networks=[127.0.0.0/8]"}};
  ~S3House() { std::filesystem::remove_all(folder); }

  [[nodiscard]] int bring(const Json& begun, const std::string& bytes) const {
    HttpHeaders headers;
    for (const auto& [name, value] : begun["headers"].items()) headers.emplace_back(name, value);
    return store.call("PUT", begun["upload_url"], headers, bytes).status;
  }
};

void eventually(const std::string& what, const std::function<bool()>& holds) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) FAIL("did not happen in time: " << what);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

int files_in(const std::string& folder) {
  int count = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) count += entry.is_regular_file();
  return count;
}

}  // namespace

TEST_CASE("uploads: in S3, bytes go to the store and come from it over links that it verifies", "[api][process][uploads]") {
  S3House room;
  const auto picture = png(500, 1900);
  auto begun = room.house.begin("tall.png", picture.size());
  CHECK(room.house.complete(begun).code() == "conflict");
  REQUIRE(room.bring(begun, picture) == 200);
  auto done = room.house.complete(begun);
  INFO(done.body);
  REQUIRE(done.status == 200);
  auto upload = done.body["upload"];
  CHECK(upload["mime_type"] == "image/png");
  CHECK(upload["height"] == 1900);
  CHECK(upload["sha256"] == crypto::hex(crypto::sha256(picture)));
  CHECK(room.store.names().size() == 3);         // the original and two thumbnails; what was brought is no more
  auto file = room.store.call("GET", upload["url"]);
  CHECK(file.status == 200);
  CHECK(file.body == picture);
  CHECK(file.header("content-type") == "image/png");
  CHECK(file.header("content-disposition") == "inline; filename=\"tall.png\"; filename*=UTF-8''tall.png");
  CHECK(room.store.call("GET", upload["thumbnails"][1]["url"]).body.substr(8, 4) == "WEBP");
  const std::string url = upload["url"];
  CHECK(room.store.call("GET", url.substr(0, url.size() - 1) + (url.back() == '0' ? "1" : "0")).status == 403);
  CHECK(room.store.call("DELETE", url).status == 403);
  // Who still holds the link to bring changes nothing that anybody fetches.
  CHECK(room.bring(begun, std::string(picture.size(), 'x')) == 200);
  CHECK(room.house.complete(begun).body["upload"]["sha256"] == upload["sha256"]);
  CHECK(room.store.call("GET", upload["url"]).body == picture);
}

TEST_CASE("uploads: in S3, a large file is looked at in pieces", "[api][process][uploads]") {
  S3House room;
  std::string bytes(9'500'000, '\x01');
  for (std::size_t i = 0; i < bytes.size(); i += 1000) bytes[i] = static_cast<char>(i / 1000);
  auto begun = room.house.begin("a.bin", bytes.size());
  REQUIRE(room.bring(begun, bytes) == 200);
  CHECK(room.house.complete(begun).body["upload"]["sha256"] == crypto::hex(crypto::sha256(bytes)));
  CHECK(std::filesystem::is_empty(room.folder));
}

TEST_CASE("uploads: in S3, another size than was said is refused", "[api][process][uploads]") {
  S3House room;
  auto begun = room.house.begin("a.bin", 100);
  CHECK(room.bring(begun, std::string(100, 'x').substr(0, 99) + "y") == 200);
  CHECK(room.store.call("PUT", begun["upload_url"], {{"Content-Length", "50"}}, std::string(50, 'x')).status == 403);   // the length is signed
  CHECK(room.house.complete(begun).status == 200);
}

TEST_CASE("uploads: in S3, removal empties the store", "[api][process][uploads]") {
  S3House room;
  const auto picture = png(200, 200);
  auto begun = room.house.begin("a.png", picture.size());
  REQUIRE(room.bring(begun, picture) == 200);
  REQUIRE(room.house.complete(begun).status == 200);
  REQUIRE(room.bring(begun, picture) == 200);
  CHECK(room.store.names().size() == 4);
  Probe probe(superuser_database().dsn);
  probe.run("update uploads set delete_after = now(), links_until = now()" + room.house.of_app());
  eventually("the store is empty", [&] { return room.store.names().empty(); });
  eventually("the row is gone", [&] { return probe.value("select count(*) from uploads" + room.house.of_app()) == "0"; });
}

TEST_CASE("uploads: in S3, a store that is away is said and nothing is lost", "[api][process][uploads]") {
  S3House room;
  auto begun = room.house.begin("a.bin", 100);
  REQUIRE(room.bring(begun, std::string(100, 'x')) == 200);
  room.store.stop();
  CHECK(room.house.complete(begun).code() == "unavailable");
  CHECK(Probe(superuser_database().dsn).value("select state from uploads" + room.house.of_app()) == "pending");
}

TEST_CASE("uploads: kill -9 in the middle of an upload leaves nothing for long", "[api][process][crash][uploads]") {
  const auto folder = scratch();
  std::string of_app;
  {
    House house({"uploads.folder=" + folder});
    of_app = house.of_app();
    auto begun = house.begin("a.bin", 2'000'000);
    HttpClient client(house.child.public_port());
    client.send("PUT " + begun["upload_url"].get<std::string>() + " HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + std::string(1'000'000, 'x'));
    eventually("its first bytes", [&] { return files_in(folder) == 1; });
    house.child.signal(SIGKILL);
    house.child.wait_end();
  }
  CHECK(files_in(folder) == 1);
  Child again({"uploads.folder=" + folder});
  again.wait_ready();
  Probe probe(superuser_database().dsn);
  probe.run("update uploads set delete_after = now(), links_until = now()" + of_app);
  eventually("no file", [&] { return files_in(folder) == 0; });
  eventually("no row", [&] { return probe.value("select count(*) from uploads" + of_app) == "0"; });
  CHECK(probe.value("select reserved_bytes from storage_accounts" + of_app) == "0");
  again.signal(SIGTERM);
  again.wait_end();
  std::filesystem::remove_all(folder);
}
