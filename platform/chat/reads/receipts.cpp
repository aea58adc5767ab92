#include "platform/chat/reads/receipts.h"

#include "platform/chat/messages/messages.h"
#include "platform/chat/reads/receipts.sql.h"

namespace chat::reads {
namespace {

void check_shown(const channels::Opened& opened, bool told) {
  opened.require(channels::Action::list_receipts);
  if (!told && !opened.acting_user.empty()) throw forbidden("Channels of this type keep receipts to themselves.");
}

/// Fills a page from rows of one more than the limit, whose first column is the user.
template <class T, class Read>
storage::Page<T> page_of(const storage::Rows& rows, int limit, const std::string& scope, const storage::Cursors& cursors, Read read) {
  storage::Page<T> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {page.items.back().id.text()});
  return page;
}

std::optional<std::string> after_of(const std::optional<std::string>& cursor, const std::string& scope, const storage::Cursors& cursors) {
  if (!cursor) return std::nullopt;
  return cursors.open(scope, *cursor, "query:next").at(0);
}

}  // namespace

storage::Page<MemberMarks> list_marks(storage::Transaction& tx, const channels::Opened& opened, int limit,
                                      const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  check_shown(opened, opened.settings.read_events || opened.settings.delivery_events);
  const bool all = opened.acting_user.empty();
  const std::string scope = tx.app().text() + "|marks|" + opened.channel.id.text();
  auto rows = tx.query(sql::list_marks, tx.app(), opened.channel.id, after_of(cursor, scope, cursors), limit + 1, all);
  return page_of<MemberMarks>(rows, limit, scope, cursors, [&](const storage::Row& row) {
    MemberMarks marks{UserId{row.uuid(0)}, std::string(row.text(1)), {}, {}, {}, {}};
    if (all || opened.settings.read_events) {
      marks.read_seq = row.optional_integer(2);
      if (marks.read_seq) marks.read_at = row.optional_time(3);
    }
    if (all || opened.settings.delivery_events) {
      marks.delivered_seq = row.optional_integer(4);
      marks.delivered_at = row.optional_time(5);
    }
    return marks;
  });
}

storage::Page<Receipt> list_receipts(storage::Transaction& tx, const channels::Opened& opened, MessageId id, ReceiptKind kind,
                                     int limit, const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const bool reads = kind == ReceiptKind::read;
  check_shown(opened, reads ? opened.settings.read_events : opened.settings.delivery_events);
  const auto& channel = opened.channel;
  const auto message = messages::get_message(tx, channel, id);
  std::optional<std::int64_t> number = message.message_seq;
  if (!number && channel.last_message_id)
    if (auto rows = tx.find(sql::number_from, tx.app(), channel.id, id, *channel.last_message_id)) number = (*rows)[0].integer(0);
  if (!number) return {};
  const std::string scope = tx.app().text() + (reads ? "|readers|" : "|receivers|") + id.text();
  const auto after = after_of(cursor, scope, cursors);
  auto rows = reads ? tx.query(sql::list_readers, tx.app(), channel.id, *number, message.user_id, after, limit + 1, opened.acting_user.empty())
                    : tx.query(sql::list_receivers, tx.app(), channel.id, *number, message.user_id, after, limit + 1, opened.acting_user.empty());
  return page_of<Receipt>(rows, limit, scope, cursors,
                          [](const storage::Row& row) { return Receipt{UserId{row.uuid(0)}, std::string(row.text(1)), row.time(2)}; });
}

}  // namespace chat::reads
