#include "platform/chat/reactions/reactions.h"

#include <algorithm>
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

Reaction read_own(const storage::Row& row, const Opened& opened) {
  return {std::string(row.text(1)), opened.acting_user, row.integer(2), row.time(3), row.optional_time(4)};
}

std::vector<Reaction> own_of(storage::Transaction& tx, const Opened& opened, MessageId id) {
  text::ArrayLiteral ids;
  ids.add(id.text());
  std::vector<Reaction> own;
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

struct Change {
  std::string_view event;
  Reaction reaction;
};

void tell(storage::Transaction& tx, bus::Bus& bus, Counted& counted, const Opened& opened, const messages::Message& message,
          const std::vector<Change>& changes, Timestamp now) {
  const bool is_shadowed = message.seq == 0;   // then nobody else may hear of it
  std::vector<channels::Draft> drafts;
  for (const auto& change : changes) {
    json::Writer data;
    data.object().field("message_id", message.id.wire()).key("reaction").raw(reaction_json(change.reaction))
        .key("reaction_groups").raw(message.reactions.value_or("{}")).end();
    if (is_shadowed) channels::tell_user(tx, bus, opened.channel, opened.acting_user, now, change.event, data.take());
    else if (!opened.settings.large) drafts.push_back({.type = change.event, .data = data.take()});
  }
  channels::tell(tx, bus, opened.channel, now, std::move(drafts));
  if (opened.settings.large && !is_shadowed)
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

  Outcome outcome{same == own.end(), {type, opened.acting_user, score, now, std::nullopt}, {}};
  std::vector<Change> changes;
  if (same != own.end()) {
    tx.run(sql::update_score, tx.app(), channel.id, id, *opened.acting_id, type, score, now);
    outcome.reaction = *same;
    outcome.reaction.score = score;
    outcome.reaction.updated_at = now;
  } else {
    if (other_types >= kMaxTypes)
      throw Error(Code::limit_reached, "A message may have 100 types of reactions.", {{"#/type", "One type too many."}});
    for (std::size_t i = 0; opened.settings.unique_reactions && i < own.size(); ++i) {
      tx.run(sql::delete_reaction, tx.app(), channel.id, id, *opened.acting_id, own[i].type);
      changes.push_back({kReactionDeleted, own[i]});
    }
    tx.run(sql::insert_reaction, tx.app(), channel.id, id, *opened.acting_id, type, score, now);
  }
  changes.push_back({outcome.created ? kReactionNew : kReactionUpdated, outcome.reaction});
  outcome.message = show(tx, opened, id);
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
  auto rows = tx.query(sql::list_reactions, tx.app(), opened.channel.id, id, type, limit + 1, after_type, after_time, after_user);
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
  std::unordered_map<Uuid, json::Writer> own;
  for (const auto& message : messages) {
    if (!message.reactions) continue;
    ids.add(message.id.text());
    own[message.id.uuid].array();
  }
  if (own.empty()) return;
  auto rows = tx.query(sql::list_own, tx.app(), opened.channel.id, ids.take(), *opened.acting_id);
  for (auto row : rows) own.at(row.uuid(0)).raw(reaction_json(read_own(row, opened)));
  for (auto& message : messages)
    if (message.reactions) message.own_reactions = own.at(message.id.uuid).end().take();
}

}  // namespace chat::reactions
