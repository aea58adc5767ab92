#include "platform/files/s3.h"

#include <filesystem>
#include <future>

#include "platform/base/error.h"
#include "platform/files/sigv4.h"
#include "platform/files/temporary.h"
#include "platform/outbound/client.h"

namespace chat::files {
namespace {

constexpr std::string_view kIncoming = "incoming";
constexpr std::int64_t kPieceBytes = 4 * 1024 * 1024;      // of a fetch: so much is in memory
constexpr std::chrono::seconds kCallTimeout{30}, kCopyTimeout{300};
constexpr std::chrono::seconds kValid{900};                // of the requests that this process makes itself
constexpr std::string_view kParts[] = {kIncoming, kOriginal, "160", "480"};

using Headers = std::map<std::string, std::string>;

[[noreturn]] void store_failed(std::string_view what, const outbound::Answer& answer) {
  throw Error(Code::unavailable, "The file storage does not answer.")
      .with_retry_after(std::chrono::seconds(5))
      .with_log(std::string(what) + ": " + std::string(outbound::word(answer.outcome)) + " " + std::to_string(answer.status) + " " +
                answer.detail + " " + answer.body.substr(0, 300));
}

class S3 final : public Store {
 public:
  explicit S3(const S3Options& options) : options_(options), credentials_{options.access_key, options.secret_key, options.region} {
    const auto scheme_end = options.endpoint.find("://") + 3;
    scheme_ = options.endpoint.substr(0, scheme_end);
    host_ = options.endpoint.substr(scheme_end);
    while (!host_.empty() && host_.back() == '/') host_.pop_back();
    if (!options.path_style) host_ = options.bucket + "." + host_;
    outbound::Client::Options client;
    client.allowed_networks = options.networks;
    client.allows_http = scheme_ == "http://";
    client.user_agent = "chatd";
    client_ = std::make_unique<outbound::Client>(std::move(client));
    std::error_code failed;
    std::filesystem::create_directories(options.scratch, failed);
    if (failed) disk_failed("mkdir", options.scratch, failed.value());
  }

  [[nodiscard]] bool is_direct() const override { return true; }

  [[nodiscard]] Link put_link(const Place& place, std::int64_t size_bytes, Timestamp now, std::chrono::seconds valid) const override {
    const Headers headers{{"content-length", std::to_string(size_bytes)}};
    return {url("PUT", place, kIncoming, {}, headers, now, valid), {headers.begin(), headers.end()}};
  }
  [[nodiscard]] std::string get_link(const Place& place, std::string_view part, const Presented& presented, Timestamp now,
                                     std::chrono::seconds valid) const override {
    return url("GET", place, part,
               {{"response-content-type", presented.media_type}, {"response-content-disposition", presented.disposition}}, {}, now, valid);
  }

  std::unique_ptr<Writer> write(const Place&) override { throw Error(Code::conflict, "Bytes go to the file storage itself."); }
  [[nodiscard]] std::string path_of(const Place&, std::string_view) const override { return ""; }

  std::unique_ptr<Local> fetch(const Place& place, std::int64_t size_bytes) override {
    // What a worker that was killed had kept already is looked at again.
    if (auto kept = fetch_part(place, kOriginal, size_bytes)) return kept;
    return fetch_part(place, kIncoming, size_bytes);
  }

  void keep(const Place& place, const Local& local) override {
    const auto version = local.version();
    const auto mark = version.find(' ');
    if (version.substr(0, mark) == kIncoming) {
      const Headers headers{{"x-amz-copy-source", path_of_key(place, kIncoming, true)}, {"x-amz-copy-source-if-match", version.substr(mark + 1)}};
      const auto answer = call("PUT", place, kOriginal, headers, "", kCopyTimeout);
      if (answer.status == 412) throw Error(Code::conflict, "The bytes changed while they were looked at; ask once more.");
      // A copy that takes long begins with 200 and may end with an error.
      if (answer.status != 200 || answer.body.find("<Error>") != std::string::npos) store_failed("copy", answer);
    }
    remove_part(place, kIncoming);
  }

  void put(const Place& place, std::string_view part, std::string_view media_type, std::string_view bytes) override {
    const auto answer = call("PUT", place, part, {{"content-type", std::string(media_type)}}, bytes, kCallTimeout);
    if (answer.status != 200) store_failed("put", answer);
  }

  void remove(const Place& place) override {
    for (const auto part : kParts) remove_part(place, part);
  }

 private:
  [[nodiscard]] std::string path_of_key(const Place& place, std::string_view part, bool with_bucket) const {
    const auto key = place.app.text() + "/" + place.file.text() + "/" + std::string(part);
    return encode_path("/" + (with_bucket ? options_.bucket + "/" : "") + key);
  }

  [[nodiscard]] std::string url(std::string_view method, const Place& place, std::string_view part, const Headers& query,
                                const Headers& headers, Timestamp now, std::chrono::seconds valid) const {
    ToSign request{method, host_, path_of_key(place, part, options_.path_style), query, headers};
    return scheme_ + host_ + request.path + "?" + presign(credentials_, request, now, valid);
  }

  /// Waits for the answer.
  outbound::Answer call(std::string_view method, const Place& place, std::string_view part, const Headers& headers, std::string_view body,
                        std::chrono::seconds timeout) {
    outbound::Call call;
    call.method = method;
    call.url = url(method, place, part, {}, headers, system_clock().now(), kValid);
    call.headers.assign(headers.begin(), headers.end());
    call.body = body;
    call.tenant = place.app.text();
    call.timeout = timeout;
    call.max_body_bytes = static_cast<std::size_t>(kPieceBytes) + 1024;
    auto promise = std::make_shared<std::promise<outbound::Answer>>();
    auto answer = promise->get_future();
    client_->send(std::move(call), [promise](outbound::Answer given) { promise->set_value(std::move(given)); });
    auto given = answer.get();
    if (given.outcome != outbound::Outcome::answered) store_failed(method, given);
    return given;
  }

  void remove_part(const Place& place, std::string_view part) {
    const auto answer = call("DELETE", place, part, {}, "", kCallTimeout);
    if (answer.status != 204 && answer.status != 200 && answer.status != 404) store_failed("delete", answer);
  }

  /// In pieces, all of the version that the first one was of. Null: not there.
  std::unique_ptr<Local> fetch_part(const Place& place, std::string_view part, std::int64_t size_bytes) {
    Temporary copy(options_.scratch, "fetched-" + random_name());
    std::string version;
    for (std::int64_t at = 0; at < size_bytes;) {
      Headers headers{{"range", "bytes=" + std::to_string(at) + "-" + std::to_string(at + kPieceBytes - 1)}};
      if (!version.empty()) headers["if-match"] = version;
      const auto answer = call("GET", place, part, headers, "", kCallTimeout);
      if (answer.status == 404 && version.empty()) return nullptr;
      if (answer.status == 412) throw Error(Code::conflict, "The bytes changed while they were looked at; ask once more.");
      if (answer.status != 206 && answer.status != 200) store_failed("get", answer);
      const auto whole = total_of(answer);
      if (whole != size_bytes)
        throw Error(Code::conflict, "The upload is for " + std::to_string(size_bytes) + " bytes, and " + std::to_string(whole) + " came.");
      if (answer.body.empty() || answer.is_cut) store_failed("get", answer);
      if (version.empty()) version = answer.header("etag");
      copy.write(answer.body);
      at += static_cast<std::int64_t>(answer.body.size());
    }
    copy.release();
    return std::make_unique<Local>(copy.path(), true, std::string(part) + " " + version);
  }

  /// "bytes 0-99/1234"
  static std::int64_t total_of(const outbound::Answer& answer) {
    const auto range = answer.header("content-range");
    const auto slash = range.find('/');
    if (slash == std::string_view::npos) return static_cast<std::int64_t>(answer.body.size());
    std::int64_t total = 0;
    for (const char c : range.substr(slash + 1)) {
      if (c < '0' || c > '9' || total > (std::int64_t{1} << 50)) return -1;
      total = total * 10 + (c - '0');
    }
    return total;
  }

  const S3Options options_;
  const Credentials credentials_;
  std::string scheme_, host_;
  std::unique_ptr<outbound::Client> client_;
};

}  // namespace

std::unique_ptr<Store> open_s3(const S3Options& options) { return std::make_unique<S3>(options); }

}  // namespace chat::files
