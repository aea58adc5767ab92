#include "platform/chat/moderation/strikes.h"

#include <algorithm>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/base/metrics.h"
#include "platform/chat/moderation/decisions.h"
#include "platform/chat/moderation/reviewer.h"
#include "platform/chat/moderation/rows.h"
#include "platform/chat/moderation/strikes.sql.h"
#include "platform/chat/users/users.h"

namespace chat::moderation {
namespace {

constexpr int kMaxStandings = 101;             // the application's and 100 channels

std::optional<ChannelId> place_of(const Scene& scene, bool whole) { return whole ? std::nullopt : scene.item.subject.channel; }

struct Kept {
  std::optional<Timestamp> probation_until, last_warning_at;
  std::optional<std::string> ban_reason;
  std::optional<Timestamp> updated_at;         // none: it never was
};
Kept read_kept(const std::string& json) {
  const auto document = json::Document::parse(json);
  json::Fields fields(document.root());
  Kept kept{fields.find_time("probation_until"), fields.find_time("last_warning_at"), std::nullopt, fields.find_time("updated_at")};
  if (auto reason = fields.find_object("ban_reason")) kept.ban_reason = reason->raw();
  return kept;
}

void put(Scene& scene, bool whole, const Kept& kept) {
  scene.tx.run(sql::put_standing, scene.tx.app(), *scene.item.subject.whose, place_of(scene, whole), kept.probation_until, kept.last_warning_at,
               kept.ban_reason, kept.updated_at.value_or(scene.now));
}

void hold(Scene& scene, bool whole, const std::optional<Timestamp>& until) {
  const auto place = place_of(scene, whole);
  if (place) scene.tx.run(sql::hold_member, scene.tx.app(), *scene.item.subject.whose, *place, until);
  else scene.tx.run(sql::hold_user, scene.tx.app(), *scene.item.subject.whose, until);
}

std::int64_t count(Scene& scene, bool whole) {
  return scene.tx.query(sql::count_strikes, scene.tx.app(), *scene.item.subject.whose, place_of(scene, whole), scene.now)[0].integer(0);
}

/// The strictest threshold that these points crossed.
const Threshold* crossed(const Settings& settings, bool whole, std::int64_t before, std::int64_t after) {
  const Threshold* found = nullptr;
  for (const auto& one : settings.thresholds)
    if (one.whole == whole && before < one.points && one.points <= after) found = &one;
  return found;
}

/// Acts with the application's rights: whoever decided may be weaker than the rule. None: a ban holds that is as strong.
std::optional<DecisionId> follow(Scene& scene, const Threshold& threshold, std::int64_t points, const Settings& settings) {
  const auto id = DecisionId::make(scene.now);
  const Reviewer server{};
  std::optional<channels::Opened> opened;
  if (!threshold.whole) opened = channels::open_channel_as(scene.tx, scene.opened->channel.type, scene.opened->channel.channel_id, "");
  Scene own{scene.tx, scene.hands, scene.now, scene.item, opened ? &*opened : nullptr};
  std::optional<Timestamp> until;
  if (threshold.minutes > 0) until = scene.now + std::chrono::minutes(threshold.minutes);
  const std::string reason = std::to_string(points) + " points";
  const BanWanted wanted{threshold.whole, threshold.action == "shadow_ban", reason, until};
  if (threshold.action != "probation" && is_banned_as_much(own, wanted)) return std::nullopt;
  Effects effects;
  if (threshold.action == "probation") {
    effects.standing = change_standing(own, {.whole = threshold.whole, .probation_until = until, .holds = settings.probation_holds});
  } else {
    effects.ban = ban_subject(own, wanted);
    effects.standing = change_standing(own, {.whole = threshold.whole, .ban_reason = ban_reason_json(id, threshold.action, reason, "threshold", until)});
  }
  Line line = line_about(scene.item, id, threshold.action, scene.now);
  line.by = "automatic";
  line.rule = "threshold";
  line.reason = reason;
  line.shown = threshold.action != "shadow_ban";
  line.changed = effects_json(effects);
  line.params = params_json(threshold.whole, until);
  insert_line(scene.tx, line, server, std::nullopt);
  announce(scene.tx, scene.hands.bus, line.id, scene.item, scene.now);
  return id;
}

}  // namespace

Effects::Standing change_standing(Scene& scene, const StandingChange& change) {
  auto rows = scene.tx.find(sql::get_standing, scene.tx.app(), *scene.item.subject.whose, place_of(scene, change.whole));
  Effects::Standing made{change.whole, rows ? std::string((*rows)[0].text(0)) : "{}"};
  auto kept = read_kept(made.before);
  if (change.probation_until) kept.probation_until = std::max(kept.probation_until.value_or(Timestamp{}), *change.probation_until);
  if (change.warned) kept.last_warning_at = scene.now;
  if (change.ban_reason) kept.ban_reason = change.ban_reason;
  kept.updated_at = scene.now;
  put(scene, change.whole, kept);
  if (change.probation_until && change.holds) hold(scene, change.whole, kept.probation_until);
  return made;
}

void put_standing_back(Scene& scene, const Effects::Standing& standing, Timestamp changed_at, bool holds) {
  auto rows = scene.tx.find(sql::get_standing, scene.tx.app(), *scene.item.subject.whose, place_of(scene, standing.whole));
  if (!rows || (*rows)[0].time(1) != changed_at) return;
  const auto stood = before_undone(scene, standing.before, standing.whole, "updated_at",
                                   [&](const Effects& effects) -> std::optional<std::optional<std::string>> {
                                     if (!effects.standing || effects.standing->whole != standing.whole) return std::nullopt;
                                     return effects.standing->before;
                                   });
  const auto kept = read_kept(stood.value_or("{}"));
  put(scene, standing.whole, kept);
  hold(scene, standing.whole, holds ? kept.probation_until : std::nullopt);
}

std::vector<DecisionId> strike(Scene& scene, DecisionId id, std::int64_t points, const Settings& settings, const Effects& done) {
  std::optional<Timestamp> expires_at;
  if (settings.decay_days > 0) expires_at = scene.now + std::chrono::days(settings.decay_days);
  const std::int64_t whole_before = count(scene, true);
  const std::int64_t here_before = scene.item.subject.channel ? count(scene, false) : 0;
  scene.tx.run(sql::insert_strike, scene.tx.app(), id, *scene.item.subject.whose, scene.item.subject.channel, points, scene.now, expires_at);
  std::vector<DecisionId> follows;
  const auto act = [&](bool whole, std::int64_t before) {
    const auto* threshold = crossed(settings, whole, before, before + points);
    const bool stands = done.ban && done.ban->whole == whole;   // the decision itself bans here: it says for how long
    if (!threshold || (stands && threshold->action != "probation")) return;
    if (const auto followed = follow(scene, *threshold, before + points, settings)) follows.push_back(*followed);
  };
  if (scene.opened) act(false, here_before);
  act(true, whole_before);
  return follows;
}

void revoke_strike(storage::Transaction& tx, DecisionId id, Timestamp now) { tx.run(sql::revoke_strike, tx.app(), id, now); }

std::string standing_json(const Standing& standing) {
  json::Writer out;
  out.object().optional_field("cid", standing.cid).field("strike_count", standing.strike_count).optional_time("probation_until", standing.probation_until)
      .optional_time("last_warning_at", standing.last_warning_at);
  if (standing.ban_reason) out.key("ban_reason").raw(*standing.ban_reason);
  out.end();
  return out.take();
}

std::vector<Standing> standings_of(storage::Transaction& tx, const Reviewer& reviewer, const std::string& user_id, Timestamp now) {
  const auto found = users::find_users(tx, {user_id}, reviewer.user_id);
  if (found.empty()) throw not_found("user");
  std::vector<Standing> standings;
  for (auto row : tx.query(sql::list_standings, tx.app(), reviewer.id, reviewer.whole, reviewer.roles, reviewer.team_roles, found.front().id, now,
                           kMaxStandings))
    standings.push_back({row.optional_text(0), row.integer(1), row.optional_time(2), row.optional_time(3), row.optional_text(4)});
  return standings;
}

}  // namespace chat::moderation
