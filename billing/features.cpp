#include "billing/features.h"

#include <array>
#include <unordered_map>

namespace chat::billing {
namespace {

constexpr std::array<std::string_view, kFeatures> kWords{
    "threads", "reactions", "polls", "search", "uploads", "push", "translations", "webhooks", "campaigns", "moderation",
    "scheduled", "commands", "bookmarks", "drafts", "presence", "invites", "approval", "teams", "guests", "exports"};

/// Removing what was made stays allowed when a feature goes, so calls that only delete stand in no row.
const std::unordered_map<std::string_view, Feature> kOperations{
    {"list_replies", Feature::threads},
    {"list_threads", Feature::threads},
    {"get_thread", Feature::threads},
    {"follow_thread", Feature::threads},
    {"unfollow_thread", Feature::threads},
    {"read_thread", Feature::threads},
    {"create_webhook_endpoint", Feature::webhooks},
    {"test_webhook_endpoint", Feature::webhooks},
    {"update_webhook_endpoint", Feature::webhooks},
    {"resume_webhook_endpoint", Feature::webhooks},
    {"replay_webhook_delivery", Feature::webhooks},
    {"replay_webhook_deliveries", Feature::webhooks},
    {"put_before_message_send", Feature::webhooks},
    {"put_moderation_rules", Feature::moderation},
    {"test_moderation_rules", Feature::moderation},
    {"put_classifier", Feature::moderation},
    {"test_classifier", Feature::moderation},
    {"add_reaction", Feature::reactions},
    {"list_reactions", Feature::reactions},
    {"remove_reaction", Feature::reactions},
    {"suggest_option", Feature::polls},
    {"vote_in_poll", Feature::polls},
    {"list_votes", Feature::polls},
    {"retract_vote", Feature::polls},
    {"close_poll", Feature::polls},
    {"search_messages", Feature::search},
    {"search_channels", Feature::search},
    {"search_users", Feature::search},
    {"begin_upload", Feature::uploads},
    {"begin_server_upload", Feature::uploads},
    {"list_upload_links", Feature::uploads},
    {"get_upload", Feature::uploads},
    {"complete_upload", Feature::uploads},
    {"register_device", Feature::push},
    {"list_devices", Feature::push},
    {"save_push_provider", Feature::push},
    {"list_push_providers", Feature::push},
    {"get_web_push_key", Feature::push},
    {"check_push", Feature::push},
    {"list_push_templates", Feature::push},
    {"save_push_template", Feature::push},
    {"preview_push_template", Feature::push},
    {"get_push_preferences", Feature::push},
    {"set_push_preferences", Feature::push},
    {"get_channel_push_preference", Feature::push},
    {"set_channel_push_preference", Feature::push},
    {"put_translation", Feature::translations},
    {"list_block_lists", Feature::moderation},
    {"put_block_list", Feature::moderation},
    {"get_block_list", Feature::moderation},
    {"use_block_list", Feature::moderation},
    {"list_block_list_entries", Feature::moderation},
    {"change_block_list_entries", Feature::moderation},
    {"import_block_list", Feature::moderation},
    {"export_block_list", Feature::moderation},
    {"check_text", Feature::moderation},
    {"flag_message", Feature::moderation},
    {"flag_channel", Feature::moderation},
    {"flag_user", Feature::moderation},
    {"query_moderation_items", Feature::moderation},
    {"get_moderation_item", Feature::moderation},
    {"assign_moderation_item", Feature::moderation},
    {"decide_moderation_items", Feature::moderation},
    {"undo_moderation_decision", Feature::moderation},
    {"query_moderation_log", Feature::moderation},
    {"get_moderation_stats", Feature::moderation},
    {"list_moderation_notices", Feature::moderation},
    {"appeal_moderation_decision", Feature::moderation},
    {"query_moderation_appeals", Feature::moderation},
    {"decide_moderation_appeal", Feature::moderation},
    {"get_moderation_standing", Feature::moderation},
    {"get_moderation_settings", Feature::moderation},
    {"update_moderation_settings", Feature::moderation},
    {"list_moderation_reasons", Feature::moderation},
    {"schedule_message", Feature::scheduled},
    {"list_scheduled_messages", Feature::scheduled},
    {"update_scheduled_message", Feature::scheduled},
    {"create_campaign", Feature::campaigns},
    {"list_campaigns", Feature::campaigns},
    {"get_campaign", Feature::campaigns},
    {"update_campaign", Feature::campaigns},
    {"start_campaign", Feature::campaigns},
    {"resume_campaign", Feature::campaigns},
    {"resend_campaign", Feature::campaigns},
    {"try_campaign", Feature::campaigns},
    {"add_campaign_recipients", Feature::campaigns},
    {"list_campaign_recipients", Feature::campaigns},
    {"create_segment", Feature::campaigns},
    {"list_segments", Feature::campaigns},
    {"get_segment", Feature::campaigns},
    {"update_segment", Feature::campaigns},
    {"preview_segment", Feature::campaigns},
    {"preview_saved_segment", Feature::campaigns},
    {"list_segment_targets", Feature::campaigns},
    {"add_segment_targets", Feature::campaigns},
    {"list_commands", Feature::commands},
    {"put_command", Feature::commands},
    {"list_bookmarks", Feature::bookmarks},
    {"save_bookmark", Feature::bookmarks},
    {"list_drafts", Feature::drafts},
    {"save_draft", Feature::drafts},
    {"get_draft", Feature::drafts},
    {"show_presence", Feature::presence},
    {"list_online", Feature::presence},
    {"list_watchers", Feature::presence},
    {"tell_typing", Feature::presence},
    {"list_own_invites", Feature::invites},
    {"list_invites", Feature::invites},
    {"invite_users", Feature::invites},
    {"accept_invite", Feature::invites},
    {"reject_invite", Feature::invites},
    {"list_pending_messages", Feature::approval},
    {"list_channel_pending_messages", Feature::approval},
    {"approve_message", Feature::approval},
    {"reject_message", Feature::approval},
    {"create_team", Feature::teams},
    {"list_teams", Feature::teams},
    {"get_team", Feature::teams},
    {"update_team", Feature::teams},
    {"create_guest", Feature::guests},
    {"export_user", Feature::exports},
};

}  // namespace

std::string_view word(Feature feature) { return kWords[static_cast<std::size_t>(feature)]; }

std::optional<Feature> parse_feature(std::string_view word) {
  for (std::size_t i = 0; i < kWords.size(); ++i)
    if (kWords[i] == word) return static_cast<Feature>(i);
  return std::nullopt;
}

std::optional<Feature> feature_of(std::string_view operation) {
  const auto found = kOperations.find(operation);
  return found == kOperations.end() ? std::nullopt : std::optional<Feature>(found->second);
}

}  // namespace chat::billing
