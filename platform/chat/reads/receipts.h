#pragma once
#include "platform/chat/reads/reads.h"

/// How far others have come. Private to the folder.
///
/// A receipt is a member's mark that has reached a message: what it stands at now, and since when; the message was read
/// then or before. A message that does not count (a system or silent one, a reply that stays in its thread) is taken
/// as read by whoever has read the next one that counts.
namespace chat::reads {

struct MemberMarks {
  UserId id;
  std::string user_id;
  std::optional<std::int64_t> read_seq;        // the furthest that it ever was
  std::optional<Timestamp> read_at;
  std::optional<std::int64_t> delivered_seq;
  std::optional<Timestamp> delivered_at;
};
/// The marks of those members who have any. By user, 1..limit a page.
/// Errors:  forbidden (the type keeps receipts to itself, and a user asks)
storage::Page<MemberMarks> list_marks(storage::Transaction& tx, const channels::Opened& opened, int limit,
                                      const std::optional<std::string>& cursor, const storage::Cursors& cursors);

enum class ReceiptKind { read, delivered };
struct Receipt {
  UserId id;
  std::string user_id;
  Timestamp at;
};
/// Who has read or received a message, of those who were members when it was sent, without its author. By user.
/// Errors:  not_found (message); forbidden as above
/// Cost:    looks at each member up to the end of the page.
storage::Page<Receipt> list_receipts(storage::Transaction& tx, const channels::Opened& opened, MessageId message,
                                     ReceiptKind kind, int limit, const std::optional<std::string>& cursor,
                                     const storage::Cursors& cursors);

}  // namespace chat::reads
