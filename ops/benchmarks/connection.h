#pragma once
#include <string>
#include <string_view>

#include "ops/benchmarks/loop.h"

namespace chat::bench {

struct Endpoint {
  std::string host;                                // an IPv4 address
  std::uint16_t port = 0;
  static Endpoint parse(const std::string& text);  // 127.0.0.1:8080
};

/// One TCP connection of a Loop. What arrives is handed to `take`; what does not fit the socket waits.
/// Must not be moved or destroyed while the loop runs.
class Connection : public Loop::Watcher {
 public:
  Connection(Loop& loop, Endpoint endpoint);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// False when nobody listens there.
  bool open();
  void shut();
  void write(std::string_view bytes);
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

  void on_ready(std::uint32_t events) final;

 protected:
  /// Returns how many bytes of `pending` are done with; the rest comes again with more behind it.
  virtual std::size_t take(std::string_view pending) = 0;
  virtual void lost() = 0;

 private:
  void read();
  void flush();

  Loop& loop_;
  Endpoint endpoint_;
  int fd_ = -1;
  std::string rest_;                               // the unfinished end of what was read
  std::string out_;                                // what the socket did not take yet
};

}  // namespace chat::bench
