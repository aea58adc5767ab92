#pragma once
#include <optional>
#include <string>

#include "platform/http/request.h"
#include "platform/storage/page.h"
#include "platform/storage/transaction.h"

/// What a customer changed of its own application, with a server token. It can read it; the operator's audit is another one.
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

/// In the transaction of the change.
void note_own(storage::Transaction& tx, const http::Request& request, std::string_view action, const std::string& object,
              const std::optional<std::string>& before, const std::optional<std::string>& after, Timestamp now);

/// Newest first.
storage::Page<OwnAuditEntry> list_own_audit(storage::Transaction& tx, const std::optional<std::string>& action, int limit,
                                            const std::optional<std::string>& cursor, const storage::Cursors& cursors);
std::string own_audit_json(const OwnAuditEntry& entry);

}  // namespace chat::tenants
