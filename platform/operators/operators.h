#pragma once
#include <optional>
#include <string>
#include <vector>

#include "platform/http/router.h"
#include "platform/storage/page.h"

/// The people and programs that run the service: each with a token and a role of its own.
namespace chat::operators {

struct OperatorTag { static constexpr std::string_view kPrefix = "opr"; };
using OperatorId = Id<OperatorTag>;

/// What one may do at the operator's door; each role includes those before it.
///   viewer    look at everything but what only owners may
///   operate   (the word is `operator`) change applications, keys and plans
///   owner     operators, and what can't be undone: purging, exports, imports
enum class Role { viewer, operate, owner };
std::string_view word(Role role);
std::optional<Role> parse_role(std::string_view word);

/// Who calls at the operator's door: a valid token was shown. The configured token's operator has no id, is called
/// kBootstrap and is an owner, so that there is always one.
class Operator final : public http::Principal {
 public:
  Operator(std::optional<OperatorId> given_id, std::string given_name, Role given_role)
      : id(given_id), name(std::move(given_name)), role(given_role) {}
  const std::optional<OperatorId> id;
  const std::string name;
  const Role role;

  /// Of a request at the operator's door. INVARIANT: its route demanded one.
  static const Operator& of(const http::Request& request);
};
inline constexpr std::string_view kBootstrap = "bootstrap";

/// Which role a route asks for: an owner's by its operation, else a viewer for what only reads and an operator for what changes.
Role role_needed(const http::Route& route);
/// The operations that only owners may call.
const std::vector<std::string>& owner_operations();
/// Errors:  forbidden, naming the role that is needed and the one that is held
void check_role(const http::Route& route, const Operator& caller);

/// True when it has the form of an operator's own token; anything else need not be looked up.
bool is_token(std::string_view text);
/// Whose token it is, noting that it was used. None: nobody's, or revoked.
/// Cost:    one transaction, writing once a minute at most.
std::shared_ptr<const Operator> authenticate(storage::Connection& connection, const std::string& token, Timestamp now);

struct OperatorRow {
  OperatorId id;
  std::string name;
  Role role;
  std::string created_by;
  Timestamp created_at;
  std::optional<Timestamp> last_used_at, revoked_at;
};
struct NewOperator {
  OperatorRow row;
  std::string token;                           // shown this once; only its hash is kept
};
/// Errors:  already_exists (an operator of this name is not revoked)
NewOperator create_operator(storage::Transaction& tx, const std::string& name, Role role, const std::string& by, Timestamp now);
/// Its token is dead at once, on every node. Errors: not_found (missing, or revoked before)
OperatorRow revoke_operator(storage::Transaction& tx, OperatorId id, Timestamp now);
/// In order of creation, revoked ones too.
storage::Page<OperatorRow> list_operators(storage::Transaction& tx, int limit, const std::optional<std::string>& cursor,
                                          const storage::Cursors& cursors);
std::string operator_json(const OperatorRow& row);

}  // namespace chat::operators
