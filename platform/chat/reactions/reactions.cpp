#include "platform/chat/reactions/reactions.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/channels/channels_events.h"
#include "platform/chat/reactions/reactions.sql.h"
#include "platform/chat/reactions/reactions_events.h"

namespace chat::reactions {
namespace {

using channels::Action;
using channels::Opened;

void count_change(std::string_view change) {
  static constexpr auto kHelp = "Reactions added, changed in score and removed.";
  metrics::counter("chat_reactions_changed_total", kHelp, {{"change", std::string(change)}}).add();
}

/// Of the acting user.
struct Own : Reaction {
  bool shadowed = false;                       // counted for nobody else
};

Own read_own(const storage::Row& row, const Opened& opened) {
  return {{std::string(row.text(1)), opened.acting_user, row.integer(2), row.time(3), row.optional_time(4)}, row.boolean(5)};
}

std::vector<Own> own_of(storage::Transaction& tx, const Opened& opened, MessageId id) {
  text::ArrayLiteral ids;
  ids.add(id.text());
  std::vector<Own> own;
  auto rows = tx.query(sql::list_own, tx.app(), opened.channel.id, ids.take(), *opened.acting_id);
  for (auto row : rows) own.push_back(read_own(row, opened));
  return own;
}

std::int64_t lock_message(storage::Transaction& tx, const Opened& opened, MessageId id, const std::string& type) {
  messages::get_message(tx, opened.channel, id);   // not_found, where the user may not see it
  auto rows = tx.find(sql::lock_message, tx.app(), opened.channel.id, id, type);
  if (!rows) throw not_found("message");
  return (*rows)[0].integer(0);
}

messages::Message show(storage::Transaction& tx, const Opened& opened, MessageId id) {
  std::vector<messages::Message> shown{messages::get_message(tx, opened.channel, id)};
  add_own(tx, opened, shown);
  return std::move(shown.front());
}

void write_group(json::Writer& out, std::int64_t count, std::int64_t score, std::string_view first_at, std::string_view last_at) {
  out.object().field("count", count).field("score", score).field("last_at", last_at).field("first_at", first_at).end();
}

/// The groups as the owner of shadowed reactions sees them.
std::string groups_with(const std::string& groups, const std::vector<Own>& own) {
  std::map<std::string, const Own*, std::less<>> missing;
  for (const auto& one : own)
    if (one.shadowed) missing.emplace(one.type, &one);
  if (missing.empty()) return groups;
  const auto document = json::Document::parse(groups);
  json::Writer out;
  out.object();
  for (const auto& [type, group] : document.root().members()) {
    out.key(type);
    const auto mine = missing.find(type);
    if (mine == missing.end()) {
      out.raw(group.raw());
      continue;
    }
    const auto at = format_time(mine->second->created_at);
    const std::string first(group.find("first_at")->text()), last(group.find("last_at")->text());
    write_group(out, group.find("count")->integer() + 1, group.find("score")->integer() + mine->second->score, std::min(first, at), std::max(last, at));
    missing.erase(mine);
  }
  for (const auto& [type, mine] : missing) {
    const auto at = format_time(mine->created_at);
    out.key(type);
    write_group(out, 1, mine->score, at, at);
  }
  return out.end().take();
}

struct Change {
  std::string_view event;
  Own reaction;
};

void tell(storage::Transaction& tx, bus::Bus& bus, Counted& counted, const Opened& opened, const messages::Message& message,
          const std::vector<Change>& changes, Timestamp now) {
  std::vector<channels::Draft> drafts;
  bool counts = false;
  for (const auto& change : changes) {
    const bool is_shadowed = message.seq == 0 || change.reaction.shadowed;   // then nobody else may hear of it
    counts = counts || !is_shadowed;
    json::Writer data;
    data.object().field("message_id", message.id.wire()).key("reaction").raw(reaction_json(change.reaction))
        .key("reaction_groups").raw(message.reactions.value_or("{}")).end();
    if (is_shadowed) channels::tell_devices(tx, bus, opened.channel, opened.acting_user, now, change.event, data.take());
    else if (!opened.settings.large) drafts.push_back({.type = change.event, .data = data.take()});
  }
  channels::tell(tx, bus, opened.channel, now, std::move(drafts));
  if (opened.settings.large && counts)
    tx.after_commit([&counted, app = tx.app(), channel = opened.channel.id, cid = opened.channel.cid(), id = message.id] {
      counted.changed(app, channel, cid, id);
    });
  tx.after_commit([changes] {
    for (const auto& change : changes) count_change(change.event.substr(change.event.find('.') + 1));
  });
}

void check_may_add(const Opened& opened) {
  if (!opened.settings.reactions) throw forbidden("This channel's type has no reactions.");
  opened.require(Action::add_reaction);
  if (opened.channel.frozen && !opened.may(Action::send_in_frozen))
    throw Error(Code::channel_frozen, "This channel is frozen: it can be read, not written.");
}

}  // namespace

bool is_reaction_type(std::string_view type) {
  auto allowed = [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f && c != '/'; };
  return !type.empty() && type.size() <= kMaxTypeBytes && text::is_utf8(type) && std::all_of(type.begin(), type.end(), allowed);
}

std::string reaction_json(const Reaction& reaction) {
  json::Writer out;
  out.object().field("type", reaction.type).field("user_id", reaction.user_id).field("score", reaction.score)
      .key("created_at").time(reaction.created_at).optional_time("updated_at", reaction.updated_at).end();
  return out.take();
}

Outcome add_reaction(storage::Transaction& tx, bus::Bus& bus, Counted& counted, const Opened& opened, MessageId id, const std::string& type,
                     std::int64_t score, Timestamp now) {
  check_may_add(opened);
  const auto& channel = opened.channel;
  const auto other_types = lock_message(tx, opened, id, type);
  const auto own = own_of(tx, opened, id);
  const auto same = std::find_if(own.begin(), own.end(), [&](const auto& reaction) { return reaction.type == type; });
  if (same != own.end() && same->score == score) return {false, *same, show(tx, opened, id)};

  const bool is_new = same == own.end();
  Own mine{{type, opened.acting_user, score, now, std::nullopt}, false};
  std::vector<Change> changes;
  if (!is_new) {
    tx.run(sql::update_score, tx.app(), channel.id, id, *opened.acting_id, type, score, now);
    mine = *same;
    mine.score = score;
    mine.updated_at = now;
  } else {
    if (other_types >= kMaxTypes)
      throw Error(Code::limit_reached, "A message may have 100 types of reactions.", {{"#/type", "One type too many."}});
    for (std::size_t i = 0; opened.settings.unique_reactions && i < own.size(); ++i) {
      tx.run(sql::delete_reaction, tx.app(), channel.id, id, *opened.acting_id, own[i].type);
      changes.push_back({kReactionDeleted, own[i]});
    }
    mine.shadowed = tx.query(sql::insert_reaction, tx.app(), channel.id, id, *opened.acting_id, type, score, now)[0].boolean(0);
  }
  changes.push_back({is_new ? kReactionNew : kReactionUpdated, mine});
  Outcome outcome{is_new, mine, show(tx, opened, id)};
  tell(tx, bus, counted, opened, outcome.message, changes, now);
  return outcome;
}

messages::Message remove_reaction(storage::Transaction& tx, bus::Bus& bus, Counted& counted, const Opened& opened, MessageId id,
                                  const std::string& type, Timestamp now) {
  lock_message(tx, opened, id, type);
  for (const auto& reaction : own_of(tx, opened, id)) {
    if (reaction.type != type) continue;
    tx.run(sql::delete_reaction, tx.app(), opened.channel.id, id, *opened.acting_id, type);
    auto message = show(tx, opened, id);
    tell(tx, bus, counted, opened, message, {{kReactionDeleted, reaction}}, now);
    return message;
  }
  throw not_found("reaction");
}

storage::Page<Reaction> list_reactions(storage::Transaction& tx, const Opened& opened, MessageId id,
                                       const std::optional<std::string>& type, int limit,
                                       const std::optional<std::string>& cursor, const storage::Cursors& cursors) {
  if (messages::get_message(tx, opened.channel, id).deleted_at) throw not_found("message");
  const std::string scope = tx.app().text() + "|reactions|" + id.text() + "|" + type.value_or("");
  std::optional<std::string> after_type, after_time, after_user;
  if (cursor) {
    const auto position = cursors.open(scope, *cursor, "query:next");
    after_type = position.at(0);
    after_time = position.at(1);
    after_user = position.at(2);
  }
  auto rows = tx.query(sql::list_reactions, tx.app(), opened.channel.id, id, type, limit + 1, after_type, after_time, after_user,
                       opened.channel.sees_shadowed, opened.channel.reader);
  storage::Page<Reaction> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) {
    auto row = rows[i];
    page.items.push_back({std::string(row.text(0)), std::string(row.text(1)), row.integer(2), row.time(3), row.optional_time(4)});
  }
  if (rows.size() > limit) {
    auto last = rows[limit - 1];
    page.next = cursors.seal(scope, {std::string(last.text(0)), format_time(last.time(3)), last.uuid(5).text()});
  }
  return page;
}

void add_own(storage::Transaction& tx, const Opened& opened, std::vector<messages::Message>& messages) {
  if (!opened.acting_id) return;
  text::ArrayLiteral ids;
  std::unordered_map<Uuid, std::vector<Own>> own;
  for (const auto& message : messages) {
    if (!message.reactions) continue;
    ids.add(message.id.text());
    own[message.id.uuid];
  }
  if (own.empty()) return;
  auto rows = tx.query(sql::list_own, tx.app(), opened.channel.id, ids.take(), *opened.acting_id);
  for (auto row : rows) own.at(row.uuid(0)).push_back(read_own(row, opened));
  for (auto& message : messages) {
    if (!message.reactions) continue;
    const auto& mine = own.at(message.id.uuid);
    message.reactions = groups_with(*message.reactions, mine);
    if (*message.reactions == "{}") continue;
    json::Writer out;
    out.array();
    for (const auto& one : mine) out.raw(reaction_json(one));
    message.own_reactions = out.end().take();
  }
}

}  // namespace chat::reactions
