#pragma once
#include <sys/types.h>

#include <string>

#include "platform/redis/options.h"

namespace chat::test {

/// A Redis of a test's own: a real redis-server with a unix socket and no persistence. Starts in some 50 ms; killed at the end.
class ScratchRedis {
 public:
  ScratchRedis();
  ~ScratchRedis();
  ScratchRedis(const ScratchRedis&) = delete;
  ScratchRedis& operator=(const ScratchRedis&) = delete;

  void start();                                // waits until it listens
  void kill();                                 // kill -9; everything in it is gone
  void pause() const;                          // it hangs: accepts, and answers nothing
  void go_on() const;
  /// With short deadlines, so that tests of failures are quick.
  [[nodiscard]] redis::Options options() const;
  [[nodiscard]] std::string url() const { return "unix://" + folder_ + "/socket"; }

 private:
  std::string folder_;
  pid_t pid_ = -1;
};

}  // namespace chat::test
