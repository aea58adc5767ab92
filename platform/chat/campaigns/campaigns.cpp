#include "platform/chat/campaigns/campaigns.h"

#include "platform/base/error.h"
#include "platform/base/text.h"
#include "platform/chat/campaigns/campaigns.sql.h"
#include "platform/chat/campaigns/campaigns_events.h"
#include "platform/chat/campaigns/judge.h"
#include "platform/chat/campaigns/recipients.h"

namespace chat::campaigns {
namespace {

Campaign read_row(const storage::Row& row) {
  Campaign campaign;
  campaign.id = CampaignId{row.uuid(0)};
  campaign.status = row.text(1);
  campaign.definition = row.text(2);
  campaign.sender = row.text(3);
  campaign.sender_id = UserId{row.uuid(4)};
  campaign.begun = row.boolean(5);
  campaign.planned = row.boolean(6);
  campaign.plan_place = row.text(7);
  campaign.reason = row.optional_text(8);
  campaign.starts_at = row.optional_time(9);
  campaign.started_at = row.optional_time(10);
  campaign.finished_at = row.optional_time(11);
  campaign.created_at = row.time(12);
  campaign.updated_at = row.time(13);
  campaign.resend_from = row.optional_uuid(14);
  campaign.recipients = row.integer(15);
  return campaign;
}

std::string segments_of(const Definition& definition) {
  text::ArrayLiteral ids;
  for (const auto& id : definition.segments) ids.add(id.text());
  return ids.take();
}

UserId find_sender(storage::Transaction& tx, const Definition& definition, const std::string& pointer) {
  const auto rows = tx.find(sql::find_sender, tx.app(), definition.sender);
  if (!rows) throw Error(Code::not_found, "No such user, or it is deactivated: " + definition.sender + ".", {{pointer, "No such user."}});
  return UserId{(*rows)[0].uuid(0)};
}

/// What the definition names is there. Errors: as create_campaign
UserId check_named(storage::Transaction& tx, const Definition& definition, const std::string& at) {
  const auto sender = find_sender(tx, definition, at + "/sender_id");
  const auto zone = tx.query(sql::is_zone, definition.schedule.zone);
  if (!zone[0].boolean(0)) throw invalid_field(at + "/schedule/time_zone", "No such time zone; they are called as Europe/Berlin.");
  if (definition.of == segments::Of::users && !tx.find(sql::is_channel_type_there, tx.app(), definition.type))
    throw Error(Code::not_found, "No such channel type.", {{at + "/channel/type", "No such channel type."}});
  if (definition.team && !tx.find(sql::is_team_there, tx.app(), *definition.team))
    throw Error(Code::not_found, "No such team.", {{at + "/channel/team", "No such team."}});
  tx.query(sql::hold_campaign_segments, tx.app(), segments_of(definition));
  std::vector<FieldError> unfit;
  const auto rows = tx.query(sql::unfit_segments, tx.app(), segments_of(definition), segments::word(definition.of));
  for (auto row : rows)
    unfit.push_back({at + "/segments/" + std::to_string(row.integer(0)), "No such segment of " + std::string(segments::word(definition.of)) + "."});
  if (!unfit.empty()) throw Error(Code::not_found, "Some segments do not exist.", std::move(unfit));
  return sender;
}

Campaign lock_in(storage::Transaction& tx, CampaignId id, const std::vector<std::string_view>& statuses, const char* act) {
  auto campaign = lock_campaign(tx, id);
  for (const auto status : statuses)
    if (campaign.status == status) return campaign;
  throw Error(Code::conflict, "A campaign that is " + campaign.status + " can't be " + act + ".");
}

Campaign move_to(storage::Transaction& tx, const Campaign& campaign, std::string_view status, Timestamp now) {
  tx.run(sql::set_status, tx.app(), campaign.id, status, std::nullopt, now);
  return get_campaign(tx, campaign.id);
}

Timestamp moment_of(storage::Transaction& tx, const std::string& clock, const std::string& zone) {
  return tx.query(sql::moment_of, clock, zone)[0].time(0);
}

/// When it begins: of local times, where the day begins first. Errors: conflict (over)
Timestamp start_of(storage::Transaction& tx, const Schedule& schedule, Timestamp now) {
  if (!schedule.at && !schedule.local_time) return now;
  const auto first = schedule.at ? moment_of(tx, *schedule.at, schedule.zone) : moment_of(tx, *schedule.local_time, "Pacific/Kiritimati");
  const auto last = schedule.at ? first : moment_of(tx, *schedule.local_time, "Etc/GMT+12");
  const std::string pointer = schedule.at ? "#/schedule/at" : "#/schedule/local_time";
  if (last < now) throw Error(Code::conflict, "Its time is over: change the schedule.", {{pointer, "Over."}});
  if (first > now + kMaxAhead) throw Error(Code::conflict, "Its time is more than a year ahead.", {{pointer, "More than a year ahead."}});
  return std::max(first, now);
}

}  // namespace

Definition definition_of(const Campaign& campaign) {
  const auto document = json::Document::parse(campaign.definition);
  json::Fields body(document.root());
  auto definition = read_definition(body);
  body.finish();
  return definition;
}

std::string campaign_json(const Campaign& campaign, const std::string& progress) {
  json::Writer out;
  out.object().field("id", campaign.id.wire()).field("status", campaign.status).optional_field("reason", campaign.reason);
  const auto document = json::Document::parse(campaign.definition);
  for (const auto& [name, value] : document.root().members()) out.key(name).raw(value.raw());
  out.optional_time("starts_at", campaign.starts_at).optional_time("started_at", campaign.started_at)
      .optional_time("finished_at", campaign.finished_at).key("created_at").time(campaign.created_at).key("updated_at").time(campaign.updated_at);
  if (!progress.empty()) out.key("progress").raw(progress);
  out.end();
  return out.take();
}

void tell(storage::Transaction& tx, bus::Bus& bus, std::string_view type, const Campaign& campaign, Timestamp now) {
  bus::Event event;
  event.id = EventId::make(now);
  event.app = tx.app();
  event.type = type;
  event.reach = bus::Reach::application;
  event.created_at = now;
  json::Writer data;
  data.object().key("campaign").raw(campaign_json(campaign)).end();
  event.data = data.take();
  bus::emit(tx, bus, std::move(event));
}

Campaign create_campaign(storage::Transaction& tx, const std::string& definition, const Definition& read, Timestamp now) {
  const auto sender = check_named(tx, read, "#");
  tx.query(sql::hold_campaigns, tx.app());
  if (tx.query(sql::count_unfinished_campaigns, tx.app())[0].integer(0) >= kMaxUnfinished)
    throw Error(Code::limit_reached, "An application may have 100 campaigns that are not over.");
  const auto id = CampaignId::make(now);
  tx.run(sql::insert_campaign, tx.app(), id, read.name, sender, definition, segments_of(read), segments::word(read.of), read.rate, now);
  return get_campaign(tx, id);
}

std::optional<Campaign> find_campaign(storage::Transaction& tx, CampaignId id) {
  const auto rows = tx.find(sql::get_campaign, tx.app(), id);
  return rows ? std::optional(read_row((*rows)[0])) : std::nullopt;
}

Campaign get_campaign(storage::Transaction& tx, CampaignId id) {
  auto campaign = find_campaign(tx, id);
  if (!campaign) throw not_found("campaign");
  return *std::move(campaign);
}

Campaign lock_campaign(storage::Transaction& tx, CampaignId id) {
  const auto rows = tx.find(sql::lock_campaign, tx.app(), id);
  if (!rows) throw not_found("campaign");
  return read_row((*rows)[0]);
}

storage::Page<Campaign> list_campaigns(storage::Transaction& tx, const std::string& status, int limit, const std::optional<std::string>& cursor,
                                       const storage::Cursors& cursors) {
  const std::string scope = tx.app().text() + "|campaigns|" + status;
  std::optional<std::string> before;
  if (cursor) before = cursors.open(scope, *cursor, "query:next").at(0);
  const auto rows = tx.query(sql::list_campaigns, tx.app(), status, limit + 1, before);
  storage::Page<Campaign> page;
  for (int i = 0; i < rows.size() && i < limit; ++i) page.items.push_back(read_row(rows[i]));
  if (rows.size() > limit) page.next = cursors.seal(scope, {page.items.back().id.text()});
  return page;
}

Campaign update_campaign(storage::Transaction& tx, CampaignId id, const std::string& definition, const Definition& read, Timestamp now) {
  const auto was = lock_in(tx, id, {"draft"}, "changed");
  if (read.of != definition_of(was).of && count_named(tx, id) > 0)
    throw Error(Code::conflict, "It names recipients of another kind; take them out first.");
  const auto sender = check_named(tx, read, "#/set");
  tx.run(sql::update_campaign, tx.app(), id, read.name, sender, definition, segments_of(read), segments::word(read.of), read.rate, now);
  return get_campaign(tx, id);
}

void delete_campaign(storage::Transaction& tx, CampaignId id, Timestamp now) {
  lock_in(tx, id, {"draft", "completed", "failed", "stopped"}, "deleted");
  tx.run(sql::delete_campaign, tx.app(), id, now);
}

Campaign start_campaign(storage::Transaction& tx, CampaignId id, const CheckQuota& check, Timestamp now) {
  const auto campaign = lock_in(tx, id, {"draft"}, "started");
  const auto definition = definition_of(campaign);
  check_named(tx, definition, "#");
  const auto starts_at = start_of(tx, definition.schedule, now);
  const auto recipients = count_recipients(tx, campaign, definition);
  if (recipients == 0) throw Error(Code::conflict, "There is nobody to write to: add recipients or segments.");
  check(recipients);
  tx.run(sql::schedule_campaign, tx.app(), id, starts_at, now);
  return get_campaign(tx, id);
}

Campaign pause_campaign(storage::Transaction& tx, bus::Bus& bus, CampaignId id, Timestamp now) {
  const auto paused = move_to(tx, lock_in(tx, id, {"scheduled", "sending"}, "paused"), "paused", now);
  tell(tx, bus, kCampaignPaused, paused, now);
  return paused;
}

Campaign resume_campaign(storage::Transaction& tx, bus::Bus& bus, CampaignId id, Timestamp now) {
  const auto campaign = lock_in(tx, id, {"paused"}, "resumed");
  const auto resumed = move_to(tx, campaign, campaign.begun ? "sending" : "scheduled", now);
  if (campaign.begun) tell(tx, bus, kCampaignStarted, resumed, now);
  return resumed;
}

Campaign stop_campaign(storage::Transaction& tx, bus::Bus& bus, CampaignId id, Timestamp now) {
  const auto stopped = move_to(tx, lock_in(tx, id, {"scheduled", "sending", "paused"}, "stopped"), "stopped", now);
  tell(tx, bus, kCampaignStopped, stopped, now);
  return stopped;
}

Campaign resend_campaign(storage::Transaction& tx, bus::Bus& bus, CampaignId id, const CheckQuota& check, Timestamp now) {
  const auto campaign = lock_in(tx, id, {"completed", "failed"}, "sent again");
  const auto failed = tx.query(sql::count_failed, tx.app(), id)[0].integer(0);
  if (failed == 0 && !tx.find(sql::has_waiting, tx.app(), id)) throw Error(Code::conflict, "Nobody failed.");
  check(failed);
  tx.run(sql::begin_resend, tx.app(), id);
  const auto sending = move_to(tx, campaign, "sending", now);
  tell(tx, bus, kCampaignStarted, sending, now);
  return sending;
}

std::optional<Timestamp> standing_since(storage::Transaction& tx, Timestamp now) { return tx.query(sql::campaigns_standing, now)[0].optional_time(0); }

std::vector<exports::Section> export_sections() {
  return {exports::section("campaign", sql::export_campaigns), exports::section("campaign_opt_out", sql::export_opt_outs)};
}

}  // namespace chat::campaigns
