#include "platform/operators/audit.h"

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/operators/audit.sql.h"

namespace chat::operators {
namespace {

constexpr std::size_t kMaxText = 255;          // of what a stranger's request may bring: cut, not refused

AuditEntry read(const storage::Row& row) {
  return {row.integer(0),           row.time(1),          std::string(row.text(2)), std::string(row.text(3)),
          std::string(row.text(4)), std::string(row.text(5)), row.optional_text(6), row.optional_text(7),
          std::string(row.text(8)), std::string(row.text(9)), row.bytes(10),        row.bytes(11)};
}

void add_field(std::string& out, std::string_view value) { out += std::to_string(value.size()) + ":" + std::string(value); }

void add_nullable(std::string& out, const std::optional<std::string>& value) {
  if (value) add_field(out, *value);
  else out += "-";
}

/// Why the row does not follow; empty: it does.
std::string fault_of(const AuditEntry& entry, std::int64_t after, const std::string& previous) {
  if (entry.seq != after + 1) return "Row " + std::to_string(after + 1) + " is missing.";
  if (entry.previous != previous) return "It does not hold the hash of the row before.";
  if (entry.hash != hash_of(entry)) return "Its hash is not that of what it says.";
  return "";
}

void check_end(storage::Transaction& tx, Verified& verified) {
  const auto rows = tx.query(sql::audit_head);
  const auto head = rows[0];
  verified.complete = head.integer(0) == verified.last_seq && head.bytes(1) == verified.last_hash;
  if (verified.complete || !tx.query(sql::audit_after, verified.last_seq, 1).empty()) return;   // rows came meanwhile
  verified.broken_seq = verified.last_seq + 1;
  verified.detail = "The chain ends at row " + std::to_string(verified.last_seq) + ", but its head says row " + std::to_string(head.integer(0)) + ".";
}

}  // namespace

Actor actor_of(const http::Request& request) {
  const auto& caller = Operator::of(request);
  return {caller.name, caller.role, request.remote.substr(0, kMaxText), request.request_id.substr(0, kMaxText)};
}

std::string object_of(std::string_view kind, std::string_view id) { return std::string(kind) + ":" + std::string(id); }

void hold(storage::Transaction& tx, const std::string& object) { tx.query(sql::hold_object, object); }

void audit(storage::Transaction& tx, const Actor& actor, std::string_view action, const std::string& object,
           const std::optional<std::string>& before, const std::optional<std::string>& after) {
  tx.run(sql::add_audit, actor.name, word(actor.role), action, object, before, after, actor.address, actor.request_id);
}

storage::Page<AuditEntry> list_audit(storage::Transaction& tx, const AuditFilter& filter, int limit,
                                     const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  auto said = [](const auto& value) { return value ? *value : std::string(); };
  auto time = [](const std::optional<Timestamp>& at) { return at ? format_time(*at) : std::string(); };
  const std::string scope = "operator|audit|" + said(filter.operator_name) + "|" + said(filter.action) + "|" + said(filter.object) + "|" +
                            time(filter.since) + "|" + time(filter.until);
  std::optional<std::string> below;
  if (cursor) below = cursors.open(scope, *cursor, "query:next").at(0);
  const auto rows = tx.query(sql::list_audit, below, filter.operator_name, filter.action, filter.object, filter.since, filter.until, limit + 1);
  storage::Page<AuditEntry> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {std::to_string(page.items.back().seq)});
  return page;
}

std::string audit_entry_json(const AuditEntry& entry) {
  json::Writer out;
  out.object()
      .field("seq", entry.seq)
      .key("at").time(entry.at)
      .field("operator", entry.operator_name)
      .field("role", entry.role)
      .field("action", entry.action)
      .field("object", entry.object);
  if (entry.before) out.key("before").raw(*entry.before);
  if (entry.after) out.key("after").raw(*entry.after);
  out.field("address", entry.address).field("request_id", entry.request_id).field("hash", crypto::hex(entry.hash)).end();
  return out.take();
}

std::string hash_of(const AuditEntry& entry) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(entry.at.time_since_epoch()).count();
  std::string said;
  add_field(said, std::to_string(entry.seq));
  add_field(said, std::to_string(micros));
  for (const auto* field : {&entry.operator_name, &entry.role, &entry.action, &entry.object}) add_field(said, *field);
  add_nullable(said, entry.before);
  add_nullable(said, entry.after);
  add_field(said, entry.address);
  add_field(said, entry.request_id);
  return crypto::sha256(entry.previous + said);
}

Verified verify_audit(storage::Transaction& tx, std::int64_t after, const std::optional<std::string>& noted, int limit) {
  Verified verified;
  verified.last_seq = after;
  if (after > 0) {
    const auto known = tx.find(sql::audit_hash, after);
    if (!known) throw not_found("row of the audit");
    verified.last_hash = (*known)[0].bytes(0);
    if (noted && *noted != crypto::hex(verified.last_hash)) {
      verified.broken_seq = after;
      verified.detail = "Its hash is another than was noted.";
      return verified;
    }
  }
  const auto rows = tx.query(sql::audit_after, after, limit);
  for (const auto row : rows) {
    const auto entry = read(row);
    verified.detail = fault_of(entry, verified.last_seq, verified.last_hash);
    if (!verified.detail.empty()) {
      verified.broken_seq = entry.seq;
      return verified;
    }
    ++verified.checked;
    verified.last_seq = entry.seq;
    verified.last_hash = entry.hash;
  }
  if (rows.empty()) check_end(tx, verified);   // else the next part finds out: rows may come meanwhile
  return verified;
}

}  // namespace chat::operators
