#include <catch2/catch.hpp>

#include <atomic>

#include "tests/support/receiver.h"
#include "tests/support/service.h"

using namespace chat;
using namespace chat::test;

namespace {

http::Response page(const std::string& html, const std::string& type = "text/html; charset=utf-8") {
  http::Response response;
  response.body = html;
  response.content_type = type;
  return response;
}

std::string titled(const std::string& title) { return "<!doctype html><html><head><title>" + title + "</title></head><body>x</body></html>"; }

/// Pages by path; anything else is 404.
struct Site {
  explicit Site(std::map<std::string, http::Response> pages)
      : receiver([pages = std::move(pages)](const http::Request& request, const http::Responder& respond) {
          const auto found = pages.find(request.path);
          respond(found == pages.end() ? http::json(404, "{}") : found->second);
        }) {}
  Receiver receiver;
};

http::Response redirect(const std::string& location) {
  http::Response response;
  response.status = 302;
  response.with("Location", location);
  return response;
}

struct Room : TestApp {
  Room() {
    add_users({"alice", "bob"});
    add_channel("general", {"alice", "bob"});
    REQUIRE(server().patch("/v1/channel_types/messaging", {{"settings", {{"link_previews", true}}}}).status == 200);
  }
  void run_until_done() {
    eventually("the previews", [&] {
      Service::get().node().run_job("fetch_previews");
      return rows("preview_queue") == 0;
    }, std::chrono::seconds(20));
  }
  Json attachments_of(const Json& message) {
    run_until_done();
    return user("bob").get(kMessages + "/" + message["id"].get<std::string>()).body["message"]["attachments"];
  }
};

const char* const kArticle =
    "<html><head><meta charset='utf-8'><title>ignored</title><meta property=\"og:title\" content=\"Lunch &amp; more\">"
    "<meta property='og:description' content='Where\n we   eat'><meta property='og:image' content='https://cdn.example.com/a.png'>"
    "<meta property='og:site_name' content='Example'></head><body><title>no</title></body></html>";

}  // namespace

TEST_CASE("previews: what a page says about itself is attached, and the channel hears of it", "[api][previews][ws]") {
  Room room;
  Site site({{"/article", page(kArticle)}});
  auto bob = room.connect("bob");
  const auto url = site.receiver.url("/article");
  auto message = room.send("alice", "general", "Look: " + url + ".", {{"attachments", {{{"type", "image"}}}}});
  CHECK(message["attachments"].size() == 1);
  room.run_until_done();
  auto heard = hear(bob, "message.updated")["data"]["message"];
  REQUIRE(heard["attachments"].size() == 2);
  CHECK(heard["attachments"][1] == Json({{"type", "link"}, {"preview", true}, {"url", url}, {"title", "Lunch & more"},
                                         {"description", "Where we eat"}, {"image", "https://cdn.example.com/a.png"}, {"site_name", "Example"}}));
  CHECK_FALSE(heard.contains("updated_at"));
  CHECK(room.rows("channel_events", "type = 'message.updated'") == 1);
}

TEST_CASE("previews: a page is fetched once for an application, and three of a message at most", "[api][previews][limits]") {
  Room room;
  Site site({{"/a", page(titled("A"))}, {"/b", page(titled("B"))}, {"/c", page(titled("C"))}, {"/d", page(titled("D"))}});
  std::string text;
  for (const char* path : {"/a", "/b", "/a", "/c", "/d"}) text += "(" + site.receiver.url(path) + ") ";
  auto shown = room.attachments_of(room.send("alice", "general", text));
  REQUIRE(shown.size() == 3);
  CHECK(shown[2]["title"] == "C");
  CHECK(room.attachments_of(room.send("bob", "general", site.receiver.url("/a")))[0]["title"] == "A");
  auto seen = site.receiver.seen();
  std::sort(seen.begin(), seen.end());
  CHECK(seen == std::vector<std::string>{"/a", "/b", "/c"});
  CHECK(room.rows("channel_events", "type = 'message.updated'") == 2);
}

TEST_CASE("previews: an edit replaces them, and leaves what the author attached", "[api][previews]") {
  Room room;
  Site site({{"/a", page(titled("A"))}, {"/b", page(titled("B"))}});
  auto message = room.send("alice", "general", site.receiver.url("/a"), {{"attachments", {{{"type", "file"}}}}});
  REQUIRE(room.attachments_of(message).size() == 2);
  auto edit = [&](const std::string& text) {
    REQUIRE(room.user("alice").patch(kMessages + "/" + message["id"].get<std::string>(), {{"set", {{"text", text}}}}).status == 200);
  };
  edit("rather " + site.receiver.url("/b"));
  auto shown = room.attachments_of(message);
  REQUIRE(shown.size() == 2);
  CHECK(shown[0]["type"] == "file");
  CHECK(shown[1]["title"] == "B");
  edit("nothing");
  CHECK(room.attachments_of(message).size() == 1);
}

TEST_CASE("previews: of a page that can't be had there is none, and the message stands", "[api][previews]") {
  Room room;
  Site site({{"/json", page("{}", "application/json")},
             {"/untitled", page("<html><body>x</body></html>")},
             {"/plain", page("<title>x</title>", "text/plain")},
             {"/loop", redirect("/loop")},
             {"/inside", redirect("http://10.1.2.3/")},
             {"/nowhere", redirect("ftp://example.com/")}});
  for (const std::string& url : {site.receiver.url("/json"), site.receiver.url("/untitled"), site.receiver.url("/plain"), site.receiver.url("/missing"),
                                 site.receiver.url("/loop"), site.receiver.url("/inside"), site.receiver.url("/nowhere"),
                                 std::string("http://10.1.2.3/private"), std::string("http://169.254.169.254/latest/meta-data"),
                                 std::string("http://127.0.0.1:1/closed"), std::string("http://no-such-host.invalid/")})
    CHECK(room.attachments_of(room.send("alice", "general", url)).empty());
  CHECK(room.rows("channel_events", "type = 'message.updated'") == 0);
  CHECK(room.rows("link_previews", "preview is not null") == 0);
  const auto seen = site.receiver.seen();
  CHECK(std::count(seen.begin(), seen.end(), "/loop") == 4);
}

TEST_CASE("previews: redirects are followed, three at most", "[api][previews]") {
  Room room;
  Site site({{"/1", redirect("/2")}, {"/2", redirect("/3")}, {"/3", redirect("/4?x=1")}, {"/4", page(titled("There"))}});
  const auto url = site.receiver.url("/1");
  auto shown = room.attachments_of(room.send("alice", "general", url));
  REQUIRE(shown.size() == 1);
  CHECK(shown[0]["title"] == "There");
  CHECK(shown[0]["url"] == url);
}

TEST_CASE("previews: slow and huge pages do no harm", "[api][previews][limits]") {
  Room room;
  const std::string huge = "<html><head><title>Huge</title></head><body>" + std::string(3 * 1024 * 1024, 'x') + "</body></html>";
  const std::string deep = "<title>Deep</title>" + [] { std::string tags; for (int i = 0; i < 40'000; ++i) tags += "<i>"; return tags; }();
  std::vector<http::Responder> waiting;
  std::mutex mutex;
  Receiver receiver([&](const http::Request& request, http::Responder respond) {
    if (request.path == "/huge") return respond(page(huge));
    if (request.path == "/deep") return respond(page(deep));
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(respond));       // never answered in time
  });
  CHECK(room.attachments_of(room.send("alice", "general", receiver.url("/huge")))[0]["title"] == "Huge");
  CHECK(room.attachments_of(room.send("alice", "general", receiver.url("/deep")))[0]["title"] == "Deep");
  CHECK(room.attachments_of(room.send("alice", "general", receiver.url("/slow"))).empty());
  const std::lock_guard lock(mutex);
  for (auto& respond : waiting) respond(page(titled("late")));
}

TEST_CASE("previews: pages in any encoding are read, hostile ones made harmless", "[api][previews]") {
  Room room;
  Site site({{"/latin", page("<title>Caf\xe9</title>", "text/html; charset=iso-8859-1")},
             {"/meta", page("<head><meta charset='windows-1251'><title>\xcf\xf0\xe8</title></head>", "text/html")},
             {"/broken", page("<title>ok \xff\xfe bad</title", "text/html; charset=utf-8")},
             {"/hostile", page("<title>a\n\tb</title><meta property='og:image' content='javascript:alert(1)'><meta property='og:description' content='&lt;script&gt;'>")},
             {"/long", page("<title>" + std::string(5'000, 'x') + "</title>")}});
  auto title = [&](const char* path) { return room.attachments_of(room.send("alice", "general", site.receiver.url(path))).at(0); };
  CHECK(title("/latin")["title"] == "Café");
  CHECK(title("/meta")["title"] == "При");
  CHECK(title("/broken")["title"].get<std::string>().substr(0, 2) == "ok");
  auto hostile = title("/hostile");
  CHECK(hostile["title"] == "a b");
  CHECK(hostile["description"] == "<script>");
  CHECK_FALSE(hostile.contains("image"));
  CHECK(title("/long")["title"].get<std::string>().size() == 300);
}

TEST_CASE("previews: only where the channel type wants them", "[api][previews]") {
  Room room;
  Site site({{"/a", page(titled("A"))}});
  REQUIRE(room.server().patch("/v1/channel_types/messaging", {{"settings", {{"link_previews", false}}}}).status == 200);
  auto message = room.send("alice", "general", site.receiver.url("/a"));
  CHECK(room.rows("preview_queue") == 0);
  CHECK(room.attachments_of(message).empty());
  CHECK(site.receiver.seen().empty());
}

TEST_CASE("previews: a message deleted meanwhile gets none, and what was kept is forgotten in time", "[api][previews]") {
  Room room;
  Site site({{"/a", page(titled("A"))}});
  auto message = room.send("alice", "general", site.receiver.url("/a"));
  room.user("alice").del(kMessages + "/" + message["id"].get<std::string>());
  room.run_until_done();
  CHECK(room.rows("channel_events", "type = 'message.updated'") == 0);
  room.attachments_of(room.send("alice", "general", site.receiver.url("/a")));
  REQUIRE(room.rows("link_previews") == 1);
  Probe(superuser_database().dsn).run("update link_previews set expires_at = now() where app_id = '" + AppId::parse(room.id())->text() + "'");
  eventually("the sweep", [&] {
    Service::get().node().run_job("sweep_previews");
    return room.rows("link_previews") == 0;
  });
}
