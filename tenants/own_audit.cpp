#include "tenants/own_audit.h"

#include "platform/base/json.h"
#include "tenants/own_audit.sql.h"

namespace chat::tenants {
namespace {

OwnAuditEntry read(const storage::Row& row) {
  return {OwnAuditId{row.uuid(0)}, row.time(1),          std::string(row.text(2)), std::string(row.text(3)),
          row.optional_text(4),    row.optional_text(5), std::string(row.text(6)), std::string(row.text(7))};
}

/// Members with their values, all but when it was changed.
std::vector<std::pair<std::string, std::string>> said(const std::string& object) {
  const auto document = json::Document::parse(object);
  std::vector<std::pair<std::string, std::string>> members;
  for (const auto& [name, value] : document.root().members())
    if (name != "updated_at") members.emplace_back(std::string(name), value.raw());
  return members;
}

}  // namespace

void hold_setup(storage::Transaction& tx) { tx.query(sql::hold_setup, tx.app()); }

void note_own(storage::Transaction& tx, const http::Request& request, std::string_view action, const std::string& object,
              const std::optional<std::string>& before, const std::optional<std::string>& after, Timestamp now) {
  tx.run(sql::add_own_audit, tx.app(), OwnAuditId::make(now), now, action, object, before, after, request.remote, request.request_id);
}

void note_own_change(storage::Transaction& tx, const http::Request& request, std::string_view action, const std::string& object,
                     const std::optional<std::string>& before, const std::string& after, Timestamp now) {
  if (!before || said(*before) != said(after)) note_own(tx, request, action, object, before, after, now);
}

storage::Page<OwnAuditEntry> list_own_audit(storage::Transaction& tx, const std::optional<std::string>& action, int limit,
                                            const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|own_audit|" + action.value_or("");
  std::optional<std::string> below;
  if (cursor) below = cursors.open(scope, *cursor, "query:next").at(0);
  const auto rows = tx.query(sql::list_own_audit, tx.app(), below, action, limit + 1);
  storage::Page<OwnAuditEntry> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {page.items.back().id.text()});
  return page;
}

std::int64_t sweep_own_audit(storage::Transaction& tx, Timestamp now, int limit) {
  return tx.query(sql::sweep_own_audit, now - kOwnAuditKept, limit)[0].integer(0);
}

std::string own_audit_json(const OwnAuditEntry& entry) {
  json::Writer out;
  out.object().field("audit_id", entry.id.wire()).key("at").time(entry.at).field("action", entry.action).field("object", entry.object);
  if (entry.before) out.key("before").raw(*entry.before);
  if (entry.after) out.key("after").raw(*entry.after);
  out.field("address", entry.address).field("request_id", entry.request_id).end();
  return out.take();
}

}  // namespace chat::tenants
