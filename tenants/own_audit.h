#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "platform/http/request.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"

/// What a customer changed of how its application is set up, with a server token: settings, secrets, channel types, commands, teams, push
/// providers and templates. It can read it; the operator's audit is another one. Only added to, and kept for kOwnAuditKept.
namespace chat::tenants {

struct OwnAuditTag { static constexpr std::string_view kPrefix = "aud"; };
using OwnAuditId = Id<OwnAuditTag>;

struct OwnAuditEntry {
  OwnAuditId id;
  Timestamp at;
  std::string action, object;                  // settings.update, settings; secret.create, secret:sec_…
  std::optional<std::string> before, after;    // JSON without secrets
  std::string address, request_id;
};

/// Holds what it set up against its other changes until the commit, so that `before` is what the change finds. Before reading that.
void hold_setup(storage::Transaction& tx);
/// In the transaction of the change.
/// Shape:   action `noun.verb`; `before` and `after` are JSON without secrets; none: there was, or is, nothing.
void note_own(storage::Transaction& tx, const http::Request& request, std::string_view action, const std::string& object,
              const std::optional<std::string>& before, const std::optional<std::string>& after, Timestamp now);

/// The same, unless nothing but `updated_at` differs.
void note_own_change(storage::Transaction& tx, const http::Request& request, std::string_view action, const std::string& object,
                     const std::optional<std::string>& before, const std::string& after, Timestamp now);

/// Newest first.
storage::Page<OwnAuditEntry> list_own_audit(storage::Transaction& tx, const std::optional<std::string>& action, int limit,
                                            const std::optional<std::string>& cursor, const storage::Cursors& cursors);
std::string own_audit_json(const OwnAuditEntry& entry);

inline constexpr std::chrono::hours kOwnAuditKept{400 * 24};
/// Forgets what is older, of all applications, some at a time. Returns how much.
std::int64_t sweep_own_audit(storage::Transaction& tx, Timestamp now, int limit);

}  // namespace chat::tenants
