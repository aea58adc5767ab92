#include <unordered_set>

#include "platform/base/error.h"
#include "platform/base/log.h"
#include "platform/base/text.h"
#include "platform/chat/campaigns/campaigns.sql.h"
#include "platform/chat/campaigns/campaigns_events.h"
#include "platform/chat/campaigns/ends.h"
#include "platform/chat/campaigns/judge.h"
#include "platform/chat/campaigns/recipients.h"
#include "platform/chat/campaigns/recipients.sql.h"
#include "platform/chat/campaigns/sending.sql.h"

namespace chat::campaigns {
namespace {

constexpr std::chrono::seconds kPutOff{30};

void plan_slice(storage::Transaction& tx, const Campaign& campaign, const Definition& definition, const Slice& slice, Timestamp now) {
  text::ArrayLiteral targets, variants;
  for (const auto& target : slice.targets) {
    targets.add(target.text());
    variants.add(std::to_string(definition.variant_of(campaign.id.uuid, target)));
  }
  const auto& schedule = definition.schedule;
  const auto planned = tx.query(sql::plan_recipients, tx.app(), campaign.id, targets.take(), variants.take(), campaign.starts_at.value_or(now),
                                schedule.local_time, schedule.zone, now);
  const auto all = tx.query(sql::keep_plan_place, tx.app(), campaign.id, slice.place, slice.is_last, now, planned[0].optional_time(1), planned[0].integer(0));
  if (all[0].integer(0) > static_cast<std::int64_t>(kMaxRecipients)) throw Error(Code::limit_reached, "More than 1,000,000 since it was started.");
}

void wait_again(storage::Transaction& tx, bus::Bus& bus, const Campaign& campaign, int rows, Timestamp now) {
  const auto again = tx.query(sql::wait_again, tx.app(), campaign.id, *campaign.resend_from, rows, now);
  const bool is_last = again[0].integer(0) < rows;
  tx.run(sql::keep_resend_place, tx.app(), campaign.id, is_last ? std::nullopt : again[0].optional_uuid(1), now);
  if (is_last) finish_if_over(tx, bus, campaign.id, now);
}

void plan(storage::Transaction& tx, bus::Bus& bus, CampaignId id, int rows, Timestamp now) {
  auto campaign = lock_campaign(tx, id);
  if (campaign.status == "sending" && campaign.resend_from) return wait_again(tx, bus, campaign, rows, now);
  const bool begins = campaign.status == "scheduled" && campaign.starts_at && *campaign.starts_at <= now;
  if (!begins && (campaign.status != "sending" || campaign.planned)) return;   // somebody was faster
  const auto work = open_work(tx, campaign);
  if (!work) return fail_campaign(tx, bus, id, "sender_gone", now);
  if (begins) {
    tx.run(sql::begin_campaign, tx.app(), id, now);
    tell(tx, bus, kCampaignStarted, get_campaign(tx, id), now);
  }
  Slice slice;
  try {
    slice = read_slice(tx, campaign, work->definition, campaign.plan_place, rows);
  } catch (const Error& error) {
    if (error.code() != Code::not_found) throw;
    return fail_campaign(tx, bus, id, "segment_gone", now);
  }
  plan_slice(tx, campaign, work->definition, slice, now);
  if (slice.is_last) finish_if_over(tx, bus, id, now);
}

/// It is not taken first again. A filter that is not understood any more won't get better by waiting; what is this service's fault may.
void put_off(storage::Transaction& tx, bus::Bus& bus, CampaignId id, const Error& error, Timestamp now) {
  log::warn("campaigns.not_planned", {{"app_id", tx.app().wire()}, {"campaign", id.wire()}, {"detail", error.what()}});
  const auto& row = row_of(error.code());
  const bool is_too_large = error.code() == Code::limit_reached;
  if (!row.retryable && row.status < 500) return fail_campaign(tx, bus, id, is_too_large ? "too_many_recipients" : "segment_unreadable", now);
  tx.run(sql::put_off_planning, tx.app(), id, now + kPutOff);
}

}  // namespace

bool plan_some(storage::Connection& connection, bus::Bus& bus, int rows, const Clock& clock) {
  std::optional<std::pair<AppId, CampaignId>> next;
  const auto now = clock.now();
  connection.transact(AppId{}, storage::Mode::write, [&](storage::Transaction& tx) {
    const auto due = tx.find(sql::next_campaign_to_plan, now);
    next = due ? std::optional(std::pair{AppId{(*due)[0].uuid(0)}, CampaignId{(*due)[0].uuid(1)}}) : std::nullopt;
  });
  if (!next) return false;
  try {
    connection.transact(next->first, storage::Mode::write, [&](storage::Transaction& tx) { plan(tx, bus, next->second, rows, now); });
  } catch (const Error& error) {
    connection.transact(next->first, storage::Mode::write, [&](storage::Transaction& tx) { put_off(tx, bus, next->second, error, now); });
  }
  return true;
}

}  // namespace chat::campaigns
