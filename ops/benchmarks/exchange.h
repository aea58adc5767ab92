#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ops/benchmarks/connection.h"

namespace chat::bench {

struct Answer {
  int status = 0;                                  // 0: the connection was lost before the answer
  std::string_view body;                           // valid during the call
};

/// One keep-alive HTTP/1.1 connection with at most one request under way. Understands just enough of an
/// answer: status and Content-Length.
class Exchange final : public Connection {
 public:
  using Answered = std::function<void(const Answer&)>;

  Exchange(Loop& loop, Endpoint endpoint, Answered answered);
  void ask(std::string_view request);
  [[nodiscard]] bool is_busy() const { return busy_; }

 private:
  std::size_t take(std::string_view pending) override;
  void lost() override;

  Answered answered_;
  bool busy_ = false;
};

/// A whole request. `headers` are complete lines, each with its CRLF.
std::string request_text(std::string_view method, std::string_view target, std::string_view headers, std::string_view body);

struct Reply {
  int status = 0;
  std::string body;
};
/// One request on its own connection, waited for (10 s at most).
Reply call(const Endpoint& endpoint, std::string_view request);

}  // namespace chat::bench
