#include "platform/chat/moderation/decisions.h"

#include <algorithm>
#include <set>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/chat/moderation/decisions.sql.h"
#include "platform/chat/moderation/moderation_events.h"
#include "platform/chat/moderation/queue.sql.h"
#include "platform/chat/moderation/reviewer.h"
#include "platform/chat/moderation/rows.h"
#include "platform/chat/moderation/strikes.h"

namespace chat::moderation {
namespace {

using channels::Action;

const Reviewer kServer{};

bool bans(const std::string& action) { return action == "ban" || action == "shadow_ban" || action == "timeout"; }
bool punishes(const std::string& action) { return bans(action) || action == "delete" || action == "warn"; }

void count_decision(storage::Transaction& tx, const std::string& action) {
  tx.after_commit([action] {
    metrics::counter("chat_moderation_decisions_total", "Decisions of moderators and rules, and their undoing.", {{"action", action}}).add();
  });
}

/// The channel as the reviewer may act in it; the head is held. None: the item is in no channel, or its channel is gone and the whole
/// application is the reviewer's.
std::optional<channels::Opened> open_of(storage::Transaction& tx, const Reviewer& reviewer, const std::optional<std::string>& cid) {
  if (!cid) return std::nullopt;
  try {
    auto opened = open_for(tx, reviewer, *cid, Action::decide_flags);
    for (auto action : {Action::ban_members, Action::delete_any_message, Action::send_in_frozen, Action::see_shadowed}) opened.actions |= bit(action);
    opened.channel.sees_shadowed = true;
    return opened;
  } catch (const Error& error) {
    if (error.code() != Code::not_found || !reviewer.whole) throw;
    return std::nullopt;
  }
}

void check(const Reviewer& reviewer, const Item& item, const Decision& decision, Timestamp now) {
  const bool on_message = item.subject.type == "message";
  if ((decision.action == "delete" || decision.action == "restore" || decision.delete_message) && !on_message)
    throw invalid_field("#/action", "Only a message can be deleted or restored.");
  if (decision.whole && !reviewer.whole) throw forbidden("Only the application's moderators act in the whole application.");
  if (decision.action == "timeout" && !decision.expires_at) throw invalid_field("#/expires_at", "A timeout ends.");
  if (decision.expires_at && *decision.expires_at <= now) throw invalid_field("#/expires_at", "Must be in the future.");
  if (item.decided_at) throw Error(Code::conflict, "This is decided: undo that decision first.");
  if (punishes(decision.action) && !item.user_id) throw Error(Code::conflict, "There is no user whom it could concern.");
}

std::int64_t usual_points(const Settings& settings, const std::string& action) {
  const auto usual = settings.points.find(action);
  return usual == settings.points.end() ? 0 : usual->second;
}

/// Points of all channels lead to what holds in the whole application: a channel's moderator gives no more than the application says.
void check_points(const Reviewer& reviewer, const Decision& decision, const Settings& settings) {
  const auto usual = usual_points(settings, decision.action);
  if (!reviewer.whole && decision.points.value_or(0) > usual)
    throw forbidden("Only the application's moderators give more than " + std::to_string(usual) + " points for this.");
}

/// Above a channel's roles stand the application's moderators, above these its admins.
void check_rank(Scene& scene, const Reviewer& reviewer, const Line& line) {
  if (!scene.item.subject.whose) return;
  const auto rows = scene.tx.query(sql::lock_subject_user, scene.tx.app(), *scene.item.subject.whose, scene.item.subject.channel);
  if (!punishes(line.action) || (line.action == "delete" && line.points == 0)) return;
  const auto role = rows[0].text(0);
  if (role == "admin" && !reviewer.is_admin) throw forbidden("Only the application's admins act against one of them.");
  if (role == "moderator" && !reviewer.whole) throw forbidden("Only the application's moderators act against one of them.");
  if (scene.opened) channels::check_rank(*scene.opened, channels::rank_of(rows[0].optional_text(1).value_or("")));
}

std::string status_after(const std::string& action) {
  if (action == "approve" || action == "restore") return "approved";
  return action == "escalate" ? "escalated" : "rejected";
}

/// Errors:  not_found: whom it is escalated to does not moderate it
std::optional<UserId> assignee(storage::Transaction& tx, const Decision& decision, ItemId id) {
  if (!decision.assign_to) return std::nullopt;
  const auto named = reviewer_named(tx, *decision.assign_to);
  get_item(tx, named, id);
  return named.id;
}

void warn(Scene& scene, const Line& line) {
  json::Writer data;
  data.object().key("notice").raw(notice_json(line, std::nullopt)).end();
  tell_user(scene.tx, scene.hands.bus, {*scene.item.user_id, true}, kWarned, data.take(), scene.now);
}

/// What the decision does beside ending the item.
Effects act(Scene& scene, const Line& line, const Decision& decision) {
  Effects effects;
  if (decision.action == "approve") effects.shown = show_subject(scene);
  if (decision.action == "delete" || decision.delete_message) delete_subject(scene, decision.hard, effects);
  if (decision.action == "restore") {
    restore_subject(scene, line.id);
    effects.restored = true;
  }
  const bool whole = decision.whole || !scene.item.subject.channel;
  if (bans(decision.action)) {
    effects.ban = ban_subject(scene, {whole, decision.action == "shadow_ban", decision.reason, decision.expires_at});
    effects.standing = change_standing(
        scene, {.whole = whole, .ban_reason = ban_reason_json(line.id, decision.action, decision.reason, decision.rule, decision.expires_at)});
  }
  if (decision.action == "warn") {
    effects.standing = change_standing(scene, {.whole = whole, .warned = true});
    warn(scene, line);
  }
  return effects;
}

void end_item(storage::Transaction& tx, const Item& item, const Decision& decision, const std::optional<UserId>& assigned, Timestamp now) {
  std::optional<Timestamp> decided_at;
  std::optional<std::string> outcome;
  if (decision.action != "escalate") {
    decided_at = now;
    outcome = decision.action;
  }
  tx.run(sql::set_item, tx.app(), item.id, status_after(decision.action), outcome, decided_at, assigned, now);
}

Line line_of(const Item& item, const Decision& decision, const Settings& settings, Timestamp now) {
  Line line = line_about(item, DecisionId::make(now), decision.action, now);
  line.reason = decision.reason;
  line.rule = decision.rule;
  line.shown = punishes(decision.action) && decision.action != "shadow_ban";
  line.params = params_json(decision.whole, decision.expires_at, decision.hard, decision.delete_message, decision.assign_to);
  if (punishes(decision.action)) line.points = decision.points.value_or(usual_points(settings, decision.action));
  return line;
}

Item lock(storage::Transaction& tx, const Reviewer& reviewer, ItemId id) {
  if (!tx.find(sql::lock_item, tx.app(), id)) throw not_found("item of the queue");
  return get_item(tx, reviewer, id);
}

void put_item_back(storage::Transaction& tx, const Line& line, const Effects& effects, bool approve, Timestamp now) {
  if (!line.item || effects.status.empty()) return;
  auto rows = tx.find(sql::lock_item, tx.app(), *line.item);
  if (!rows) return;
  const Item item = get_item(tx, kServer, *line.item);
  const bool stands = line.action == "escalate" ? item.status == "escalated" : item.outcome == line.action;
  if (!stands) return;
  std::optional<UserId> assigned;
  if (effects.assigned_to) assigned = reviewer_id(tx, *effects.assigned_to);
  if (approve) tx.run(sql::set_item, tx.app(), item.id, "approved", "appeal", now, assigned, now);
  else tx.run(sql::set_item, tx.app(), item.id, effects.status, std::nullopt, std::nullopt, assigned, now);
}

void put_back(Scene& scene, const Line& line, const Effects& effects, const Settings& settings) {
  if (effects.standing) put_standing_back(scene, *effects.standing, line.created_at, settings.probation_holds);
  if (effects.ban) put_ban_back(scene, *effects.ban, line.created_at);
  if (effects.deleted) undelete_subject(scene, line.created_at);
  if (effects.taken) give_deletion_back(scene, *effects.taken);
  if (effects.restored) delete_restored(scene, line.id);
  if (effects.strike) revoke_strike(scene.tx, line.id, scene.now);
}

/// What the line is about, as an item: the item itself may be gone.
Item subject_of(const Line& line) {
  Item item;
  if (line.item) item.id = *line.item;
  item.subject = {line.subject_type.value_or(""), line.subject.value_or(Uuid{}), line.channel, line.about};
  item.cid = line.cid;
  item.user_id = line.user_id;
  return item;
}

}  // namespace

Line line_about(const Item& item, DecisionId id, const std::string& action, Timestamp now) {
  Line line;
  line.id = id;
  line.action = action;
  line.item = item.id;
  line.subject_type = item.subject.type;
  line.subject = item.subject.id;
  line.channel = item.subject.channel;
  line.about = item.subject.whose;
  line.cid = item.cid;
  line.user_id = item.user_id;
  line.created_at = now;
  return line;
}

std::string params_json(bool whole, const std::optional<Timestamp>& expires_at, bool hard, bool delete_message, const std::optional<std::string>& assign_to) {
  json::Writer out;
  out.object();
  if (whole) out.field("scope", "application");
  out.optional_time("expires_at", expires_at).optional_field("assign_to", assign_to);
  if (hard) out.key("hard").boolean(true);
  if (delete_message) out.key("delete_message").boolean(true);
  out.end();
  return out.take();
}

std::string ban_reason_json(DecisionId id, const std::string& action, const std::optional<std::string>& reason, const std::optional<std::string>& rule,
                            const std::optional<Timestamp>& expires_at) {
  json::Writer out;
  out.object().field("decision_id", id.wire()).field("action", action).optional_field("reason", reason).optional_field("rule", rule)
      .optional_time("expires_at", expires_at).end();
  return out.take();
}

void announce(storage::Transaction& tx, bus::Bus& bus, DecisionId id, const Item& item, Timestamp now) {
  const auto line = get_line(tx, kServer, id);
  json::Writer data;
  data.object().key("decision").raw(line_json(line)).end();
  tell_moderators(tx, bus, {line.undoes ? kUndone : kDecided, data.take(), item.subject.channel, item.cid.value_or(""), item.user_id}, now);
  count_decision(tx, line.action);
}

Line decide_item(storage::Transaction& tx, const Hands& hands, const Reviewer& reviewer, ItemId id, const Decision& decision, Timestamp now) {
  const auto seen = get_item(tx, reviewer, id);
  auto opened = open_of(tx, reviewer, seen.cid);   // the head first, then the item, as those who send and edit
  const auto item = lock(tx, reviewer, id);
  check(reviewer, item, decision, now);
  const auto settings = get_settings(tx);
  check_points(reviewer, decision, settings);
  const auto assigned = assignee(tx, decision, id);
  Scene scene{tx, hands, now, item, opened ? &*opened : nullptr};
  Line line = line_of(item, decision, settings, now);
  check_rank(scene, reviewer, line);
  Effects effects = act(scene, line, decision);
  if (effects.shown) line.params = R"({"shown":true})";
  effects.status = item.status;
  effects.assigned_to = item.assigned_to;
  if (line.points > 0) {
    effects.strike = true;
    effects.consequences = strike(scene, line.id, line.points, settings, effects);
  }
  line.changed = effects_json(effects);
  end_item(tx, item, decision, assigned, now);
  insert_line(tx, line, reviewer, item.created_at);
  announce(tx, hands.bus, line.id, item, now);
  return get_line(tx, kServer, line.id);
}

Line undo(storage::Transaction& tx, const Hands& hands, const Reviewer& reviewer, const Line& line, const Undoing& how, Timestamp now) {
  const auto effects = parse_effects(line.changed);
  if (effects.ban && effects.ban->whole && !reviewer.whole) throw forbidden("Only the application's moderators undo what holds in the whole application.");
  auto opened = open_of(tx, reviewer, line.cid);
  const Item item = subject_of(line);
  if (item.subject.whose) tx.query(sql::lock_subject_user, tx.app(), *item.subject.whose, item.subject.channel);
  if (get_line(tx, kServer, line.id).undone_by) throw Error(Code::conflict, "This decision is undone already.");
  Line undoing = line_about(item, DecisionId::make(now), "undo", now);
  if (!line.item) undoing.item = std::nullopt;
  if (how.followed) undoing.by = "automatic";
  undoing.reason = how.reason;
  undoing.undoes = line.id;
  insert_line(tx, undoing, reviewer, std::nullopt);
  Scene scene{tx, hands, now, item, opened ? &*opened : nullptr};
  for (const auto& id : effects.consequences) {
    const auto followed = get_line(tx, kServer, id);
    if (!followed.undone_by) undo(tx, hands, kServer, followed, {.reason = how.reason, .followed = true}, now);   // rules act with the application's rights
  }
  put_back(scene, line, effects, get_settings(tx));
  put_item_back(tx, line, effects, how.approve, now);
  announce(tx, hands.bus, undoing.id, item, now);
  return get_line(tx, kServer, undoing.id);
}

Line undo_decision(storage::Transaction& tx, const Hands& hands, const Reviewer& reviewer, DecisionId id,
                   const std::optional<std::string>& reason, Timestamp now) {
  const auto line = get_line(tx, reviewer, id);
  static const std::set<std::string> kUndoable{"approve", "reject", "delete", "restore", "ban", "shadow_ban", "timeout", "warn", "escalate", "probation"};
  if (!kUndoable.count(line.action)) throw Error(Code::conflict, "This is no decision that could be undone.");
  return undo(tx, hands, reviewer, line, {.reason = reason}, now);
}

}  // namespace chat::moderation
