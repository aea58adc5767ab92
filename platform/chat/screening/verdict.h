#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "billing/accounts.h"

/// What is judged, and what follows. `server` translates from and to what `messages` says.
namespace chat::screening {

/// A message on its way, or what a change makes of one. Views into it: it outlives them.
struct Said {
  std::shared_ptr<const tenants::Application> application;
  std::shared_ptr<billing::Account> account;   // null of a change whose application was not met here
  std::string_view channel_type, channel_id, user_id;
  bool by_server = false;
  std::string_view text;                       // with what its poll asks
  std::int64_t attachments = 0, mentions = 0;  // how many
  std::uint64_t nonce = 0;                     // of what makes a repeated request the same message; 0: nothing does
  bool is_marked = false;                      // somebody found something in it already
  std::int64_t attached_links = 0;             // as links_in

  [[nodiscard]] std::string cid() const { return std::string(channel_type) + ":" + std::string(channel_id); }
};

enum class Outcome { pass, hold, shadow, block };   // from the mildest on

struct Verdict {
  Outcome outcome = Outcome::pass;
  std::string findings;                        // JSON array of {"source","rule","then","detail"}; empty: none
  std::string reason;                          // of hold and block, for the author
  std::string pointer;                         // of block: where in the request; empty: the text
};
/// pass | flag | hold | shadow | block
std::string_view word_of(const Verdict& verdict);

}  // namespace chat::screening
