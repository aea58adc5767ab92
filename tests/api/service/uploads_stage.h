#pragma once
#include <filesystem>

#include "tests/support/pictures.h"
#include "tests/support/service.h"

namespace chat::test {

inline const std::string kUploads = "/v1/channels/messaging/general/uploads";

/// Two members of a channel and a stranger, and what they do with files.
struct UploadRoom : TestApp {
  explicit UploadRoom(const Json& limits = Json::object()) : TestApp(limits) {
    add_users({"alice", "bob", "mallory"});
    add_channel("general", {"alice", "bob"});
  }

  Json begin(const std::string& user_id, const std::string& name, std::size_t size) {
    auto begun = user(user_id).post(kUploads, {{"name", name}, {"size_bytes", size}});
    INFO(begun.http.body);
    REQUIRE(begun.status == 201);
    return begun.body;
  }
  /// The bytes to where `begun` says. Checked against the contract.
  static Answer bring(const Json& begun, const std::string& bytes) {
    return Actor(Service::get().port(), {}).call("PUT", begun["upload_url"], bytes);
  }
  /// A ready upload.
  Json upload(const std::string& user_id, const std::string& name, const std::string& bytes) {
    auto brought = bring(begin(user_id, name, bytes.size()), bytes);
    INFO(brought.http.body);
    REQUIRE(brought.status == 200);
    return brought.body["upload"];
  }
  Json attach(const std::string& user_id, const Json& upload, const std::string& text = "look") {
    return send(user_id, "general", text, {{"attachments", {{{"upload_id", upload["id"]}}}}});
  }
  /// Without any proof but the link.
  static HttpAnswer fetch(const std::string& url, const HttpHeaders& headers = {}) {
    return HttpClient(Service::get().port()).request("GET", url, headers);
  }
  [[nodiscard]] std::string folder() const { return Service::get().folder() + "/" + AppId::parse(id())->text(); }
  /// Files of this application, of any kind.
  [[nodiscard]] int files() const {
    int count = 0;
    if (!std::filesystem::exists(folder())) return 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder())) count += entry.is_regular_file();
    return count;
  }
  [[nodiscard]] std::string uuid() const { return AppId::parse(id())->text(); }
  void change(const std::string& set, const std::string& table = "uploads") const {
    Probe(superuser_database().dsn).run("update " + table + " set " + set + " where app_id = '" + uuid() + "'");
  }
  static void remove_due() { Service::get().node().run_job("remove_uploads"); }
  [[nodiscard]] int meter(const std::string& name) {
    const auto usage = server().get("/v1/usage").body["meters"];
    for (const auto& meter : usage)
      if (meter["meter"] == name) return meter["value"];
    return -1;
  }
  [[nodiscard]] int stored() { return meter("storage_bytes"); }
};

}  // namespace chat::test
