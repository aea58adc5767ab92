#pragma once
#include "platform/chat/moderation/moderation.h"

/// What decisions do, and how it is put back. Private to the folder.
namespace chat::moderation {

/// Kept with the decision, as JSON: what was before, of what it changed.
struct Effects {
  std::string status;                          // of the item; empty: not changed
  std::optional<std::string> assigned_to;
  bool deleted = false, restored = false, strike = false;
  bool shown = false;                          // came out of the shadow; that stays
  std::optional<Timestamp> taken;              // its author had deleted it then, and does not bring it back
  struct Ban {
    bool whole = false;
    std::optional<std::string> before;         // JSON: the ban that stood; none: none did
  };
  std::optional<Ban> ban;
  struct Standing {
    bool whole = false;
    std::string before = "{}";                 // JSON
  };
  std::optional<Standing> standing;
  std::vector<DecisionId> consequences;        // what the points caused
};
std::string effects_json(const Effects& effects);
Effects parse_effects(const std::string& json);

/// One decision at work.
struct Scene {
  storage::Transaction& tx;
  const Hands& hands;
  Timestamp now;
  const Item& item;
  channels::Opened* opened = nullptr;          // null: there is no channel, or it is gone
};

/// Nothing to delete: changes nothing. What its author deleted is the decision's from here on.
void delete_subject(Scene& scene, bool hard, Effects& effects);
/// Of a message that a rule sent into the shadow. True: everybody sees it now.
bool show_subject(Scene& scene);
/// Errors:  conflict (not deleted; erased)
void restore_subject(Scene& scene, DecisionId by);
/// A deletion of that moment; else changes nothing.
void undelete_subject(Scene& scene, Timestamp deleted_at);
/// What that decision restored is deleted again, if nobody has deleted or restored it since.
void delete_restored(Scene& scene, DecisionId by);
/// A deletion of that moment is its author's again; else changes nothing.
void give_deletion_back(Scene& scene, Timestamp deleted_at);

struct BanWanted {
  bool whole = false, shadow = false;
  std::optional<std::string> reason;
  std::optional<Timestamp> expires_at;
};
/// Errors:  as the ban's; conflict (there is no user, or no channel)
Effects::Ban ban_subject(Scene& scene, const BanWanted& wanted);
/// A ban in force keeps the user out as much, and as long.
bool is_banned_as_much(Scene& scene, const BanWanted& wanted);
/// What there was before, as it is kept in Effects, but for what decisions did that were undone since: that does not come back. `moment` names
/// when it was made.
using BeforeOf = std::function<std::optional<std::optional<std::string>>(const Effects&)>;   // none: the decision changed nothing of it
std::optional<std::string> before_undone(Scene& scene, std::optional<std::string> before, bool whole, std::string_view moment, const BeforeOf& of);

/// The ban that was made at that moment goes, and what stood before comes back; else changes nothing.
void put_ban_back(Scene& scene, const Effects::Ban& ban, Timestamp made_at);

}  // namespace chat::moderation
