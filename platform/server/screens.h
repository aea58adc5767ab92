#pragma once
#include <string>
#include <vector>

#include "platform/chat/blocklists/shelf.h"
#include "platform/chat/messages/screen.h"
#include "platform/chat/polls/polls_http.h"
#include "platform/realtime/gateway.h"
#include "tenants/said.h"

/// What judges what users say, from memory: block lists.
namespace chat::server {

/// Errors:  of what it gives: unavailable (the lists are being loaded)
messages::Screen block_list_screen(blocklists::Shelf& shelf, const Clock& clock);

/// Errors:  forbidden (a list that holds everywhere names the address); http::NeedsDatabase (the lists are not in memory)
void check_address(blocklists::Shelf& shelf, const tenants::Caller& caller, const std::string& remote, Timestamp now);
/// The same by rules that are at hand, and as an answer.
bool refuses(const blocklists::Rules& rules, const std::string& remote, bool by_server, Timestamp now);
void check_address(const blocklists::Rules& rules, const tenants::Caller& caller, const std::string& remote, Timestamp now);

/// Closes connections from addresses that lists come to name. Before anything is loaded.
void close_refused(blocklists::Shelf& shelf, realtime::Gateway& gateway, const Clock& clock);
/// Lists of an application, or of the operator, have changed.
void lists_changed(blocklists::Shelf& shelf, const realtime::Gateway& gateway, AppId app);

/// Names and descriptions of users and channels, by the lists that judge those, and names of files: masked in place, or refused.
tenants::JudgeSaid block_list_names(blocklists::Shelf& shelf, const Clock& clock);

/// An option that somebody adds to a poll, as it may stand there.
/// Errors:  of what it gives: forbidden; unavailable
using JudgeOption = std::function<polls::Services::Judged(const tenants::Caller&, const channels::Opened&, const std::string&)>;
JudgeOption option_screen(messages::Screen screen);

}  // namespace chat::server
