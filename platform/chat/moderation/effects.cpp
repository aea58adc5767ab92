#include "platform/chat/moderation/effects.h"

#include <set>

#include "platform/base/error.h"
#include "platform/base/json.h"
#include "platform/chat/messages/messages.h"
#include "platform/chat/moderation/decisions.sql.h"

namespace chat::moderation {
namespace {

constexpr std::int64_t kAnyHours = 24 * 366 * 100;      // moderators bring back whatever the type of channel lets its members bring back

MessageId message_of(const Scene& scene) { return MessageId{scene.item.subject.id}; }

struct State {
  std::optional<Timestamp> deleted_at;
  bool by_author = false;
  std::optional<Uuid> restored_by;
};
/// None: gone.
std::optional<State> state_of(Scene& scene) {
  if (!scene.opened || scene.item.subject.type != "message") return std::nullopt;
  auto rows = scene.tx.find(sql::message_state, scene.tx.app(), scene.opened->channel.id, message_of(scene));
  if (!rows) return std::nullopt;
  return State{(*rows)[0].optional_time(0), (*rows)[0].boolean(1), (*rows)[0].optional_uuid(2)};
}

void undelete(Scene& scene) {
  auto opened = *scene.opened;
  opened.settings.undelete_hours = kAnyHours;
  messages::undelete_message(scene.tx, scene.hands.bus, opened, message_of(scene), scene.now);
}

std::optional<storage::Rows> find_ban(Scene& scene, bool whole) {
  const auto& user = *scene.item.subject.whose;
  return whole ? scene.tx.find(sql::application_ban, scene.tx.app(), user) : scene.tx.find(sql::channel_ban, scene.tx.app(), scene.opened->channel.id, user);
}

std::optional<Timestamp> moment_of(const std::string& json, std::string_view name) {
  const auto document = json::Document::parse(json);
  return json::Fields(document.root()).find_time(name);
}

void put_ban(Scene& scene, bool whole, const Ban& input) {
  if (whole) scene.hands.ban_from_application(scene.tx, *scene.item.user_id, input, scene.now);
  else scene.hands.ban_from_channel(scene.tx, *scene.opened, *scene.item.user_id, input, scene.now);
}

void lift_ban(Scene& scene, bool whole) {
  if (whole) scene.hands.lift_from_application(scene.tx, *scene.item.user_id, scene.now);
  else scene.hands.lift_from_channel(scene.tx, *scene.opened, *scene.item.user_id, scene.now);
}

}  // namespace

std::string effects_json(const Effects& effects) {
  json::Writer out;
  out.object();
  if (!effects.status.empty()) out.field("status", effects.status);
  out.optional_field("assigned_to", effects.assigned_to);
  if (effects.deleted) out.key("deleted").boolean(true);
  if (effects.restored) out.key("restored").boolean(true);
  if (effects.strike) out.key("strike").boolean(true);
  if (effects.shown) out.key("shown").boolean(true);
  out.optional_time("taken", effects.taken);
  if (effects.ban) {
    out.key("ban").object().key("whole").boolean(effects.ban->whole);
    if (effects.ban->before) out.key("before").raw(*effects.ban->before);
    out.end();
  }
  if (effects.standing) out.key("standing").object().key("whole").boolean(effects.standing->whole).key("before").raw(effects.standing->before).end();
  if (!effects.consequences.empty()) {
    out.key("consequences").array();
    for (const auto& id : effects.consequences) out.text(id.wire());
    out.end();
  }
  out.end();
  return out.take();
}

Effects parse_effects(const std::string& text) {
  const auto document = json::Document::parse(text);
  json::Fields fields(document.root());
  Effects effects;
  effects.status = fields.find_text("status").value_or("");
  effects.assigned_to = fields.find_text("assigned_to");
  effects.deleted = fields.find_boolean("deleted").value_or(false);
  effects.restored = fields.find_boolean("restored").value_or(false);
  effects.strike = fields.find_boolean("strike").value_or(false);
  effects.shown = fields.find_boolean("shown").value_or(false);
  effects.taken = fields.find_time("taken");
  if (auto ban = fields.find_object("ban")) {
    const auto before = ban->find("before");
    effects.ban = Effects::Ban{ban->find("whole")->boolean(), before ? std::optional(before->raw()) : std::nullopt};
  }
  if (auto standing = fields.find_object("standing"))
    effects.standing = Effects::Standing{standing->find("whole")->boolean(), standing->find("before")->raw()};
  for (const auto& id : fields.find_texts("consequences", 10, {}).value_or(std::vector<std::string>{}))
    if (auto parsed = DecisionId::parse(id)) effects.consequences.push_back(*parsed);
  return effects;
}

void delete_subject(Scene& scene, bool hard, Effects& effects) {
  const auto state = state_of(scene);
  if (!state || (state->deleted_at && !state->by_author && !hard)) return;
  if (state->deleted_at && !hard) effects.taken = state->deleted_at;
  else effects.deleted = true;
  messages::delete_message(scene.tx, scene.hands.bus, *scene.opened, message_of(scene), hard, scene.now);
}

bool show_subject(Scene& scene) {
  if (!scene.opened || scene.item.subject.type != "message") return false;
  return scene.hands.show_shadowed(scene.tx, *scene.opened, message_of(scene), scene.now);
}

void restore_subject(Scene& scene, DecisionId by) {
  const auto state = state_of(scene);
  if (!state) throw Error(Code::conflict, "The message is gone for good.");
  if (!state->deleted_at) throw Error(Code::conflict, "The message is not deleted.");
  undelete(scene);
  scene.tx.run(sql::mark_restored, scene.tx.app(), scene.opened->channel.id, message_of(scene), by);
}

void undelete_subject(Scene& scene, Timestamp deleted_at) {
  const auto state = state_of(scene);
  if (state && state->deleted_at == deleted_at) undelete(scene);
}

void delete_restored(Scene& scene, DecisionId by) {
  const auto state = state_of(scene);
  if (state && state->restored_by == by.uuid) messages::delete_message(scene.tx, scene.hands.bus, *scene.opened, message_of(scene), false, scene.now);
}

void give_deletion_back(Scene& scene, Timestamp deleted_at) {
  if (scene.opened) scene.tx.run(sql::give_deletion_back, scene.tx.app(), scene.opened->channel.id, message_of(scene), deleted_at);
}

Effects::Ban ban_subject(Scene& scene, const BanWanted& wanted) {
  if (!scene.item.user_id) throw Error(Code::conflict, "There is no user to ban: a server made this channel.");
  if (!wanted.whole && !scene.opened) throw Error(Code::conflict, "There is no channel to ban from; ban from the application.");
  const auto stood = find_ban(scene, wanted.whole);
  Effects::Ban made{wanted.whole, stood ? std::optional(std::string((*stood)[0].text(0))) : std::nullopt};
  put_ban(scene, wanted.whole, {wanted.shadow, wanted.reason, wanted.expires_at});
  return made;
}

bool is_banned_as_much(Scene& scene, const BanWanted& wanted) {
  if (!scene.item.user_id || (!wanted.whole && !scene.opened)) return false;
  const auto stands = find_ban(scene, wanted.whole);
  if (!stands) return false;
  const auto document = json::Document::parse((*stands)[0].text(0));
  json::Fields ban(document.root());
  const auto ends = ban.find_time("expires_at");
  if (ends && *ends <= scene.now) return false;
  if (ban.find_boolean("shadow").value_or(false) != wanted.shadow) return wanted.shadow;   // an open one is stronger
  return !ends || (wanted.expires_at && *wanted.expires_at <= *ends);
}

std::optional<std::string> before_undone(Scene& scene, std::optional<std::string> before, bool whole, std::string_view moment, const BeforeOf& of) {
  const auto place = whole ? std::nullopt : scene.item.subject.channel;
  std::set<Uuid> passed;
  while (before) {
    const auto made_at = moment_of(*before, moment);
    if (!made_at) break;
    std::optional<std::pair<Uuid, std::optional<std::string>>> earlier;
    for (auto row : scene.tx.query(sql::undone_of_moment, scene.tx.app(), *scene.item.subject.whose, *made_at, place)) {
      auto was = of(parse_effects(std::string(row.text(1))));
      if (!was || passed.count(row.uuid(0)) > 0) continue;
      const bool is_first = !*was || moment_of(**was, moment) != made_at;   // of several lines of one decision
      if (!earlier || is_first) earlier.emplace(row.uuid(0), std::move(*was));
      if (is_first) break;
    }
    if (!earlier) break;
    passed.insert(earlier->first);
    before = std::move(earlier->second);
  }
  return before;
}

void put_ban_back(Scene& scene, const Effects::Ban& ban, Timestamp made_at) {
  if (!scene.item.user_id || (!ban.whole && !scene.opened)) return;
  const auto stands = find_ban(scene, ban.whole);
  if (!stands || (*stands)[0].time(1) != made_at) return;
  const auto stood = before_undone(scene, ban.before, ban.whole, "created_at", [&](const Effects& effects) -> std::optional<std::optional<std::string>> {
    if (!effects.ban || effects.ban->whole != ban.whole) return std::nullopt;
    return effects.ban->before;
  });
  std::optional<Timestamp> expires_at;
  if (stood) {
    const auto document = json::Document::parse(*stood);
    json::Fields before(document.root());
    expires_at = before.find_time("expires_at");
    if (!expires_at || *expires_at > scene.now) {
      put_ban(scene, ban.whole, {before.find_boolean("shadow").value_or(false), before.find_text("reason", {.max_bytes = 500}), expires_at});
      const auto& user = *scene.item.subject.whose;
      const auto then = before.find_time("created_at").value_or(scene.now);
      if (ban.whole) scene.tx.run(sql::date_application_ban, scene.tx.app(), user, then);
      else scene.tx.run(sql::date_channel_ban, scene.tx.app(), scene.opened->channel.id, user, before.find_text("banned_by"), then);
      return;
    }
  }
  lift_ban(scene, ban.whole);
}

}  // namespace chat::moderation
