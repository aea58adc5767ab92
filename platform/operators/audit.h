#pragma once
#include <optional>
#include <string>

#include "platform/operators/operators.h"

/// What operators changed: who, what, when, from where, before and after. Only added to; each row holds the hash of the one
/// before, so that a row that was changed, removed or slipped in shows.
namespace chat::operators {

/// Who acts, and how it came in.
struct Actor {
  std::string name;
  Role role;
  std::string address;                         // the peer's, or what a trusted proxy says of it
  std::string request_id;
};
Actor actor_of(const http::Request& request);

/// "application:app_…": what a change is about, as the audit names it.
std::string object_of(std::string_view kind, std::string_view id);

/// Holds a thing that has no row to lock, or none yet, against other operators' changes until the commit. Before reading `before`.
void hold(storage::Transaction& tx, const std::string& object);

/// Notes a change in its own transaction: both happen or neither. Every route that changes something calls it once, last: it
/// holds the end of the chain until the commit.
/// Shape:   action `noun.verb`; `before` and `after` are JSON without secrets; none: there was, or is, nothing.
void audit(storage::Transaction& tx, const Actor& actor, std::string_view action, const std::string& object,
           const std::optional<std::string>& before, const std::optional<std::string>& after);

struct AuditEntry {
  std::int64_t seq = 0;
  Timestamp at;
  std::string operator_name, role, action, object;
  std::optional<std::string> before, after;
  std::string address, request_id;
  std::string previous, hash;                  // bytes
};
struct AuditFilter {
  std::optional<std::string> operator_name, action, object;
  std::optional<Timestamp> since, until;
};
/// Newest first.
storage::Page<AuditEntry> list_audit(storage::Transaction& tx, const AuditFilter& filter, int limit,
                                     const std::optional<std::string>& cursor, const storage::Cursors& cursors);
std::string audit_entry_json(const AuditEntry& entry);

/// A part of the chain, computed again from what the rows say.
struct Verified {
  std::int64_t checked = 0;
  std::int64_t last_seq = 0;                   // up to here every link held
  std::string last_hash;                       // bytes
  bool complete = false;                       // that was the end of the chain
  std::optional<std::int64_t> broken_seq;      // the first link that did not hold
  std::string detail;                          // of it: how
};
/// Checks at most `limit` rows after row `after` (0: from the start). `noted`: the hash, in hex, that row had once; a chain that
/// was written anew as a whole holds in itself and has another.
/// Errors:  not_found (no row `after`)
Verified verify_audit(storage::Transaction& tx, std::int64_t after, const std::optional<std::string>& noted, int limit);

/// The hash that a row must have. Source: operator_audit_text of the migration `operators`, in C++ so that neither believes the other.
std::string hash_of(const AuditEntry& entry);

}  // namespace chat::operators
