#pragma once
#include <string>
#include <vector>

#include "platform/chat/blocklists/shelf.h"
#include "platform/chat/messages/screen.h"
#include "tenants/said.h"

/// What judges what users say, from memory: block lists.
namespace chat::server {

/// Errors:  of what it gives: unavailable (the lists are being loaded)
messages::Screen block_list_screen(blocklists::Shelf& shelf, const Clock& clock);

/// Errors:  forbidden (a list that holds everywhere names the address); http::NeedsDatabase (the lists are not in memory)
void check_address(blocklists::Shelf& shelf, const tenants::Caller& caller, const std::string& remote, Timestamp now);
/// The same by rules that are at hand.
void check_address(const blocklists::Rules& rules, const tenants::Caller& caller, const std::string& remote, Timestamp now);

/// Names and descriptions of users and channels, by the lists that judge those: masked in place, or refused. Nobody flags a name.
tenants::JudgeSaid block_list_names(blocklists::Shelf& shelf, const Clock& clock);

/// An option that somebody adds to a poll, as it may stand there.
/// Errors:  of what it gives: forbidden; unavailable
using JudgeOption = std::function<std::string(const tenants::Caller&, const channels::Opened&, const std::string&)>;
JudgeOption option_screen(messages::Screen screen);

}  // namespace chat::server
