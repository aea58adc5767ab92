#include "platform/chat/blocklists/blocklists.h"

#include <algorithm>
#include <array>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/blocklists/blocklists.sql.h"
#include "platform/chat/blocklists/change.h"
#include "platform/chat/blocklists/folding_json.h"

namespace chat::blocklists {
namespace {

constexpr std::array<std::string_view, 5> kBehaviours{"flag", "mask", "hold", "shadow", "block"};

BlockList read_row(const storage::Row& row) {
  BlockList list;
  list.id = BlockListId{row.uuid(0)};
  list.name = row.text(1);
  list.kind = row.text(2);
  list.allows = row.boolean(3);
  list.description = row.text(4);
  list.folding = parse_folding(row.text(5));
  list.behaviour = parse_behaviour(row.text(6)).value_or(Behaviour::block);
  list.server_calls = row.boolean(7);
  list.profiles = row.boolean(8);
  list.entry_count = row.integer(9);
  list.version = row.integer(10);
  list.mistake = row.optional_text(11);
  list.created_at = row.time(12);
  list.updated_at = row.time(13);
  return list;
}

std::vector<BlockList> read_all(const storage::Rows& rows) {
  std::vector<BlockList> lists;
  for (auto row : rows) lists.push_back(read_row(row));
  return lists;
}

}  // namespace

std::string_view word(Behaviour behaviour) { return kBehaviours[static_cast<std::size_t>(behaviour)]; }

std::optional<Behaviour> parse_behaviour(std::string_view word) {
  const auto found = std::ranges::find(kBehaviours, word);
  if (found == kBehaviours.end()) return std::nullopt;
  return static_cast<Behaviour>(found - kBehaviours.begin());
}

bool is_block_list_name(std::string_view text) {
  auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'; };
  return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, allowed);
}

matching::Kind kind_of(const BlockList& list) {
  if (list.kind == "domain") return matching::Kind::domain;
  if (list.kind == "email") return matching::Kind::email;
  return list.kind == "regex" ? matching::Kind::regex : matching::Kind::words;
}

matching::Folding folding_of(const BlockList& list) { return matching::folding_of(kind_of(list), list.folding); }

std::string block_list_json(const BlockList& list, bool shared) {
  json::Writer out;
  out.object().field("name", (shared ? std::string(kShared) : std::string()) + list.name).field("kind", list.kind).key("allow").boolean(list.allows)
      .field("description", list.description).field("behaviour", word(list.behaviour)).key("server_calls").boolean(list.server_calls)
      .key("profiles").boolean(list.profiles);
  if (list.kind != "ip") out.key("folding").raw(folding_json(folding_of(list)));
  out.field("entry_count", list.entry_count).field("state", list.mistake ? "failed" : "ready");
  if (list.mistake) out.key("mistake").raw(*list.mistake);
  return out.key("created_at").time(list.created_at).key("updated_at").time(list.updated_at).end().take();
}

std::int64_t begin_change(storage::Transaction& tx, bus::Bus& bus) {
  const auto version = tx.query(sql::hold_block_lists, tx.app())[0].integer(0);
  tx.after_commit([&bus, app = tx.app()] { bus.control({kBlockListsChanged, app, "", true}); });
  return version;
}

PutList put_block_list(storage::Transaction& tx, bus::Bus& bus, BlockList wanted, Timestamp now) {
  const auto version = begin_change(tx, bus);
  const auto folding = folding_json(wanted.folding);
  const auto behaviour = std::string(word(wanted.behaviour));
  if (const auto before = find_block_list(tx, wanted.name)) {
    if (before->kind != wanted.kind) throw Error(Code::conflict, "The list's kind is " + before->kind + " and stays so.", {{"#/kind", "Can't change."}});
    tx.run(sql::update_block_list, tx.app(), before->id, wanted.allows, wanted.description, folding, behaviour, wanted.server_calls, wanted.profiles, version, now);
    return {false, get_block_list(tx, wanted.name)};
  }
  if (list_block_lists(tx).size() >= kMaxLists) throw Error(Code::limit_reached, "There may be 50 block lists; delete one first.");
  tx.run(sql::insert_block_list, tx.app(), BlockListId::make(now), wanted.name, wanted.kind, wanted.allows, wanted.description, folding, behaviour,
         wanted.server_calls, wanted.profiles, version, now);
  return {true, get_block_list(tx, wanted.name)};
}

std::optional<BlockList> find_block_list(storage::Transaction& tx, const std::string& name) {
  auto rows = tx.find(sql::find_block_list, tx.app(), name);
  return rows ? std::optional<BlockList>(read_row((*rows)[0])) : std::nullopt;
}

BlockList get_block_list(storage::Transaction& tx, const std::string& name) {
  auto list = find_block_list(tx, name);
  if (!list) throw not_found("block list");
  return *list;
}

void delete_block_list(storage::Transaction& tx, bus::Bus& bus, const std::string& name) {
  begin_change(tx, bus);
  const auto list = get_block_list(tx, name);
  tx.run(sql::delete_uses, tx.app(), name);
  tx.run(sql::delete_block_list, tx.app(), list.id);
}

std::vector<BlockList> list_block_lists(storage::Transaction& tx) { return read_all(tx.query(sql::list_block_lists, tx.app())); }
std::vector<BlockList> list_shared_block_lists(storage::Transaction& tx) { return read_all(tx.query(sql::list_shared_block_lists)); }

}  // namespace chat::blocklists
