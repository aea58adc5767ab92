#include "platform/chat/users/read_row.h"
#include "platform/chat/users/search.sql.h"
#include "platform/chat/users/users.h"

namespace chat::users {

storage::Page<User> search_users(storage::Transaction& tx, const std::string& viewer, const std::string& typed, int limit,
                                 const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|search|" + viewer + "|" + typed;
  std::vector<std::string> after{"", Uuid{}.text()};
  if (cursor) after = cursors.open(scope, *cursor, "#/next");
  auto rows = tx.query(sql::search_users, tx.app(), viewer, typed, after.at(0), after.at(1), limit + 1);
  storage::Page<User> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read_user(rows[i]));
  if (rows.size() > limit) {
    auto last = rows[limit - 1];
    page.next = cursors.seal(scope, {std::string(last.text(kUserColumns)), last.uuid(kUserColumns + 1).text()});
  }
  return page;
}

}  // namespace chat::users
