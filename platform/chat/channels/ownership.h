#pragma once
#include <string>

#include "platform/chat/channels/channels.h"
#include "platform/storage/pool.h"

/// Who owns a channel. A member may hand it over; when the last owner goes, the channel passes by one rule: to the strongest role, among
/// them to the one that joined first. Deleted, deactivated and banned users, guests and anonymous ones are passed over; with nobody left, the
/// channel has no owner until a server names one.
namespace chat::channels {

/// Makes a member the channel's one owner; who owned it until now becomes admin. Twice changes nothing.
/// Shape:   `opened` comes from lock_channel.
/// Errors:  forbidden; not_found (member, or deleted)
/// Event:   member.updated of each one changed
Member transfer_ownership(storage::Transaction& tx, bus::Bus& bus, const Opened& opened, const std::string& user_id, Timestamp now);

/// To be asked after an owner went, under the head's lock: passes the channel on if it has no owner any more.
/// `preferred`: this user first, if it is a member that can own; empty: by the rule.
/// Event:   member.updated of the new owner
void pass_on(storage::Transaction& tx, bus::Bus& bus, const Channel& channel, const std::string& preferred, Timestamp now);

/// Passes on what deleted users own, in all applications; each channel in a transaction of its own. For the job.
/// Event:   member.updated of the deleted user (member from then on), and of the new owner
void pass_on_of_deleted(storage::Connection& connection, bus::Bus& bus, Timestamp now);

}  // namespace chat::channels
