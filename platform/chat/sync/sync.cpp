#include "platform/chat/sync/sync.h"

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/sync/sync.sql.h"

namespace chat::sync {
namespace {

using How = Changed::How;

/// What the client knows, as the statements take it. What is no cid is nobody's channel: it is gone.
struct Lists {
  std::string types, ids, epochs, seqs, reads;
  std::vector<std::string> nonsense;
};

Lists lists_of(const std::vector<realtime::Known>& known) {
  text::ArrayLiteral types, ids, epochs, seqs, reads;
  Lists lists;
  for (const auto& one : known) {
    const auto colon = one.cid.find(':');
    if (colon == std::string::npos) {
      lists.nonsense.push_back(one.cid);
      continue;
    }
    types.add(one.cid.substr(0, colon));
    ids.add(one.cid.substr(colon + 1));
    epochs.add(one.epoch);
    seqs.add(std::to_string(one.seq));
    reads.add(std::to_string(one.read_seq.value_or(-1)));
  }
  lists.types = types.take();
  lists.ids = ids.take();
  lists.epochs = epochs.take();
  lists.seqs = seqs.take();
  lists.reads = reads.take();
  return lists;
}

How how_of(bool known, bool continues, bool same) {
  if (!known) return How::added;
  if (!continues) return How::renumbered;
  return same ? How::read : How::events;
}

std::string_view word(How how) {
  switch (how) {
    case How::added: return "added";
    case How::events: return "events";
    case How::renumbered: return "renumbered";
    case How::read: return "read";
  }
  return "";
}

void add_others(storage::Transaction& tx, UserId user, const Lists& lists, Synced& synced) {
  synced.gone = lists.nonsense;
  auto rows = tx.query(sql::sync_others, tx.app(), user, lists.types, lists.ids, lists.epochs, lists.seqs);
  for (auto row : rows) {
    if (!row.boolean(1)) {
      synced.gone.emplace_back(row.text(0));
      continue;
    }
    Changed changed;
    changed.cid = row.text(0);
    changed.how = how_of(true, row.boolean(2), false);
    changed.member = false;
    changed.epoch = row.text(4);
    changed.last_seq = row.integer(5);
    changed.last_message_seq = row.integer(6);
    synced.channels.items.push_back(std::move(changed));
  }
}

}  // namespace

std::string synced_json(const Synced& synced) {
  json::Writer out;
  out.object().key("channels").array();
  for (const auto& one : synced.channels.items) {
    out.object().field("cid", one.cid).field("change", word(one.how)).key("member").boolean(one.member)
        .field("epoch", one.epoch).field("last_seq", one.last_seq).field("last_message_seq", one.last_message_seq);
    if (one.read_seq) out.field("read_seq", *one.read_seq);
    if (one.member) out.field("unread", one.unread).field("mentions", one.mentions).key("hidden").boolean(one.hidden);
    out.end();
  }
  out.end().key("gone").array();
  for (const auto& cid : synced.gone) out.text(cid);
  return out.end().optional_field("next", synced.channels.next).end().take();
}

Synced sync(storage::Transaction& tx, const std::string& user_id, const realtime::SyncAsk& asked, int limit, const storage::Cursors& cursors) {
  static auto& syncs = metrics::counter("chat_syncs_total", "Clients that asked what happened in all their channels.");
  const auto reader = tx.find(sql::find_reader, tx.app(), user_id);
  if (!reader) throw not_found("user");
  const UserId user{(*reader)[0].uuid(0)};
  const auto scope = tx.app().text() + "|sync|" + user_id;
  std::optional<std::string> after;
  if (asked.next) after = cursors.open(scope, *asked.next).at(0);
  const Lists lists = lists_of(asked.known);
  Synced synced;
  auto rows = tx.query(sql::sync_channels, tx.app(), user, lists.types, lists.ids, lists.epochs, lists.seqs, lists.reads, after,
                       std::int64_t{limit} + 1, asked.after, asked.until);
  for (auto row : rows) {
    if (synced.channels.items.size() == static_cast<std::size_t>(limit)) {
      synced.channels.next = cursors.seal(scope, {*after});
      break;
    }
    const bool is_known = row.boolean(2);
    Changed changed{std::string(row.text(1)), how_of(is_known, is_known && row.boolean(3), is_known && row.boolean(4)), true,
                    std::string(row.text(5)), row.integer(6), row.integer(7), row.optional_integer(8), row.integer(9), row.integer(10),
                    row.boolean(11)};
    after = ChannelId{row.uuid(0)}.text();
    synced.channels.items.push_back(std::move(changed));
  }
  if (!asked.next) add_others(tx, user, lists, synced);
  syncs.add();
  return synced;
}

}  // namespace chat::sync
