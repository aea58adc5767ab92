#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/blocklists/blocklists.h"
#include "platform/chat/blocklists/blocklists.sql.h"
#include "platform/chat/blocklists/change.h"

namespace chat::blocklists {
namespace {

std::string scope_of(const Use& use) { return use.channel_id.empty() ? use.channel_type : use.channel_type + ":" + use.channel_id; }

Use read_use(const storage::Row& row) {
  Use use;
  use.list = row.text(0);
  const std::string scope(row.text(1));
  const auto colon = scope.find(':');
  use.channel_type = scope.substr(0, colon);
  if (colon != std::string::npos) use.channel_id = scope.substr(colon + 1);
  if (const auto behaviour = row.optional_text(2)) use.behaviour = parse_behaviour(*behaviour);
  if (!row.is_null(3)) use.server_calls = row.boolean(3);
  use.created_at = row.time(4);
  return use;
}

std::optional<BlockList> find_list(storage::Transaction& tx, const std::string& name) {
  if (!name.starts_with(kShared)) return find_block_list(tx, name);
  for (auto& list : list_shared_block_lists(tx))
    if (std::string(kShared) + list.name == name) return std::move(list);
  return std::nullopt;
}

void check_place(storage::Transaction& tx, const Use& use) {
  if (use.channel_type.empty()) return;
  if (use.channel_id.empty()) {
    if (!tx.find(sql::channel_type_exists, tx.app(), use.channel_type)) throw not_found("channel type");
  } else if (!tx.find(sql::channel_exists, tx.app(), use.channel_type, use.channel_id)) {
    throw not_found("channel");
  }
}

}  // namespace

std::string use_json(const Use& use) {
  json::Writer out;
  out.object().field("list", use.list);
  if (!use.channel_type.empty()) out.field("channel_type", use.channel_type);
  if (!use.channel_id.empty()) out.field("channel_id", use.channel_id);
  if (use.behaviour) out.field("behaviour", word(*use.behaviour));
  if (use.server_calls) out.key("server_calls").boolean(*use.server_calls);
  return out.key("created_at").time(use.created_at).end().take();
}

PutUse put_use(storage::Transaction& tx, bus::Bus& bus, const Use& use, Timestamp now) {
  begin_change(tx, bus);
  const auto list = find_list(tx, use.list);
  if (!list) throw not_found("block list");
  if (list->kind == "ip" && !use.channel_type.empty()) throw invalid_field("#/channel_type", "A list of addresses holds everywhere or nowhere.");
  check_place(tx, use);
  const auto behaviour = use.behaviour ? std::optional<std::string>(word(*use.behaviour)) : std::nullopt;
  const bool created = tx.query(sql::put_use, tx.app(), use.list, scope_of(use), behaviour, use.server_calls, now)[0].boolean(0);
  if (tx.query(sql::count_uses, tx.app())[0].integer(0) > kMaxUses) throw Error(Code::limit_reached, "Lists may hold in 1000 places.");
  for (auto& one : list_uses(tx, use.list))
    if (scope_of(one) == scope_of(use)) return {created, std::move(one)};
  throw not_found("use");
}

void delete_use(storage::Transaction& tx, bus::Bus& bus, const Use& use) {
  begin_change(tx, bus);
  if (tx.run(sql::delete_use, tx.app(), use.list, scope_of(use)) == 0) throw not_found("use of the block list");
}

std::vector<Use> list_uses(storage::Transaction& tx, const std::optional<std::string>& list) {
  std::vector<Use> uses;
  auto rows = tx.query(sql::list_uses, tx.app(), list);
  for (auto row : rows) uses.push_back(read_use(row));
  return uses;
}

std::vector<std::string> take_names(storage::Transaction& tx, bus::Bus& bus, const std::vector<std::string>& names) {
  begin_change(tx, bus);
  std::vector<std::string> missing;
  for (const auto& name : names)
    if (const auto list = find_list(tx, name); !list || list->kind == "ip") missing.push_back(name);   // one of addresses holds everywhere or nowhere
  return missing;
}

}  // namespace chat::blocklists
