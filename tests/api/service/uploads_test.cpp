#include <catch2/catch.hpp>

#include <thread>

#include "platform/base/crypto.h"
#include "platform/base/json.h"
#include "tests/api/service/uploads_stage.h"

using namespace chat;
using namespace chat::test;

namespace {

std::string bytes_of(std::size_t size) {   // of no known type
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 7919 + i / 251) % 251 + 1);
  bytes[0] = '\x01';
  return bytes;
}

int sides(const std::string& webp, std::size_t at) {   // of a lossy one: two bytes, little endian
  return (static_cast<unsigned char>(webp.at(at)) | static_cast<unsigned char>(webp.at(at + 1)) << 8) & 0x3FFF;
}

}  // namespace

TEST_CASE("uploads: an image is brought, looked at, sent in a message and fetched by who may read it", "[api][uploads]") {
  UploadRoom room;
  const auto picture = png(1200, 800);
  auto begun = room.begin("alice", "Seating plan \"2\".png", picture.size());
  CHECK(begun["upload"]["state"] == "pending");
  CHECK_FALSE(begun["upload"].contains("url"));
  auto brought = UploadRoom::bring(begun, picture);
  REQUIRE(brought.status == 200);
  auto upload = brought.body["upload"];
  CHECK(upload["state"] == "ready");
  CHECK(upload["mime_type"] == "image/png");
  CHECK(upload["width"] == 1200);
  CHECK(upload["height"] == 800);
  CHECK(upload["sha256"] == crypto::hex(crypto::sha256(picture)));
  REQUIRE(upload["thumbnails"].size() == 2);
  CHECK(upload["thumbnails"][0]["width"] == 160);
  CHECK(upload["thumbnails"][1]["height"] == 320);

  auto message = room.send("alice", "general", "", {{"attachments", {{{"upload_id", upload["id"]}, {"mime_type", "text/html"}, {"alt", "Who sits where"},
                                                                      {"url", "https://evil.example"}}}}});
  auto attachment = room.user("bob").get(kMessages + "/" + message["id"].get<std::string>()).body["message"]["attachments"][0];
  CHECK(attachment["type"] == "image");
  CHECK(attachment["mime_type"] == "image/png");
  CHECK(attachment["size_bytes"] == picture.size());
  CHECK(attachment["name"] == "Seating plan \"2\".png");
  CHECK(attachment["alt"] == "Who sits where");
  CHECK_FALSE(attachment.contains("url"));
  CHECK(attachment["thumbnails"][0] == Json{{"box", 160}, {"width", 160}, {"height", 107}});

  auto links = room.user("bob").post("/v1/uploads/links", {{"upload_ids", {upload["id"]}}});
  REQUIRE(links.body["uploads"].size() == 1);
  CHECK_FALSE(links.body["uploads"][0].contains("expires_at"));
  auto file = UploadRoom::fetch(links.body["uploads"][0]["url"]);
  CHECK(file.status == 200);
  CHECK(file.body == picture);
  CHECK(file.header("content-type") == "image/png");
  CHECK(file.header("content-disposition") == "inline; filename=\"Seating plan _2_.png\"; filename*=UTF-8''Seating%20plan%20%222%22.png");
  auto small = UploadRoom::fetch(links.body["uploads"][0]["thumbnails"][0]["url"]);
  CHECK(small.header("content-type") == "image/webp");
  CHECK(small.body.substr(8, 4) == "WEBP");
  REQUIRE(small.body.substr(12, 4) == "VP8 ");
  CHECK(sides(small.body, 26) == 160);
  CHECK(sides(small.body, 28) == 107);
}

TEST_CASE("uploads: links are given to readers of a message that holds it, and to nobody else", "[api][uploads][tenancy][permissions]") {
  UploadRoom room, other;
  auto upload = room.upload("alice", "a.bin", bytes_of(100));
  const std::string path = "/v1/uploads/" + upload["id"].get<std::string>();
  auto links_for = [&](Actor actor) { return actor.post("/v1/uploads/links", {{"upload_ids", {upload["id"]}}}).body["uploads"].size(); };
  CHECK(room.user("alice").get(path).status == 200);
  CHECK(room.user("bob").get(path).status == 404);
  auto message = room.attach("alice", upload);
  CHECK(room.user("bob").get(path).status == 200);
  CHECK(links_for(room.user("bob")) == 1);
  CHECK(room.server().get(path).status == 200);
  CHECK(room.server().get(path + "?user_id=bob").status == 200);
  CHECK(room.server().get(path + "?user_id=mallory").status == 404);
  CHECK(room.user("mallory").get(path).status == 404);
  CHECK(links_for(room.user("mallory")) == 0);
  CHECK(other.user("alice").get(path).status == 404);
  CHECK(other.server().get(path).status == 404);
  CHECK(links_for(other.server()) == 0);
  // What a user no longer reads it no longer fetches.
  const std::string message_path = kMessages + "/" + message["id"].get<std::string>();
  REQUIRE(room.user("alice").del(message_path).status == 200);
  CHECK(room.user("bob").get(path).status == 404);
  CHECK(room.user("alice").get(path).status == 200);
  REQUIRE(room.user("alice").post(message_path + "/undelete").status == 200);
  CHECK(room.user("bob").get(path).status == 200);
  REQUIRE(room.user("bob").patch("/v1/channels/messaging/general/membership", {{"clear_history", true}}).status == 200);
  CHECK(room.user("bob").get(path).status == 404);
  room.attach("alice", upload, "once more");
  CHECK(room.user("bob").get(path).status == 200);
  REQUIRE(room.user("alice").del("/v1/channels/messaging/general/members/bob").status < 300);
  CHECK(room.user("bob").get(path).status == 404);
}

TEST_CASE("uploads: what is attached must be ready, the sender's own, and of this channel", "[api][uploads][tenancy][permissions]") {
  UploadRoom room, other;
  room.add_channel("second", {"alice", "bob"});
  auto own = room.upload("alice", "a.bin", bytes_of(100));
  auto pending = room.begin("alice", "b.bin", 100)["upload"];
  auto foreign = other.upload("alice", "c.bin", bytes_of(100));
  auto refused = [&](const std::string& user, const std::string& channel, const Json& upload) {
    auto answer = room.user(user).post("/v1/channels/messaging/" + channel + "/messages", {{"attachments", {{{"type", "file"}}, {{"upload_id", upload["id"]}}}}});
    CHECK(answer.code() == "invalid_field");
    CHECK(answer.pointer() == "#/attachments/1/upload_id");
  };
  refused("bob", "general", own);
  refused("alice", "second", own);
  refused("alice", "general", pending);
  refused("alice", "general", foreign);
  refused("alice", "general", {{"id", "upl_nonsense"}});
  CHECK(room.rows("messages") == 0);
  CHECK(room.rows("upload_uses") == 0);
  CHECK(room.server().post(kMessages, {{"user_id", "bob"}, {"attachments", {{{"upload_id", own["id"]}}}}}).status == 201);
  auto message = room.attach("alice", own);
  CHECK(room.rows("uploads", "uses = 2 and delete_after is null") == 1);
  // A change keeps what the message holds, and takes nothing of somebody else.
  const std::string path = kMessages + "/" + message["id"].get<std::string>();
  auto bobs = room.upload("bob", "d.bin", bytes_of(50));
  CHECK(room.user("alice").patch(path, {{"set", {{"attachments", {{{"upload_id", bobs["id"]}}}}}}}).pointer() == "#/set/attachments/0/upload_id");
  CHECK(room.server().patch(path, {{"set", {{"attachments", {{{"upload_id", own["id"]}, {"alt", "x"}}, {{"upload_id", bobs["id"]}}}}}}}).status == 200);
  CHECK(room.rows("upload_uses") == 3);
  CHECK(room.user("alice").patch(path, {{"set", {{"attachments", {{{"upload_id", bobs["id"]}}}}}}}).status == 200);
  CHECK(room.rows("upload_uses") == 2);
  CHECK(room.user("alice").patch(path, {{"unset", {"attachments"}}}).status == 200);
  CHECK(room.rows("uploads", "uses = 0 and delete_after <= now()") == 1);
}

TEST_CASE("uploads: the bytes must be as many as said, and come once", "[api][uploads]") {
  UploadRoom room;
  auto begun = room.begin("alice", "a.bin", 1'000'000);
  const std::string path = "/v1/uploads/" + begun["upload"]["id"].get<std::string>();
  CHECK(UploadRoom::bring(begun, bytes_of(1'000'001)).code() == "too_large");
  CHECK(UploadRoom::bring(begun, bytes_of(999'999)).pointer() == "header:content-length");
  CHECK(UploadRoom::bring(begun, "").code() == "invalid_field");
  CHECK(room.user("alice").post(path + "/complete").code() == "conflict");
  {
    HttpClient client(Service::get().port());
    client.send("PUT " + begun["upload_url"].get<std::string>() + " HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + bytes_of(700'000));
    eventually("its first bytes", [&] { return room.files() == 1; });
    client.vanish();
  }
  eventually("nothing left", [&] { return room.files() == 0; });
  CHECK(UploadRoom::bring(begun, bytes_of(1'000'000)).status == 200);
  CHECK(UploadRoom::bring(begun, bytes_of(1'000'000)).code() == "conflict");
  eventually("the first bytes alone", [&] { return room.files() == 1; });
  auto again = room.user("alice").post(path + "/complete");
  CHECK(again.status == 200);
  CHECK(again.body["upload"]["sha256"] == crypto::hex(crypto::sha256(bytes_of(1'000'000))));
  CHECK(room.user("bob").post(path + "/complete").status == 404);
  CHECK(room.stored() == 1'000'000);
}

TEST_CASE("uploads: a link is good for one upload, one way and a time", "[api][uploads][tenancy]") {
  UploadRoom room;
  auto begun = room.begin("alice", "a.bin", 10), second = room.begin("alice", "b.bin", 10);
  const std::string url = begun["upload_url"], other = second["upload_url"];
  auto put = [](const std::string& to) { return UploadRoom::bring({{"upload_url", to}}, bytes_of(10)); };
  CHECK(put(url.substr(0, url.size() - 2) + "AA").code() == "forbidden");
  CHECK(put(url.substr(0, url.find('?'))).code() == "forbidden");
  CHECK(put(url.substr(0, url.find('?')) + other.substr(other.find('?'))).code() == "forbidden");
  CHECK(UploadRoom::fetch(url).status == 403);
  // Changed and signed with another key.
  chat::json::Writer payload;
  payload.array().text("put").text(room.uuid()).text(Uuid{}.text()).integer(9'999'999'999).integer(10).end();
  const auto shown = crypto::base64url(payload.take());
  CHECK(put(url.substr(0, url.find('=') + 1) + shown + "." + crypto::base64url(crypto::hmac_sha256("not the key", shown))).code() == "forbidden");
  REQUIRE(put(url).status == 200);
  auto ready = room.user("alice").get("/v1/uploads/" + begun["upload"]["id"].get<std::string>()).body["upload"];
  CHECK(put(ready["url"]).code() == "forbidden");
  CHECK(UploadRoom::fetch(ready["url"]).status == 200);
  // An expired one, signed with our own key.
  chat::json::Writer expired;
  expired.array().text("get").text(room.uuid()).text(parse_typeid("upl", ready["id"].get<std::string>())->text()).integer(1'700'000'000)
      .text("original").text("text/plain").text("inline").end();
  const auto old = crypto::base64url(expired.take());
  const auto key = crypto::hmac_sha256(std::string(32, 'k'), "uploads");
  const std::string ready_url = ready["url"];
  CHECK(UploadRoom::fetch(ready_url.substr(0, ready_url.find('=') + 1) + old + "." + crypto::base64url(crypto::hmac_sha256(key, old))).status == 403);
  CHECK(room.files() == 1);
}

TEST_CASE("uploads: nobody believes what a file claims to be", "[api][uploads]") {
  UploadRoom room;
  const std::string page = "<!DOCTYPE html><html><script>alert(document.cookie)</script></html>";
  auto upload = room.upload("alice", "cute.png", page);
  CHECK(upload["mime_type"] == "text/html");
  CHECK_FALSE(upload.contains("width"));
  auto file = UploadRoom::fetch(upload["url"]);
  CHECK(file.header("content-type") == "application/octet-stream");
  CHECK(file.header("content-disposition")->substr(0, 11) == "attachment;");
  CHECK(file.header("x-content-type-options") == "nosniff");
  CHECK(file.header("content-security-policy") == "sandbox; default-src 'none'");
  auto drawing = room.upload("alice", "d.svg", "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"><script>1</script></svg>");
  CHECK(drawing["mime_type"] == "image/svg+xml");
  CHECK(UploadRoom::fetch(drawing["url"]).header("content-type") == "application/octet-stream");
  auto broken = room.upload("alice", "broken.png", png(300, 300).substr(0, 5'000));
  CHECK(broken["mime_type"] == "image/png");
  CHECK(broken["thumbnails"].empty());
}

TEST_CASE("uploads: an image with more pixels than allowed is refused before it is decoded", "[api][uploads][limits]") {
  UploadRoom room;
  const auto bomb = png(10, 10, {60'000, 60'000});
  auto begun = room.begin("alice", "bomb.png", bomb.size());
  auto brought = UploadRoom::bring(begun, bomb);
  CHECK(brought.code() == "too_large");
  CHECK(room.rows("uploads", "delete_after > now()") == 0);   // due at once; another node may have removed it already
  UploadRoom::remove_due();
  CHECK(room.files() == 0);
}

TEST_CASE("uploads: a part of a file", "[api][uploads]") {
  UploadRoom room;
  auto upload = room.upload("alice", "a.bin", bytes_of(1000));
  const std::string url = upload["url"];
  auto part = [&](const std::string& range) { return UploadRoom::fetch(url, {{"Range", range}}); };
  CHECK(part("bytes=10-19").status == 206);
  CHECK(part("bytes=10-19").body == bytes_of(1000).substr(10, 10));
  CHECK(part("bytes=10-19").header("content-range") == "bytes 10-19/1000");
  CHECK(part("bytes=990-").body == bytes_of(1000).substr(990));
  CHECK(part("bytes=-5").body == bytes_of(1000).substr(995));
  CHECK(part("bytes=990-5000").header("content-range") == "bytes 990-999/1000");
  for (const char* whole : {"bytes=1000-", "bytes=5-4", "bytes=1-2,4-5", "bytes=x-", "lines=1-2", "bytes=-", "bytes=-0"}) {
    CAPTURE(whole);
    CHECK(part(whole).status == 200);
    CHECK(part(whole).body.size() == 1000);
  }
  Actor anybody(Service::get().port(), {});
  CHECK(anybody.get(url).status == 200);
  CHECK(anybody.call("GET", url, "", {{"Range", "bytes=0-0"}}).status == 206);
  eventually("what was sent is counted", [&] { return room.meter("egress_bytes") >= 15'056; });
  CHECK(room.meter("egress_bytes") == 15'056);
}

TEST_CASE("uploads: a large file comes and goes in pieces", "[api][uploads]") {
  UploadRoom room;
  const auto bytes = bytes_of(40'000'000);
  auto upload = room.upload("alice", "film.bin", bytes);
  CHECK(upload["sha256"] == crypto::hex(crypto::sha256(bytes)));
  auto file = UploadRoom::fetch(upload["url"]);
  CHECK(file.body.size() == bytes.size());
  CHECK(file.body == bytes);
}
