#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/text.h"
#include "platform/chat/blocklists/blocklists.h"
#include "platform/chat/blocklists/blocklists.sql.h"
#include "platform/chat/blocklists/change.h"
#include "platform/chat/blocklists/networks.h"

namespace chat::blocklists {
namespace {

constexpr std::size_t kMaxMistakes = 100;

std::optional<matching::Mistake> tidy(const BlockList& list, Entry& entry, Timestamp now) {
  entry.text = std::string(text::trim(entry.text));
  if (entry.text.empty()) return matching::Mistake{"Must not be empty.", 0};
  if (entry.text.size() > kMaxEntryBytes) return matching::Mistake{"Must be 255 bytes at most.", 0};
  if (entry.expires_at && *entry.expires_at <= now) return matching::Mistake{"Its end is over already.", 0};
  if (list.kind == "ip") {
    const auto network = network_of(entry.text);
    if (!network) return matching::Mistake{"Must be an address or a network: 192.0.2.1, 2001:db8::/32.", 0};
    entry.text = text_of(*network);
    return std::nullopt;
  }
  const auto space = entry.text.find_first_of(" \t\n\r");
  if (list.kind == "word" && space != std::string::npos)
    return matching::Mistake{"A word has no white space; a list of phrases may.", static_cast<std::uint32_t>(text::code_points(entry.text.substr(0, space)))};
  if (list.kind == "domain" || list.kind == "email") entry.text = text::lower_ascii(entry.text);
  return matching::find_mistake(kind_of(list), entry.text, folding_of(list));
}

Entry read_entry(const storage::Row& row) { return {std::string(row.text(0)), row.optional_time(1), row.time(2)}; }

int max_entries(const BlockList& list) { return list.kind == "regex" ? kMaxRegexes : kMaxEntries; }

Error too_many(const BlockList& list) { return Error(Code::limit_reached, "A list of this kind may have " + std::to_string(max_entries(list)) + " entries."); }

/// What every text of the application costs from now on.
void check_regexes(storage::Transaction& tx) {
  const auto rows = tx.query(sql::list_regexes, tx.app(), kMaxRegexes + 1);
  if (rows.size() > kMaxRegexes) throw Error(Code::limit_reached, "All lists together may have " + std::to_string(kMaxRegexes) + " regular expressions.");
  std::size_t places = 0;
  for (auto row : rows) places += matching::places_of(row.text(0));
  if (places > kMaxRegexPlaces)
    throw Error(Code::limit_reached, "All regular expressions together may have " + std::to_string(kMaxRegexPlaces) + " places with all their repetitions.");
}

void check_room(storage::Transaction& tx, const BlockList& list, std::int64_t more) {
  if (list.entry_count + more > max_entries(list)) throw too_many(list);
  if (more > 0 && tx.query(sql::count_entries, tx.app())[0].integer(0) + more > kMaxAllEntries)
    throw Error(Code::limit_reached, "All lists together may have 200000 entries.");
}

}  // namespace

std::string entry_json(const Entry& entry) {
  json::Writer out;
  return out.object().field("entry", entry.text).optional_time("expires_at", entry.expires_at).key("created_at").time(entry.created_at).end().take();
}

std::vector<EntryMistake> check_entries(const BlockList& list, std::vector<Entry>& entries, Timestamp now) {
  if (list.kind == "regex" && entries.size() > static_cast<std::size_t>(kMaxRegexes)) throw too_many(list);   // compiling each takes its time
  std::vector<EntryMistake> mistakes;
  for (std::size_t i = 0; i < entries.size() && mistakes.size() < kMaxMistakes; ++i)
    if (auto mistake = tidy(list, entries[i], now)) mistakes.push_back({i, std::move(*mistake)});
  return mistakes;
}

EntriesChanged change_entries(storage::Transaction& tx, bus::Bus& bus, const std::string& name, const std::vector<Entry>& add,
                              const std::vector<std::string>& remove, bool replace, Timestamp now) {
  const auto version = begin_change(tx, bus);
  const auto list = get_block_list(tx, name);
  EntriesChanged changed;
  text::ArrayLiteral gone, texts, ends;
  for (const auto& one : remove) gone.add(one);
  std::vector<const Entry*> distinct;
  for (const auto& one : add) distinct.push_back(&one);
  std::ranges::stable_sort(distinct, {}, &Entry::text);
  int given = 0;
  // Of one that is given twice, the last holds.
  for (std::size_t i = 0; i < distinct.size(); ++i) {
    if (i + 1 < distinct.size() && distinct[i + 1]->text == distinct[i]->text) continue;
    if (++given > max_entries(list)) throw too_many(list);
    texts.add(distinct[i]->text);
    ends.add(distinct[i]->expires_at ? format_time(*distinct[i]->expires_at) : "");
  }
  if (replace) changed.removed = tx.run(sql::clear_entries, tx.app(), list.id);
  else if (!remove.empty()) changed.removed = tx.run(sql::remove_entries, tx.app(), list.id, gone.take());
  if (!add.empty()) changed.added = tx.query(sql::add_entries, tx.app(), list.id, texts.take(), ends.take(), now)[0].integer(0);
  check_room(tx, list, changed.added - changed.removed);
  if (changed.added > 0 && list.kind == "regex") check_regexes(tx);
  tx.run(sql::note_entries, tx.app(), list.id, changed.added - changed.removed, version, now);
  changed.list = get_block_list(tx, name);
  return changed;
}

storage::Page<Entry> list_entries(storage::Transaction& tx, const BlockList& list, const std::string& prefix, int limit,
                                  const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  const auto scope = tx.app().text() + "|block_list|" + list.id.text() + "|" + prefix;
  std::optional<std::string> after;
  if (cursor) after = cursors.open(scope, *cursor, "query:next").at(0);
  auto rows = tx.query(sql::list_entries, tx.app(), list.id, after, prefix, limit + 1);
  storage::Page<Entry> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read_entry(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {page.items.back().text});
  return page;
}

}  // namespace chat::blocklists
