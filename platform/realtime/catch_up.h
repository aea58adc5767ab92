#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/realtime/gateway.h"

namespace chat::realtime {

/// One channel's line in resume.done and watch.done.
struct Standing {
  std::string cid;
  std::string epoch;
  std::int64_t last_seq = 0;
  bool from_database = false;                    // then read_seq and unread are known
  std::optional<std::int64_t> read_seq;
  std::int64_t unread = 0;
};

/// A running `resume` or `watch`: what memory could not answer is asked of the database, one step at a time, and never faster
/// than the client reads.
struct CatchUp {
  enum class Kind { resume, watch };
  struct Channel {
    std::string cid;
    std::string key;
    std::string epoch;                           // resume: what the client has
    std::int64_t seq = 0;
    Position position{};                         // as located
    std::int64_t sent = 0;                       // missed events sent up to here
  };

  Kind kind = Kind::resume;
  std::string ref;
  std::vector<Channel> channels;                 // those that memory could not answer
  std::size_t at = 0;                            // channels before this one are done
  bool waiting = false;                          // for the client to read what it got
  std::vector<Standing> standings;
  std::vector<std::string> not_found;            // watch
};

}  // namespace chat::realtime
