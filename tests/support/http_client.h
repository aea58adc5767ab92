#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chat::test {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// One answer, read strictly: anything that is not plain HTTP/1.1 with a Content-Length throws.
struct HttpAnswer {
  int status = 0;
  HttpHeaders headers;                                      // names lower case, in order
  std::string body;
  [[nodiscard]] std::optional<std::string> header(std::string_view lower_name) const;   // first
};

struct HttpTimeout : std::runtime_error {
  HttpTimeout() : std::runtime_error("the server did not answer in time") {}
};
struct HttpClosed : std::runtime_error {
  HttpClosed() : std::runtime_error("the server closed the connection") {}
};

/// One connection to a server on loopback: raw bytes out, whole answers in, every wait with a deadline.
/// Errors:  HttpTimeout, HttpClosed, std::runtime_error for an answer that is no HTTP.
class HttpClient {
 public:
  using Wait = std::chrono::milliseconds;
  static constexpr Wait kPatience{10'000};

  explicit HttpClient(std::uint16_t port, int receive_buffer = 0);
  ~HttpClient();
  HttpClient(HttpClient&& other) noexcept;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void send(std::string_view bytes);
  /// As send, but false when the server has closed already.
  bool try_send(std::string_view bytes);
  HttpAnswer read(bool head_only = false, Wait patience = kPatience);
  HttpAnswer request(std::string_view method, std::string_view path, const HttpHeaders& headers = {},
                     std::string_view body = {});
  void end_sending();
  void vanish();                                            // closes at once, with a reset
  /// True when the server closes within `patience`; what still arrives before is thrown away.
  bool closes(Wait patience = kPatience);
  /// True when bytes or the end arrive within `patience`.
  bool hears(Wait patience);

 private:
  bool fill(std::chrono::steady_clock::time_point deadline);   // false: closed
  std::string take_line(std::chrono::steady_clock::time_point deadline);

  int socket_ = -1;
  std::string held_;
};

}  // namespace chat::test
