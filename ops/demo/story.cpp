// chat_demo: the main job, played by two users on the public door. Prints what each step saw; any step that goes
// otherwise ends it with 1. `ops/start --demo` runs it; credentials come through the environment, never as arguments.
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "ops/demo/client.h"

namespace chat::demo {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kSoon{5'000};
constexpr int kMissed = 5;                         // messages sent while Bob is away

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') throw Failure(std::string(name) + " is not set");
  return value;
}

void must(bool holds, const std::string& otherwise) {
  if (!holds) throw Failure(otherwise);
}

void headline(const std::string& text) { std::cout << "\n  " << text << "\n"; }
void saw(const std::string& text) { std::cout << "      " << text << "\n" << std::flush; }

class Story {
 public:
  Story()
      : door_{variable("DEMO_HOST"), variable("DEMO_PORT")},
        server_{variable("DEMO_KEY"), variable("DEMO_SERVER_TOKEN")},
        alice_{variable("DEMO_KEY"), variable("DEMO_ALICE_TOKEN")},
        bob_{variable("DEMO_KEY"), variable("DEMO_BOB_TOKEN")},
        tiny_server_{variable("DEMO_TINY_KEY"), variable("DEMO_TINY_SERVER_TOKEN")},
        channel_(variable("DEMO_CHANNEL")) {}

  void tell() {
    set_up();
    deliver();
    resume();
    catch_up_by_reading();
    refuse();
    show_usage();
  }

 private:
  json expect(unsigned status, const Credentials& who, const std::string& method, const std::string& target,
              const json& body = nullptr) {
    Answer answer = ask(door_, who, method, target, body);
    must(answer.status == status || (status == 201 && answer.status == 200),
         method + " " + target + " answered " + std::to_string(answer.status) + ": " + answer.body.dump());
    return answer.body;
  }

  [[nodiscard]] std::string target(const std::string& rest = "") const { return "/v1/channels/messaging/" + channel_ + rest; }

  json send(const std::string& text) { return expect(201, alice_, "POST", target("/messages"), {{"text", text}})["message"]; }

  json next_message(Socket& socket) {
    auto frame = socket.wait_for("message.new", kSoon);
    must(frame.has_value(), "no message.new within 5 s");
    return *frame;
  }

  void set_up() {
    headline("1. The customer's backend makes two users and their channel");
    expect(200, server_, "POST", "/v1/users", 
           {{"users", json::array({{{"user_id", "alice"}, {"name", "Alice"}}, {{"user_id", "bob"}, {"name", "Bob"}}})}});
    const json state = expect(201, server_, "POST", target(), {{"created_by", "alice"}, {"members", json::array({"alice", "bob"})}});
    epoch_ = state["channel"]["epoch"];
    cid_ = state["channel"]["cid"];
    saw(cid_ + " with " + std::to_string(state["channel"]["member_count"].get<int>()) + " members");
  }

  void deliver() {
    headline("2. Both connect over WebSocket; Alice sends over REST, Bob receives");
    alice_socket_ = std::make_unique<Socket>(door_, alice_);
    bob_socket_ = std::make_unique<Socket>(door_, bob_);
    const auto before = std::chrono::steady_clock::now();
    const json sent = send("Hello, Bob");
    const json seen = next_message(*bob_socket_);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - before;
    must(seen["data"]["message"]["id"] == sent["id"] && seen["cid"] == cid_, "Bob saw another message: " + seen.dump());
    must(next_message(*alice_socket_)["seq"] == seen["seq"], "Alice's own socket saw another seq");
    last_seq_ = seen["seq"];
    saw("Bob: " + seen["type"].get<std::string>() + " seq " + std::to_string(last_seq_) + " \"" +
        seen["data"]["message"]["text"].get<std::string>() + "\", " + std::to_string(took.count()).substr(0, 5) +
        " ms after Alice pressed send; stored before she was answered");
  }

  void resume() {
    headline("3. Bob's connection is cut; Alice goes on; Bob resumes from where he was");
    bob_socket_->cut();
    saw("cut after seq " + std::to_string(last_seq_));
    for (int i = 1; i <= kMissed; ++i) send("while you were away, " + std::to_string(i) + " of " + std::to_string(kMissed));
    bob_socket_ = std::make_unique<Socket>(door_, bob_, true);
    bob_socket_->say({{"type", "resume"}, {"channels", {{cid_, {{"epoch", epoch_}, {"seq", last_seq_}}}}}});
    for (int i = 0; i < kMissed; ++i) must_be_next(next_message(*bob_socket_));
    saw("resumed: " + std::to_string(kMissed) + " missed messages came, in order, up to seq " + std::to_string(last_seq_));
    send("welcome back");
    must_be_next(next_message(*bob_socket_));
    saw("and live again: seq " + std::to_string(last_seq_));
  }

  void must_be_next(const json& frame) {
    must(frame["seq"] == last_seq_ + 1,
         "expected seq " + std::to_string(last_seq_ + 1) + ", saw " + frame["seq"].dump() + ": something is missing");
    last_seq_ = frame["seq"];
  }

  void catch_up_by_reading() {
    headline("4. History and unread count agree");
    const json unread = expect(200, bob_, "GET", "/v1/unread");
    const json history = expect(200, bob_, "GET", target("/messages?limit=50"))["messages"];
    must(history.size() == kMissed + 2, "history holds " + std::to_string(history.size()) + " messages");
    must(history.back()["seq"] == last_seq_, "the newest in history has another seq");
    const json read = expect(200, bob_, "POST", target("/read"), json::object());
    saw(std::to_string(history.size()) + " messages stored, newest last; Bob had " + unread["total"].dump() +
        " unread in all, and marks the channel read: " + read["read"].dump());
  }

  void refuse() {
    headline("5. Another application, on the plan 'tiny', runs into its limit");
    expect(200, tiny_server_, "POST", "/v1/users", {{"users", json::array({{{"user_id", "zoe"}}})}});
    expect(201, tiny_server_, "POST", "/v1/channels/messaging/room", {{"created_by", "zoe"}, {"members", json::array({"zoe"})}});
    int accepted = 0;
    for (int i = 0; i < 20; ++i) {
      const Answer answer = ask(door_, tiny_server_, "POST", "/v1/channels/messaging/room/messages",
                                {{"user_id", "zoe"}, {"text", "message " + std::to_string(i)}});
      if (answer.status == 201) {
        ++accepted;
        continue;
      }
      must(answer.body.value("code", "") == "quota_exceeded", "refused otherwise than expected: " + answer.body.dump());
      saw(std::to_string(accepted) + " messages accepted, then " + std::to_string(answer.status) + " " +
          answer.body["code"].get<std::string>() + ": " + answer.body.value("detail", ""));
      const json stored = expect(200, tiny_server_, "GET", "/v1/channels/messaging/room/messages?user_id=zoe")["messages"];
      must(static_cast<int>(stored.size()) == accepted, "a refused message left something behind");
      saw("the refused one left nothing: " + std::to_string(stored.size()) + " are stored");
      return;
    }
    throw Failure("20 messages were accepted on a plan that allows 5");
  }

  void show_usage() {
    headline("6. Usage, as the customers see it (GET /v1/usage)");
    const json mine = expect(200, server_, "GET", "/v1/usage");
    const json tiny = expect(200, tiny_server_, "GET", "/v1/usage");
    must(meter(mine, "messages")["value"] >= kMissed + 2, "usage does not know the messages: " + mine.dump());
    must(meter(tiny, "messages")["state"] == "blocked", "the tiny application is not shown as blocked: " + tiny.dump());
    for (const json& usage : {mine, tiny})
      saw("plan " + usage["plan"].get<std::string>() + ": " + meter(usage, "messages")["value"].dump() + " messages of " +
          meter(usage, "messages")["included"].dump() + " included, state " +
          meter(usage, "messages")["state"].get<std::string>());
  }

  static json meter(const json& usage, const std::string& name) {
    for (const auto& meter : usage["meters"])
      if (meter["meter"] == name) return meter;
    throw Failure("usage has no meter " + name + ": " + usage.dump());
  }

  Door door_;
  Credentials server_, alice_, bob_, tiny_server_;
  std::string channel_, cid_, epoch_;
  std::int64_t last_seq_ = 0;
  std::unique_ptr<Socket> alice_socket_, bob_socket_;
};

}  // namespace
}  // namespace chat::demo

int main() {
  try {
    chat::demo::Story().tell();
  } catch (const std::exception& failure) {
    std::cerr << "\nchat_demo: " << failure.what() << "\n";
    return 1;
  }
}
