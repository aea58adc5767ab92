#include "cli/remote/api_client.h"

#include <curl/curl.h>

#include <cstdlib>

#include "cli/exit_code.h"
#include "platform/base/clock.h"
#include "platform/base/id.h"
#include "platform/base/text.h"

namespace chat::cli {
namespace {

constexpr std::size_t kMaxAnswerBytes = 32 * 1024 * 1024;
constexpr long kConnectTimeoutMs = 5'000;

struct Received {
  ApiAnswer answer;
  bool too_large = false;
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* into) {
  auto& received = *static_cast<Received*>(into);
  const auto bytes = size * count;
  if (received.answer.body.size() + bytes > kMaxAnswerBytes) {
    received.too_large = true;
    return 0;
  }
  received.answer.body.append(data, bytes);
  return bytes;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* into) {
  const std::string_view line(data, size * count);
  if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    auto& headers = static_cast<Received*>(into)->answer.headers;
    headers[text::lower_ascii(line.substr(0, colon))] = text::trim(line.substr(colon + 1));
  }
  return line.size();
}

struct HeaderList {
  curl_slist* list = nullptr;
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  ~HeaderList() { curl_slist_free_all(list); }
  void add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host.rfind("127.", 0) == 0;
}

std::string host_of(const std::string& url) {
  CURLU* parts = curl_url();
  char* host = nullptr;
  std::string out;
  if (curl_url_set(parts, CURLUPART_URL, url.c_str(), 0) == CURLUE_OK &&
      curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
    out = host;
  curl_free(host);
  curl_url_cleanup(parts);
  return out;
}

struct Cleanup {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

class ApiClient : public Api {
 public:
  explicit ApiClient(ApiOptions options) : options_(std::move(options)) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    handle_.reset(curl_easy_init());
    if (!handle_) throw Failure(Exit::failure, "libcurl could not start");
    while (!options_.server.empty() && options_.server.back() == '/') options_.server.pop_back();
    const bool plain = options_.server.rfind("http://", 0) == 0;
    const auto host = host_of(options_.server);
    if ((!plain && options_.server.rfind("https://", 0) != 0) || host.empty())
      throw Failure(Exit::usage, "\"" + options_.server + "\" is no http:// or https:// address of a server");
    sends_token_in_clear_ = plain && !is_loopback(host);
  }

  ApiAnswer send(const ApiRequest& request) override;

 private:
  [[nodiscard]] std::string url_of(const ApiRequest& request) const;
  void add_headers(const ApiRequest& request, HeaderList& headers);
  void prepare(const ApiRequest& request, const std::string& url, const HeaderList& headers,
               Received& received);
  [[nodiscard]] Failure unreachable(CURLcode code, const char* why, bool too_large) const;
  void trace(const std::string& line) const {
    if (options_.trace) options_.trace(line);
  }

  ApiOptions options_;
  std::unique_ptr<CURL, Cleanup> handle_;
  std::string token_;
  bool sends_token_in_clear_ = false;
};

std::string ApiClient::url_of(const ApiRequest& request) const {
  std::string url = options_.server + request.path;
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    url += separator + text::percent_encode(name) + "=" + text::percent_encode(value);
    separator = '&';
  }
  return url;
}

void ApiClient::add_headers(const ApiRequest& request, HeaderList& headers) {
  headers.add("Accept: application/json");
  headers.add("Expect:");  // no 100-continue round trip
  if (request.with_token) {
    if (token_.empty() && options_.token) {
      token_ = options_.token();
      if (sends_token_in_clear_ && options_.warn)
        options_.warn("a token travels unencrypted to " + options_.server + "; use https");
    }
    headers.add("Authorization: Bearer " + token_);
    if (!options_.api_key.empty()) headers.add("X-API-Key: " + options_.api_key);
  }
  for (const auto& [name, value] : request.headers) headers.add(name + ": " + value);
  if (request.body) headers.add("Content-Type: application/json");
  if (request.method == "POST") headers.add("Idempotency-Key: " + new_uuid7(system_clock().now()).text());
}

void ApiClient::prepare(const ApiRequest& request, const std::string& url, const HeaderList& headers,
                        Received& received) {
  curl_easy_reset(handle_.get());
  curl_easy_setopt(handle_.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle_.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle_.get(), CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(handle_.get(), CURLOPT_HTTPHEADER, headers.list);
  curl_easy_setopt(handle_.get(), CURLOPT_USERAGENT, "chatctl/" CHAT_VERSION);
  curl_easy_setopt(handle_.get(), CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
  curl_easy_setopt(handle_.get(), CURLOPT_CONNECTTIMEOUT_MS,
                   std::min(kConnectTimeoutMs, static_cast<long>(options_.timeout.count())));
  curl_easy_setopt(handle_.get(), CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle_.get(), CURLOPT_WRITEDATA, &received);
  curl_easy_setopt(handle_.get(), CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(handle_.get(), CURLOPT_HEADERDATA, &received);
  if (!options_.ca_file.empty()) curl_easy_setopt(handle_.get(), CURLOPT_CAINFO, options_.ca_file.c_str());
  // A proxy from the environment must never see the operator's token of a server on this machine.
  if (is_loopback(host_of(url))) curl_easy_setopt(handle_.get(), CURLOPT_PROXY, "");
  if (request.body) {
    curl_easy_setopt(handle_.get(), CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body->size()));
    curl_easy_setopt(handle_.get(), CURLOPT_POSTFIELDS, request.body->data());
  }
}

Failure ApiClient::unreachable(CURLcode code, const char* why, bool too_large) const {
  if (too_large)
    return Failure(Exit::failure, options_.server + " answered more than 32 MiB; is it the right server?");
  if (code == CURLE_OPERATION_TIMEDOUT)
    return Failure(Exit::unavailable, options_.server + " did not answer within " +
                                          std::to_string(options_.timeout.count()) + " ms")
        .with_next("give it more with --timeout, or ask chatctl doctor");
  return Failure(Exit::unavailable,
                 "cannot reach " + options_.server + ": " + (*why != '\0' ? why : curl_easy_strerror(code)))
      .with_next("is chatd running there? --server, CHATCTL_SERVER or chatctl context use chooses another");
}

ApiAnswer ApiClient::send(const ApiRequest& request) {
  Received received;
  HeaderList headers;
  add_headers(request, headers);
  const auto url = url_of(request);
  prepare(request, url, headers, received);
  char why[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(handle_.get(), CURLOPT_ERRORBUFFER, why);
  trace("> " + request.method + " " + url);
  const auto code = curl_easy_perform(handle_.get());
  if (code != CURLE_OK) throw unreachable(code, why, received.too_large);
  long status = 0;
  curl_off_t took_us = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(handle_.get(), CURLINFO_TOTAL_TIME_T, &took_us);
  received.answer.status = static_cast<int>(status);
  trace("< " + std::to_string(status) + " in " + std::to_string(took_us / 1000) + " ms, request " +
        received.answer.headers["x-request-id"]);
  return std::move(received.answer);
}

}  // namespace

std::unique_ptr<Api> make_api_client(ApiOptions options) {
  return std::make_unique<ApiClient>(std::move(options));
}

}  // namespace chat::cli
