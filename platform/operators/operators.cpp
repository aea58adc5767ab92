#include "platform/operators/operators.h"

#include <algorithm>

#include "platform/base/crypto.h"
#include "platform/base/error.h"
#include "platform/operators/operators.sql.h"

namespace chat::operators {
namespace {

constexpr std::string_view kTokenPrefix = "op_";
constexpr std::size_t kTokenBytes = 32;
constexpr auto kNotedAgainAfter = std::chrono::minutes(1);

Role role_of(std::string_view text) {
  const auto role = parse_role(text);
  INVARIANT(role.has_value(), "the database checks the word");
  return *role;
}

OperatorRow read(const storage::Row& row) {
  return {OperatorId{row.uuid(0)}, std::string(row.text(1)), role_of(row.text(2)), std::string(row.text(3)),
          row.time(4),             row.optional_time(5),     row.optional_time(6)};
}

}  // namespace

std::string_view word(Role role) {
  switch (role) {
    case Role::viewer: return "viewer";
    case Role::operate: return "operator";
    case Role::owner: return "owner";
  }
  return "viewer";
}

std::optional<Role> parse_role(std::string_view text) {
  for (const Role role : {Role::viewer, Role::operate, Role::owner})
    if (text == word(role)) return role;
  return std::nullopt;
}

const Operator& Operator::of(const http::Request& request) {
  auto* caller = dynamic_cast<const Operator*>(request.principal.get());
  INVARIANT(caller != nullptr, "the route's access demands an operator");
  return *caller;
}

const std::vector<std::string>& owner_operations() {
  static const std::vector<std::string> operations{
      "create_operator",    "revoke_operator", "purge_application", "export_application", "get_export_part", "begin_import",
      "add_import_part",    "apply_import",    "discard_import"};
  return operations;
}

Role role_needed(const http::Route& route) {
  const auto& owners = owner_operations();
  if (std::find(owners.begin(), owners.end(), route.operation) != owners.end()) return Role::owner;
  const bool reads = route.method == http::Method::get || route.method == http::Method::head || route.mode == storage::Mode::read;
  return reads ? Role::viewer : Role::operate;
}

void check_role(const http::Route& route, const Operator& caller) {
  const Role needed = role_needed(route);
  if (caller.role >= needed) return;
  throw forbidden("This needs the role " + std::string(word(needed)) + "; " + caller.name + " is " + std::string(word(caller.role)) + ".");
}

bool is_token(std::string_view text) {
  if (!text.starts_with(kTokenPrefix)) return false;
  const auto bytes = crypto::parse_base64url(text.substr(kTokenPrefix.size()));
  return bytes && bytes->size() == kTokenBytes;
}

std::shared_ptr<const Operator> authenticate(storage::Connection& connection, const std::string& token, Timestamp now) {
  if (!is_token(token)) return nullptr;
  std::shared_ptr<const Operator> found;
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    found = nullptr;
    const auto rows = tx.find(sql::find_operator, crypto::hex(crypto::sha256(token)));
    if (!rows) return;
    const auto row = (*rows)[0];
    const OperatorId id{row.uuid(0)};
    found = std::make_shared<Operator>(id, std::string(row.text(1)), role_of(row.text(2)));
    const auto used = row.optional_time(3);
    if (!used || now - *used > kNotedAgainAfter) tx.run(sql::note_operator_use, id, now);
  });
  return found;
}

NewOperator create_operator(storage::Transaction& tx, const std::string& name, Role role, const std::string& by, Timestamp now) {
  const std::string token = std::string(kTokenPrefix) + crypto::base64url(crypto::random_bytes(kTokenBytes));
  const auto rows = tx.find(sql::insert_operator, OperatorId::make(now), name, word(role), crypto::hex(crypto::sha256(token)), by, now);
  if (!rows) throw Error(Code::already_exists, "There is an operator of this name; revoke it first.");
  return {read((*rows)[0]), token};
}

OperatorRow revoke_operator(storage::Transaction& tx, OperatorId id, Timestamp now) {
  const auto rows = tx.find(sql::revoke_operator, id, now);
  if (!rows) throw not_found("operator");
  return read((*rows)[0]);
}

storage::Page<OperatorRow> list_operators(storage::Transaction& tx, int limit, const std::optional<std::string>& cursor,
                                          const storage::Cursors& cursors) {
  const std::string scope = "operator|operators";
  std::optional<std::string> after;
  if (cursor) after = cursors.open(scope, *cursor, "query:next").at(0);
  storage::Page<OperatorRow> page;
  const auto rows = tx.query(sql::list_operators, after, limit + 1);
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {page.items.back().id.text()});
  return page;
}

std::string operator_json(const OperatorRow& row) {
  json::Writer out;
  out.object()
      .field("operator_id", row.id.wire())
      .field("name", row.name)
      .field("role", word(row.role))
      .field("created_by", row.created_by)
      .key("created_at").time(row.created_at)
      .optional_time("last_used_at", row.last_used_at)
      .optional_time("revoked_at", row.revoked_at)
      .end();
  return out.take();
}

}  // namespace chat::operators
