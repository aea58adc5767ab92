#include "platform/chat/campaigns/ends.h"

#include <map>

#include "billing/metering.h"
#include "platform/base/metrics.h"
#include "platform/base/text.h"
#include "platform/chat/campaigns/campaigns.sql.h"
#include "platform/chat/campaigns/campaigns_events.h"
#include "platform/chat/campaigns/sending.sql.h"

namespace chat::campaigns {
namespace {

void add(text::ArrayLiteral& array, const std::optional<std::string>& value) {
  if (value) array.add(*value);
  else array.add_null();
}

void move_to(storage::Transaction& tx, bus::Bus& bus, CampaignId id, std::string_view status, std::string_view type, std::string_view reason, Timestamp now) {
  const auto rows = tx.find(sql::lock_campaign, tx.app(), id);
  const auto status_now = rows ? (*rows)[0].text(1) : "";
  if (status_now != "sending" && status_now != "scheduled") return;
  tx.run(sql::set_status, tx.app(), id, status, reason, now);
  tell(tx, bus, type, get_campaign(tx, id), now);
}

void count_end(const std::string& state, std::int64_t count) {
  metrics::counter("chat_campaign_recipients_total", "Recipients of campaigns whose turn came, by what became of them.", {{"result", state == "waiting" ? "postponed" : state}})
      .add(static_cast<double>(count));
}

}  // namespace

void fail_campaign(storage::Transaction& tx, bus::Bus& bus, CampaignId id, std::string_view reason, Timestamp now) {
  move_to(tx, bus, id, "failed", kCampaignFailed, reason, now);
}

void pause_by_itself(storage::Transaction& tx, bus::Bus& bus, CampaignId id, std::string_view reason, Timestamp now) {
  move_to(tx, bus, id, "paused", kCampaignPaused, reason, now);
}

/// Under the campaign's lock: of two pages that end at once, the second sees what the first kept.
void finish_if_over(storage::Transaction& tx, bus::Bus& bus, CampaignId id, Timestamp now) {
  if (!tx.find(sql::lock_campaign, tx.app(), id)) return;   // deleted: nobody hears of it
  if (tx.find(sql::has_waiting, tx.app(), id)) return;
  const auto rows = tx.find(sql::finish_campaign, tx.app(), id, now);
  if (!rows) return;
  const bool failed = (*rows)[0].text(0) == "failed";
  tell(tx, bus, failed ? kCampaignFailed : kCampaignCompleted, get_campaign(tx, id), now);
}

std::int64_t keep_ends(storage::Transaction& tx, bus::Bus& bus, CampaignId id, const std::vector<End>& ends, Timestamp again_at, Timestamp now) {
  text::ArrayLiteral targets, states, reasons, details, types, channels, messages;
  for (const auto& end : ends) {
    targets.add(end.target.text());
    states.add(end.state);
    add(reasons, end.reason);
    add(details, end.detail);
    types.add(end.channel_type);
    channels.add(end.channel_id);
    add(messages, end.message ? std::optional(end.message->text()) : std::nullopt);
  }
  const auto rows = tx.query(sql::keep_ends, tx.app(), id, targets.take(), states.take(), reasons.take(), details.take(), types.take(), channels.take(),
                             messages.take(), again_at, now);
  std::map<std::string, std::int64_t> kept;
  for (auto row : rows) ++kept[std::string(row.text(0))];
  if (kept["sent"] > 0) billing::count_usage(tx, billing::Meter::campaign_recipients, kept["sent"], now);
  if (kept["waiting"] > 0) tx.run(sql::look_again_at, tx.app(), id, again_at);
  finish_if_over(tx, bus, id, now);
  tx.after_commit([kept] {
    for (const auto& [state, count] : kept)
      if (count > 0) count_end(state, count);
  });
  return kept["sent"];
}

void keep_approved(storage::Transaction& tx, const Approved& approved, Timestamp now) {
  const auto parts = text::split(approved.nonce_key, '/');
  if (parts.size() != 3 || parts[0] != "campaign") return;
  const auto campaign = Uuid::parse(parts[1]), target = Uuid::parse(parts[2]);
  if (!campaign || !target) return;
  if (tx.run(sql::keep_approved, tx.app(), *campaign, *target, approved.user_id, approved.channel_type, approved.channel_id, approved.message, now) == 0) return;
  billing::count_usage(tx, billing::Meter::campaign_recipients, 1, now);
  tx.after_commit([] { count_end("sent", 1); });
}

}  // namespace chat::campaigns
